"""`kerasnlp-lab data list` and `data install`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasnlp_lab.cli.options import DataDir, quiet_tensorflow
from kerasnlp_lab.errors import UnknownNameError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_datasets() -> None:
    """List the datasets."""
    from kerasnlp_lab.data import dataset_cards

    for card in dataset_cards().values():
        print(f"{card.name:12} {card.summary}; {card.licence}; {', '.join(card.label_names)}")


@app.command("install")
def install(
    dataset: Annotated[str, typer.Argument(help="The dataset: ag_news.")],
    source: Annotated[
        Path, typer.Option("--from", help="Its own files: a folder, or the .tar.gz as published.")
    ],
    data_dir: DataDir = None,
) -> None:
    """Prepare a dataset's own files for TensorFlow Datasets, without a network."""
    if dataset != "ag_news":
        raise UnknownNameError("dataset to install", dataset, ["ag_news"])
    quiet_tensorflow()
    from kerasnlp_lab.data.ag_news import install_ag_news

    folder, train_rows, test_rows = install_ag_news(source, data_dir)
    print(f"ag_news: {train_rows} + {test_rows} rows prepared in {folder}")
