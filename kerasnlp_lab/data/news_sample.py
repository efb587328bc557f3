"""`news_sample`: built-in news written for this project, with the classes of AG News."""

from __future__ import annotations

import csv
from importlib import resources

import numpy as np

from kerasnlp_lab.data.ag_news import LABEL_NAMES, join_title_and_description
from kerasnlp_lab.data.dataset import Split

__all__ = ["read_news_sample"]


def read_news_sample() -> tuple[Split, Split, str]:
    """Returns the training rows, the test rows, and "built in"."""
    folder = resources.files("kerasnlp_lab.data") / "news_sample"
    return _read(folder / "train.csv"), _read(folder / "test.csv"), "built in"


def _read(path) -> Split:  # type: ignore[no-untyped-def]  # importlib's Traversable moves in 3.14
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = [join_title_and_description(row["title"], row["description"]) for row in rows]
    return Split(tuple(texts), np.array([LABEL_NAMES.index(row["label"]) for row in rows]))
