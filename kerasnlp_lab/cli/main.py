"""`kerasnlp-lab`: the commands put together, and errors put into one line."""

from __future__ import annotations

import os
import signal
import sys

import typer

from kerasnlp_lab.cli import compare, data, evaluate, explain, export, hub, predict, train, zoo
from kerasnlp_lab.errors import KerasnlpLabError, TrainingStopped, WorkerLostError

__all__ = ["AGAIN_STATUS", "app", "main"]

# To be started again: after SIGTERM, or when another worker is gone. From 128 on, a
# Kubernetes job with restartPolicy ExitCode does that.
AGAIN_STATUS = 175

EPILOG = (
    "Begin with: kerasnlp-lab compare --dataset news_sample "
    "--models tfidf_linear,transformer,minilm_l6_h384"
)

app = typer.Typer(
    help="Train, compare and export text classifiers.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(train.train)
app.command()(compare.compare)
app.command()(evaluate.evaluate)
app.command()(export.export)
app.command()(predict.predict)
app.command()(explain.explain)
app.add_typer(zoo.app, name="zoo", help="The models that can be trained.")
app.add_typer(
    hub.app, name="hub", help="BERT encoders on TF Hub: listed, installed, verified, built."
)
app.add_typer(data.app, name="data", help="The datasets that can be trained on.")


def main() -> None:
    """Runs the command line and exits.

    With 0: well. 2: a mistake to mend. 130: Ctrl-C. 175: to be started again, after SIGTERM or
    where another worker is gone.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app()
    except KerasnlpLabError as error:
        print(f"kerasnlp-lab: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(_status(error))


def _status(error: KerasnlpLabError) -> int:
    if isinstance(error, TrainingStopped):
        return 130 if error.caught is signal.SIGINT else AGAIN_STATUS
    return AGAIN_STATUS if isinstance(error, WorkerLostError) else 2
