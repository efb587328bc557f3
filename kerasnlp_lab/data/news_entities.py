"""`news_entities`: built-in news sentences with persons, organizations and places."""

from __future__ import annotations

import json
from importlib import resources

from kerasnlp_lab.data.dataset import Split

__all__ = ["ENTITY_NAMES", "read_news_entities"]

ENTITY_NAMES = ("organization", "person", "place")


def read_news_entities() -> tuple[Split, Split, str]:
    """Returns the training rows, the test rows, and "built in"."""
    return _read("train"), _read("test"), "built in"


def _read(part: str) -> Split:
    file = resources.files("kerasnlp_lab.data") / "news_entities" / f"{part}.jsonl"
    rows = list(map(json.loads, file.read_text(encoding="utf-8").splitlines()))
    return Split([row["text"] for row in rows], spans=[row["entities"] for row in rows])
