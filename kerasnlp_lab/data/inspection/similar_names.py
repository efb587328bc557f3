"""Classes whose names look the same: Spam and spam, or 1 and 01."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

import numpy as np

from kerasnlp_lab.data.inspection.finding import Finding
from kerasnlp_lab.data.inspection.rows import Rows

__all__ = ["find_similar_names"]


def _visible(name: str) -> str:
    """Returns a name without spaces and without characters that take no room."""
    return "".join(c for c in name if not c.isspace() and unicodedata.category(c)[0] != "C")


def _number(name: str) -> str:
    if not name.replace(".", "", 1).isdecimal():
        return name
    whole, _, fraction = name.partition(".")
    return f"{whole.lstrip('0') or '0'}.{fraction.rstrip('0')}".rstrip(".")


_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("in case", str.casefold),
    ("in spaces or invisible characters", _visible),
    ("in Unicode form", lambda name: unicodedata.normalize("NFKC", name)),
    ("as numbers are written", _number),
)


def find_similar_names(
    rows: Rows, labels: np.ndarray | None = None, of_row: np.ndarray | None = None
) -> Iterator[Finding]:
    """Yields the first row of each class whose name differs little from a more frequent class's.

    Names are the same if only case, spaces, invisible characters, Unicode's form (as é in one
    character or two, or full width), or the way to write a number tell them apart.

    Args:
        rows: The table.
        labels: The label id of each entity or label, if rows have any number, int64 [entities].
        of_row: The row of each, int64 [entities].
    """
    entities = rows.data.annotation == "spans"
    names, what = rows.data.label_names, "type" if entities else "class"
    unit = "entities" if entities else "rows"
    labels = rows.labels if labels is None else labels
    counts = np.bincount(labels, minlength=len(names))
    most_frequent: dict[str, int] = {}
    for label in np.argsort(-counts, kind="stable").tolist():
        most = most_frequent.setdefault(_same(names[label]), label)
        if most != label:
            one, other = names[label], names[most]
            how = (how for how, step in _STEPS if step(one) == step(other))
            detail = f"{ascii(one)} differs only {next(how, 'in several ways')} from {ascii(other)}"
            detail += f": one {what}? ({unit}: {counts[label]:,} and {counts[most]:,})"
            row = int(np.flatnonzero(labels == label)[0])
            row = row if of_row is None else int(of_row[row])
            yield rows.finding("similar_class_names", row, detail)


def _same(name: str) -> str:
    for _, step in _STEPS * 2:  # full-width letters have a case too
        name = step(name) or name
    return name
