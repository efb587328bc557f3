"""`kerasnlp-lab data`: datasets, listed, installed, inspected and sharded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasnlp_lab.cli.data_inspect import inspect
from kerasnlp_lab.cli.data_shard import shard
from kerasnlp_lab.cli.groups import make_group
from kerasnlp_lab.cli.json_output import Json, print_json, printing_to_stderr_if
from kerasnlp_lab.cli.options import DataDir, import_tensorflow
from kerasnlp_lab.errors import UnknownNameError

__all__ = ["app"]

app = make_group()
app.command("inspect")(inspect)
app.command("shard")(shard)


@app.command("list")
def list_datasets(as_json: Json = False) -> None:
    """List the datasets."""
    from kerasnlp_lab.data import dataset_cards

    cards = dataset_cards().values()
    if as_json:
        print_json([{k: v for k, v in vars(card).items() if k != "read"} for card in cards])
        return
    for card in cards:
        facts = (card.summary, card.licence, ", ".join(card.label_names))
        print(f"{card.name:14} {'; '.join(filter(None, facts))}")


@app.command("install")
def install(
    dataset: Annotated[str, typer.Argument(help="The dataset: ag_news or sms_spam.")],
    source: Annotated[
        Path, typer.Option("--from", help="The published file, or the folder of ag_news.")
    ],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Install a dataset from its published files, without a network.

    ag_news is installed in TensorFlow Datasets' folder, where tfds.load finds it too.
    """
    if dataset not in ("ag_news", "sms_spam"):
        raise UnknownNameError("dataset to install", dataset, ["ag_news", "sms_spam"])
    if dataset == "sms_spam":
        from kerasnlp_lab.data.sms_spam import install_sms_spam

        path, rows = install_sms_spam(source, data_dir)
        if as_json:
            print_json({"dataset": dataset, "path": path, "rows": rows})
        else:
            print(f"sms_spam: {rows} rows installed as {path}")
        return
    import_tensorflow()
    from kerasnlp_lab.data.ag_news import install_ag_news

    with printing_to_stderr_if(as_json):
        folder, train_rows, test_rows = install_ag_news(source, data_dir)
    if as_json:
        print_json({"dataset": dataset, "path": folder, "rows": train_rows + test_rows})
    else:
        print(f"ag_news: {train_rows} + {test_rows} rows prepared in {folder}")
