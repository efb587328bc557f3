"""`Split` and `TextDataset`: texts with their labels, checked when made."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from kerasnlp_lab.data.inputs import as_class_names, as_label_ids, as_strings
from kerasnlp_lab.data.label_sets import as_label_sets
from kerasnlp_lab.data.pairs import is_pair
from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.data.sharded_split import ShardedSplit
from kerasnlp_lab.data.source import LeaksLeftOut, PythonRows, Source
from kerasnlp_lab.data.spans import Span, as_spans
from kerasnlp_lab.data.tables import RejectedRow
from kerasnlp_lab.data.target_texts import as_target_texts
from kerasnlp_lab.errors import DataError

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["Annotation", "Split", "TextDataset"]

Annotation = Literal["labels", "label_sets", "spans", "target_texts"]
"""What each text has: one label, any number of labels, spans with labels, or a target text."""


@dataclass(frozen=True, eq=False)
class Split:
    """Texts and their labels, in a fixed order.

    Args:
        texts: The texts: a list, a NumPy array, a column of pandas, a generator and so on.
        labels: One label id a text, int64 of shape [rows]; any whole numbers. They may be left out
            where there are spans, label sets or target texts, and are 0 then.
        path: The file that they were read from.
        lines: The line of each in that file, from 1, int32 of shape [rows]; None if
            there is no such file.
        files: The files, where there are several; ``path`` is then their folder or pattern.
        parts: The file of each row, as an index into ``files``, int32 of shape [rows].
        spans: The entities of each text, in its order and not overlapping; None where texts have
            labels alone.
        label_sets: The label ids of each text, where a text may have several or none; None where
            each has one.
        target_texts: The text that is to be written for each text, kept exactly as it is; None
            where texts have labels or spans.

    Raises:
        DataError: The number of labels, of lines, of spans or of target texts is not that of the
            texts; a text or a label is missing or has another type; a target text is empty; or a
            span does not fit its text.
    """

    texts: Sequence[str]
    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    path: str = ""
    lines: np.ndarray | None = None
    files: tuple[str, ...] = ()
    parts: np.ndarray | None = None
    spans: Sequence[tuple[Span, ...]] | None = None
    label_sets: Sequence[tuple[int, ...]] | None = None
    target_texts: Sequence[str] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "texts", as_strings(self.texts))
        rows = len(self.texts)
        left_out = self.annotation != "labels" and np.size(self.labels) == 0
        labels = np.zeros(rows, np.int64) if left_out else self.labels
        object.__setattr__(self, "labels", as_label_ids(labels, rows))
        if self.lines is not None:
            object.__setattr__(self, "lines", np.asarray(self.lines, np.int32))
            if self.lines.shape != (len(self.texts),):
                raise DataError(
                    f"expected one line for each of {len(self.texts)} texts, "
                    f"got lines of shape {self.lines.shape}"
                )
        if self.spans is not None:
            object.__setattr__(self, "spans", as_spans(self.spans, self.texts, self.where))
        if self.label_sets is not None:
            sets = as_label_sets(self.label_sets, rows, self.where)
            object.__setattr__(self, "label_sets", sets)
        if self.target_texts is not None:
            targets = as_target_texts(self.target_texts, rows, self.where)
            object.__setattr__(self, "target_texts", targets)

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: np.ndarray) -> Split:
        """Returns a split of the given rows, in the given order; rows may be a boolean mask."""
        rows = np.arange(len(self))[rows]
        lines = None if self.lines is None else self.lines[rows]
        parts = None if self.parts is None else self.parts[rows]
        texts: Sequence[str] = (
            self.texts.take(rows)
            if isinstance(self.texts, StoredTexts)
            else [self.texts[row] for row in rows]
        )
        spans = None if self.spans is None else [self.spans[row] for row in rows]
        sets = None if self.label_sets is None else [self.label_sets[row] for row in rows]
        targets = None if self.target_texts is None else [self.target_texts[row] for row in rows]
        where = (self.path, lines, self.files, parts)
        return Split(texts, self.labels[rows], *where, spans, sets, targets)

    @property
    def annotation(self) -> Annotation:
        """What the texts have."""
        if self.spans is not None:
            return "spans"
        if self.target_texts is not None:
            return "target_texts"
        return "labels" if self.label_sets is None else "label_sets"

    def label_counts(self, classes: int) -> np.ndarray:
        """Returns the rows of each class, int64 of shape [classes]."""
        if self.label_sets is None:
            return np.bincount(self.labels, minlength=classes)
        every = [label for of_text in self.label_sets for label in of_text]
        return np.bincount(np.array(every, np.int64), minlength=classes)

    def span_counts(self, label_names: Sequence[str]) -> np.ndarray:
        """Returns the spans of each label, int64 of shape [labels]."""
        counts = Counter(span.label for spans in self.spans or () for span in spans)
        return np.array([counts[name] for name in label_names], np.int64)

    def where(self, row: int) -> str:
        """Returns the place of a row, counted from 0: its file and line if they are known."""
        return f"row {row}" if self.lines is None else f"{self.file(row)}, line {self.lines[row]}"

    def file(self, row: int) -> str:
        """Returns the file of a row, counted from 0; "" if it is not known."""
        return self.path if self.parts is None else self.files[self.parts[row]]

    def check_labels(self, label_names: Sequence[str], name: str = "", part: str = "") -> None:
        """Raises DataError for a label of no class; its message has name, row and part."""
        for row, spans in enumerate(self.spans or ()):
            for span in spans:
                if span.label not in label_names:
                    raise DataError(
                        f"{name}{self.where(row)}{part} has a span with label {span.label!r}, "
                        f"expected one of {', '.join(label_names)}"
                    )
        for row, ids in enumerate(self.label_sets or ()):
            if ids and not 0 <= ids[0] <= ids[-1] < len(label_names):
                raise DataError(
                    f"{name}{self.where(row)}{part} has the labels {', '.join(map(str, ids))}, "
                    f"expected 0 to {len(label_names) - 1} ({', '.join(label_names)})"
                )
        if self.annotation != "labels":
            return
        wrong = np.flatnonzero((self.labels < 0) | (self.labels >= len(label_names)))
        if wrong.size:
            raise DataError(
                f"{name}{self.where(wrong[0])}{part} has label {self.labels[wrong[0]]}, expected "
                f"0 to {len(label_names) - 1} ({', '.join(label_names)})"
            )

    def as_tf_dataset(self) -> tf.data.Dataset:
        """Returns a tf.data source of (text, label) pairs: scalar string, scalar int64."""
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices((list(self.texts), self.labels))


@dataclass(frozen=True, eq=False)
class TextDataset:
    """Texts and labels in three parts that share no row.

    Args:
        name: The dataset's name.
        label_names: The classes; a label id is an index into this tuple. Where splits have spans,
            the types of entities; empty where they have target texts.
        train: The rows to train on. `load_shards` leaves them in TFRecord files, and their
            texts are not read again to be checked.
        validation: The rows for choices: best checkpoint, early stopping, threshold.
        test: The rows to evaluate on once, at the end.
        source: Where the rows come from, and how to load them again.
        rejected: Rows of the source that could not be used and were skipped.
        leaks_left_out: How many rows `without_leaks` removed; None where it was not called.
        notes: What people should know about how the rows were read, a line each.
        pair: The names of the first and the second text, if each text is a pair; see
            `kerasnlp_lab.data.pairs`.

    Raises:
        DataError: A label is out of range, a text to train on is empty, a class has no row to
            train on, two classes have the same name, splits differ in their `annotation`, or a
            text is no pair where others are.
    """

    name: str
    label_names: tuple[str, ...]
    train: Split | ShardedSplit
    validation: Split
    test: Split
    source: Source = field(default_factory=PythonRows)
    rejected: tuple[RejectedRow, ...] = ()
    leaks_left_out: LeaksLeftOut | None = None
    notes: tuple[str, ...] = ()
    pair: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "label_names", as_class_names(self.label_names))
        for part in ("train", "validation", "test"):
            split = getattr(self, part)
            if isinstance(split, Split):
                split.check_labels(self.label_names, f"{self.name}: ", f" of the {part} split")
                if self.pair is not None:
                    self._check_pairs(split, part)
        if isinstance(self.train, Split):
            self._check_texts(self.train)
        annotations = {one.annotation for one in (self.train, self.validation, self.test)}
        if len(annotations) > 1:
            found = " and others ".join(sorted(annotations, reverse=True))
            raise DataError(f"{self.name}: some splits have {found}")
        if self.annotation == "target_texts":
            if self.label_names:
                raise DataError(f"{self.name}: target texts have no classes; leave out label_names")
            return
        if isinstance(self.train, Split) and self.annotation == "spans":
            counts = self.train.span_counts(self.label_names)
        else:
            counts = self.train.label_counts(len(self.label_names))
        missing = [name for name, count in zip(self.label_names, counts, strict=True) if not count]
        if missing:
            raise DataError(
                f"{self.name}: no row to train on for class {', '.join(map(repr, missing))}; "
                "add rows of that class, or take it out of the label names"
            )

    def _check_texts(self, split: Split) -> None:
        for row, text in enumerate(split.texts):
            if not text.strip():
                raise DataError(
                    f"{self.name}: {split.where(row)} of the training split has no text; "
                    "remove the row"
                )

    def _check_pairs(self, split: Split, part: str) -> None:
        assert self.pair is not None
        for row, text in enumerate(split.texts):
            if not is_pair(text):
                raise DataError(
                    f"{self.name}: {split.where(row)} of the {part} split is no pair of "
                    f"{self.pair[0]} and {self.pair[1]}: one of them is empty"
                )

    @property
    def annotation(self) -> Annotation:
        """What the texts have."""
        return self.train.annotation

    @cached_property
    def fingerprint(self) -> str:
        """A SHA-256 over class names, texts, their annotations and splits, as hex digits.

        Training rows in shards enter it by the hashes of their files, so the same rows have
        another fingerprint unsharded.
        """
        digest = hashlib.sha256("\0".join(self.label_names).encode())
        for split in (self.train, self.validation, self.test):
            digest.update(f"\0\0{len(split)}\0".encode())
            if isinstance(split, ShardedSplit):
                digest.update("\0".join(split.sha256).encode())
                continue
            digest.update(split.labels.tobytes())
            for text in split.texts:
                digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
            for spans in split.spans or ():
                content = "".join(f"{start},{end},{label}\0" for start, end, label in spans)
                digest.update(content.encode("utf-8", "surrogatepass") + b"\0")
            for ids in split.label_sets or ():
                digest.update(f"{ids}\0".encode())
            for target in split.target_texts or ():
                digest.update(target.encode("utf-8", "surrogatepass") + b"\0")
        return digest.hexdigest()
