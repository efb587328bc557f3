"""`predictions_of`: the columns and rows of a classifier's predictions.csv."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.pairs import are_pairs, split_pair

__all__ = [
    "COLUMNS",
    "columns_of",
    "label_set_rows",
    "place_of",
    "predictions_of",
    "shown_text",
    "shown_texts",
]

MOST_CLASSES = 50
TOP = 5
TEXT_CHARACTERS = 1000
COLUMNS = ("row", "file", "line", "text", "label", "predicted")


def predictions_of(
    split: Split, names: Sequence[str], predicted: np.ndarray, probabilities: np.ndarray
) -> tuple[list[str], Iterator[list[object]]]:
    """Returns the columns and the rows.

    A pair of texts has two columns, ``text`` and ``second_text``. Up to 50 classes have a column
    each, ``probability: NAME``. With more, there are the probabilities of the row's own class and
    of the predicted one, and the five most probable classes. A text of more than 1,000 characters
    is cut. ``file`` and ``line`` are empty if the rows were not read from a table.

    Args:
        split: The rows.
        names: The classes.
        predicted: The predicted label ids, int64 of shape [rows].
        probabilities: Float32 of shape [rows, classes].
    """
    if len(names) <= MOST_CLASSES:
        columns = [f"probability: {name}" for name in names]
        found: Iterator[list[str]] = ([f"{p:.6f}" for p in row] for row in probabilities)
    else:
        columns = ["probability of label", "probability of predicted"]
        for place in range(1, TOP + 1):
            columns += [f"top {place}", f"probability of top {place}"]
        found = _most_probable(split.labels, names, predicted, probabilities)
    return [*columns_of(split), *columns], (
        [*place_of(split, row, texts), names[split.labels[row]], names[predicted[row]], *cells]
        for row, (texts, cells) in enumerate(zip(shown_texts(split), found, strict=True))
    )


def label_set_rows(
    split: Split, names: Sequence[str], found: np.ndarray, probabilities: np.ndarray
) -> tuple[list[str], Iterator[list[object]]]:
    """Returns the same for several labels a row, which are JSON lists.

    With more than 50 labels, a third list has the five most probable ones, each with its
    probability.

    Args:
        split: The rows, with label sets.
        names: The labels.
        found: Whether each label was found in each row, bool [rows, labels].
        probabilities: Float32 [rows, labels].
    """
    few = len(names) <= MOST_CLASSES
    columns = [f"probability: {name}" for name in names] if few else ["most probable"]

    def cells(row: int) -> list[str]:
        of_row = probabilities[row]
        if few:
            return [f"{p:.6f}" for p in of_row]
        top = np.argsort(-of_row, kind="stable")[:TOP].tolist()
        return [_json([[names[label], round(float(of_row[label]), 6)] for label in top])]

    place = columns_of(split)[:-2]
    return [*place, "labels", "predicted", *columns], (
        [
            *place_of(split, row, texts),
            _json([names[label] for label in ids]),
            _json([names[label] for label in np.flatnonzero(found[row]).tolist()]),
            *cells(row),
        ]
        for row, (texts, ids) in enumerate(
            zip(shown_texts(split), split.label_sets or (), strict=True)
        )
    )


def place_of(split: Split, row: int, texts: Sequence[str]) -> list[object]:
    """Returns the cells for the place of a row, counted from 0, and its texts."""
    line = "" if split.lines is None else split.lines[row]
    return [row, split.file(row), line, *texts]


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)


def columns_of(split: Split) -> list[str]:
    """Returns `COLUMNS`, with one more for the second text if the texts are pairs."""
    after_text = COLUMNS.index("text") + 1
    second = ["second_text"] if are_pairs(split.texts) else []
    return [*COLUMNS[:after_text], *second, *COLUMNS[after_text:]]


def shown_texts(split: Split) -> Iterator[list[str]]:
    """Yields the cells for each text, one or, for pairs, two; see `shown_text`."""
    pairs = are_pairs(split.texts)
    for text in split.texts:
        yield [shown_text(one) for one in (split_pair(text) if pairs else [text])]


def _most_probable(
    labels: np.ndarray, names: Sequence[str], predicted: np.ndarray, probabilities: np.ndarray
) -> Iterator[list[str]]:
    for label, answer, of_row in zip(labels, predicted, probabilities, strict=True):
        cells = [f"{of_row[label]:.6f}", f"{of_row[answer]:.6f}"]
        for place in np.argsort(-of_row, kind="stable")[:TOP].tolist():
            cells += [names[place], f"{of_row[place]:.6f}"]
        yield cells


def shown_text(text: str) -> str:
    """Returns a text as predictions.csv shows it: of more than 1,000 characters, the first."""
    text = text if len(text) <= TEXT_CHARACTERS else f"{text[: TEXT_CHARACTERS - 1]}…"
    return text.encode("utf-8", "replace").decode("utf-8")  # half a character cannot be written
