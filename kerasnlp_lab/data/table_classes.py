"""`TableClasses`: the classes of a table, from the labels of its training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kerasnlp_lab.data.dataset import Split
from kerasnlp_lab.data.labelled_rows import LabelledRows
from kerasnlp_lab.data.labels import SEVERAL_LABELS, class_names, in_order
from kerasnlp_lab.data.rare_classes import RareClasses, find_rare
from kerasnlp_lab.display import listed
from kerasnlp_lab.errors import check_option

__all__ = ["TableClasses"]


@dataclass(frozen=True)
class TableClasses:
    """The classes of a table.

    Args:
        names: The classes, in order.
        known: The same before rare ones were dropped or merged, in any order.
        of_label: The class of each label; None for a class that was dropped.
        rare: The classes with too few rows.
        notes: What people should know about them, a line each.
    """

    names: tuple[str, ...]
    known: frozenset[str]
    of_label: Mapping[str, str | None]
    rare: RareClasses
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls, train: LabelledRows, action: str | None, minimum: int | None, shares: Sequence[float]
    ) -> TableClasses:
        """Finds the classes of a table; arguments and errors are those of `find_rare`."""
        columns = train.columns
        if columns.annotation == "target_texts":
            check_option("rare_classes", action, action is None, "left out: there are no classes")
            return cls((), frozenset(), {}, RareClasses(), ())
        classes, notes = {name: name for name in train.names}, list[str]()
        if not columns.names:
            classes, notes = class_names(train.names, train.numbers)
        if columns.annotation == "label_sets":
            notes = [note for note in notes if SEVERAL_LABELS not in note]
        rare = RareClasses()
        if columns.of_labels:
            counts = train.counts(classes)
            rare = find_rare(action, minimum, counts, shares, columns.annotation)
        of_label = {label: rare.becomes.get(name, name) for label, name in classes.items()}
        left = {name for name in of_label.values() if name is not None}
        names = tuple(one for one in columns.names if one in left)
        names += in_order(left - {*names})
        if note := rare.note(columns.annotation):
            notes.append(note)
        if columns.annotation == "label_sets" and columns.of_labels:
            notes += _about_label_sets(train)
        return cls(names, frozenset(classes.values()), of_label, rare, tuple(notes))

    def only_train(self, train: Split) -> np.ndarray | None:
        """Returns which rows have a class that is to be in the training rows alone, bool [rows]."""
        if self.rare.action != "keep" or not self.rare.names:
            return None
        kept = {self.names.index(name) for name in self.rare.names}
        if train.label_sets is None:
            return np.isin(train.labels, [*kept])
        return np.array([not kept.isdisjoint(ids) for ids in train.label_sets])


def _about_label_sets(rows: LabelledRows) -> list[str]:
    """Returns what people should know about texts with any number of labels."""
    notes, columns = [], rows.columns
    none = rows.seen.index(()) if () in rows.seen else -1
    if count := sum(number == none for number in rows.labels):
        notes.append(f"{count:,} of {len(rows.labels):,} texts have no label")
    if unused := {*(columns.names or columns.flags)} - {*rows.names}:
        verb = "labels" if len(unused) > 1 else "label"
        notes.append(f"no training row has the {verb} {listed(sorted(unused))}: left out")
    if columns.label and rows.names and {*rows.names} <= {"0", "1", "True", "False"}:
        notes.append(
            f"the labels in column {columns.label} are {listed(rows.names)}; if it is a column of "
            "one label, name those of all labels (--label-column, repeated)"
        )
    if all(len(labels) < 2 for labels in rows.seen):
        ways = {mark: f"say --label-separator '{mark}'" for mark in ";|"}
        if columns.separator not in (None, ","):
            ways = {",": "leave --label-separator out"} | ways
        found = [mark for mark in ways if any(mark in name for name in rows.names)]
        advice = [f"; if a {mark} separates them, {ways[mark]}" for mark in found if columns.label]
        notes.append(f"no text has two labels{''.join(advice[:1])}")
    return notes
