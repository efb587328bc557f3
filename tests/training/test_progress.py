"""Progress prints one line for each epoch."""

import io

import rich.console

from kerasnlp_lab.training.progress import Progress

LINE = {"phase": "train", "loss": 1.25, "val_loss": 1.0, "val_accuracy": 0.5, "seconds": 2.0}


def printed(**line):
    file = io.StringIO()
    Progress(rich.console.Console(file=file, width=200), 32).end(1, {**LINE, **line})
    return file.getvalue()


def test_the_line_of_an_epoch():
    losses = "loss 1.2500  val_loss 1.0000  val_accuracy 0.5000"
    assert printed(texts_per_second=95.4) == f"  train     epoch  1  {losses}  2.0 s  95 texts/s\n"


def test_no_speed_if_none_was_measured():
    assert printed(texts_per_second=0.0).endswith("val_accuracy 0.5000  2.0 s\n")
