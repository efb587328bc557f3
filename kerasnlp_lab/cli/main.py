"""`kerasnlp-lab`: all commands, the exit status, and errors in one line."""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Annotated, Any

import typer

from kerasnlp_lab import __version__
from kerasnlp_lab.cli import (
    compare,
    data,
    distil,
    evaluate,
    explain,
    export,
    fill_mask,
    hub,
    mix,
    predict,
    pretrain,
    serve,
    train,
    vocab,
    zoo,
)
from kerasnlp_lab.cli.groups import make_group
from kerasnlp_lab.cli.interrupts import INTERRUPTED, interrupted_message, raise_on_first_interrupt
from kerasnlp_lab.errors import (
    KerasnlpLabError,
    OptionError,
    TrainingStopped,
    UnknownNameError,
    WorkerLostError,
)

__all__ = ["AGAIN_STATUS", "app", "main"]

# The command should be started again: after SIGTERM, or when another worker is gone. A
# Kubernetes job with restartPolicy ExitCode does so for every status from 128 on.
AGAIN_STATUS = 175

NAME = "kerasnlp-lab"

FIRST_STEPS = """\
kerasnlp-lab trains, compares and exports text classifiers. First steps:

  kerasnlp-lab train --dataset news_sample --model transformer --output first
      Train a small Transformer on the built-in news, and test it.
  kerasnlp-lab predict first "Oil slips below 45 dollars"
      Classify a text with it.
  kerasnlp-lab compare --dataset news_sample --models transformer,tfidf_linear
      Is it better than TF-IDF by more than chance?

Then your own texts: --data messages.csv instead of --dataset news_sample.

Commands:
"""


def _begin(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Train, compare and export text classifiers."""
    if version:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(f"{FIRST_STEPS}{_commands(context)}\n'{NAME} COMMAND --help' shows the options.")


def _commands(context: typer.Context) -> str:
    group: Any = context.command
    commands = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return "".join(
        f"  {name:{max(map(len, commands)) + 1}} {command.get_short_help_str(limit=66)}\n"
        for name, command in commands.items()
    )


app = make_group(
    _begin,
    epilog=f"'{NAME}' alone shows the first steps.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(train.train)
app.command()(compare.compare)
app.command()(evaluate.evaluate)
app.command()(mix.mix)
app.command()(export.export)
app.command()(predict.predict)
app.command()(serve.serve)
app.command()(explain.explain)
app.command()(distil.distil)
app.command()(pretrain.pretrain)
app.command()(fill_mask.fill_mask)
app.add_typer(zoo.app, name="zoo", help="Models, recipes and tasks.")
app.add_typer(
    hub.app, name="hub", help="BERT encoders on TF Hub: listed, installed, verified, built."
)
app.add_typer(data.app, name="data", help="Datasets: listed, installed, inspected, sharded.")
app.add_typer(vocab.app, name="vocab", help="Vocabularies of word pieces, learned from texts.")


def main() -> None:
    """Runs the command line and exits.

    The status is 0 for success, 1 if 'hub verify' found a broken module, 2 for a mistake to
    fix, 130 for Ctrl-C, and 175 if the command should be started again: after SIGTERM, or when
    another worker is gone.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an emoji, where the encoding is ASCII
            stream.reconfigure(errors="backslashreplace")
    with raise_on_first_interrupt() as interrupted:
        try:
            status = _run()
        except TrainingStopped as stopped:
            _print_error("; ".join([str(stopped), *getattr(stopped, "__notes__", [])]))
            status = INTERRUPTED if stopped.caught is signal.SIGINT else AGAIN_STATUS
        except BaseException as error:
            if interrupted() or isinstance(error, KeyboardInterrupt):
                if sys.stderr.isatty():
                    print(file=sys.stderr)  # after the ^C that the terminal shows
                _print_error(interrupted_message(error))
                status = INTERRUPTED
            elif isinstance(error, KerasnlpLabError):
                _print_error(str(error))
                status = AGAIN_STATUS if isinstance(error, WorkerLostError) else 2
            else:
                raise
    sys.exit(status)


def _print_error(message: str) -> None:
    # Spaces within a line may be part of a path.
    one_line = " ".join(line.strip() for line in message.splitlines())
    print(f"{NAME}: {one_line}", file=sys.stderr)


def _run() -> int:
    """Runs the command that the arguments name, and returns the exit status."""
    command = typer.main.get_command(app)
    try:
        with command.make_context(NAME, sys.argv[1:]) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as done:
        return done.exit_code
    except typer.TyperException as error:
        raise _without_typers_words(error) from error
    except BrokenPipeError:  # the reader of our output closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _without_typers_words(error: Any) -> KerasnlpLabError:
    """Turns typer's complaint about the arguments into an error of one line."""
    context = getattr(error, "ctx", None)
    path = NAME if context is None else context.command_path
    if context is not None and hasattr(error, "possibilities"):  # no such option
        parameters = context.command.get_params(context)
        known = [name for one in parameters for name in (*one.opts, *one.secondary_opts)]
        options = [name for name in known if name.startswith("--")]
        kind = f"option of {path.removeprefix(f'{NAME} ')}"
        hint = f"see '{path} --help'"
        if error.option_name == "--data" and "--file" in options:
            return OptionError(f"{path} has no --data: its table or lines are --file; {hint}")
        arguments = {one.name for one in parameters if one.param_type_name == "argument"}
        if arguments & {"text", "texts"}:
            hint += f"; a text that begins with a hyphen comes after --: {path} MODEL -- TEXT"
        return UnknownNameError(kind, error.option_name, options, hint)
    message = error.format_message().rstrip(".").replace("Value error, ", "")
    advice = "" if context is None else f"; see '{path} --help'"
    return OptionError(f"{message[:1].lower()}{message[1:]}{advice}")
