"""`inspect_table`: looks for problems in a table before a model is trained on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from kerasnlp_lab.data.dataset import Split, TextDataset
from kerasnlp_lab.data.inspection.duplicates import find_same_texts
from kerasnlp_lab.data.inspection.finding import KINDS, Finding, beginning
from kerasnlp_lab.data.inspection.lengths import Lengths, word_counts, word_unit
from kerasnlp_lab.data.inspection.merged_rows import find_merged_rows
from kerasnlp_lab.data.inspection.near_duplicates import find_near_duplicates
from kerasnlp_lab.data.inspection.rows import SPLITS, Rows, table_of
from kerasnlp_lab.data.inspection.similar_names import find_similar_names
from kerasnlp_lab.data.inspection.text_findings import find_damage, find_scripts
from kerasnlp_lab.data.inspection.wrong_labels import find_wrong_labels
from kerasnlp_lab.data.normal_form import group_texts
from kerasnlp_lab.data.pairs import split_pair
from kerasnlp_lab.data.table import load_table
from kerasnlp_lab.errors import DataError, check_option

__all__ = ["Inspection", "inspect_table"]

MAX_LENGTHS = (25, 64, 128, 256)
NEAR = 0.8
MOST_JUDGED = 100_000
MOST_WRONG_LABELS = 50

CountTokens = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True, eq=False)
class Inspection:
    """The findings in a table.

    Args:
        data: The table, split as for training.
        balance: The rows of each class in each split, by class and split; or the entities of
            each type.
        lengths: The lengths of the training texts: in words, of pairs for each of both texts, and
            perhaps in word pieces; empty if there is no text.
        scripts: The share of letters in each script, largest first.
        findings: The possible problems, by kind and in the order of the table. Only the 50
            likeliest wrong labels are listed, the likeliest first.
        counts: The number of findings of each kind, including those that are not listed.
        notes: What was found about the form of the table, why training would refuse it, and
            checks that were left out.
    """

    data: TextDataset
    balance: dict[str, dict[str, int]]
    lengths: tuple[Lengths, ...]
    scripts: dict[str, float]
    findings: tuple[Finding, ...]
    counts: dict[str, int]
    notes: tuple[str, ...]

    @property
    def rows(self) -> dict[str, int]:
        """The number of rows in each split, and of rows that cannot be used."""
        return {name: len(getattr(self.data, name)) for name in SPLITS} | {
            "bad": len(self.data.rejected)
        }

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as JSON can hold it."""
        table = table_of(self.data)
        return {
            "table": table.place,
            "files": dict(table.files),
            "text_columns": list(table.text_columns),
            "second_text_column": table.second_text_column,
            "label_column": table.label_column,
            "label_columns": list(table.label_columns),
            "target_column": table.target_column,
            "validation_fraction": table.validation_fraction,
            "test_fraction": table.test_fraction,
            "split_seed": table.split_seed,
            "rows": self.rows,
            "balance": self.balance,
            "lengths": [asdict(lengths) for lengths in self.lengths],
            "scripts": self.scripts,
            "counts": self.counts,
            "notes": list(self.notes),
            "findings": [asdict(finding) for finding in self.findings],
        }


def inspect_table(
    path: str | Path,
    *,
    max_lengths: Sequence[int] = MAX_LENGTHS,
    count_tokens: CountTokens | None = None,
    token_unit: str = "word pieces",
    near: float = NEAR,
    on_step: Callable[[str], None] = lambda step: None,
    **settings: Any,
) -> Inspection:
    """Looks for problems in a table of texts and labels; the table is not changed.

    `load_table` reads and splits the rows, so findings about a split hold for a training with
    the same seed. Bad rows are findings too. Labels of test rows are not judged. A table that
    `load_table` refuses for its labels or the number of its rows is described all the same.

    Args:
        path: All rows, or the rows to train on.
        max_lengths: Maximum lengths, to report the share of texts that each cuts.
        count_tokens: From texts to the number of tokens of each, int64 of shape [texts]; None
            counts words only.
        token_unit: The unit that it counts.
        near: The Jaccard similarity from which two texts are near duplicates.
        on_step: Called with the name of each step as it begins.
        settings: Other arguments of `load_table`: other splits, columns, rare classes. The seed is
            also that of the folds that judge labels.

    Returns:
        What was found.

    Raises:
        DataError: A file cannot be read, or no column is surely that of the texts.
        OptionError: A fraction, the seed, a length or the similarity is out of range.

    Example:
        >>> import tempfile
        >>> table = Path(tempfile.mkdtemp(), "messages.csv")
        >>> rows = [f"{i % 2},message {i % 30}" for i in range(60)]
        >>> _ = table.write_text(chr(10).join(["label,text", *rows]))
        >>> found = inspect_table(table)
        >>> found.counts["exact_duplicate"], found.findings[0].line
        (30, 32)
    """
    check_settings(near, max_lengths)
    problems: list[DataError] = []
    on_step("reading")
    data = load_table(path, skip_bad_rows=True, on_problem=problems.append, **settings)
    rows = Rows.of(data)
    on_step("counting words")
    lengths = lengths_of(data, sorted(set(max_lengths)), count_tokens, token_unit)
    on_step("looking for duplicates")
    groups = group_texts(rows.texts())
    found = [*bad_rows(data), *find_merged_rows(rows), *_similar_names(rows)]
    found += find_same_texts(rows, groups)
    found += find_near_duplicates(rows, groups, near)
    on_step("judging labels")
    wrong, wrong_count, notes = _wrong_labels(rows, groups)
    refused = (f"training would stop: {problem.message}" for problem in problems[:1])
    notes = [*refused, *data.notes, *notes]
    on_step("looking for encoding damage")
    scripts, outsiders = find_scripts(rows)
    found += [*wrong, *find_damage(rows), *outsiders]
    sort_findings(found, files_of(data))
    counts = {kind: sum(finding.kind == kind for finding in found) for kind in KINDS}
    counts["likely_wrong_label"] = wrong_count
    return Inspection(data, _balance(data), lengths, scripts, tuple(found), counts, tuple(notes))


def check_settings(near: float, max_lengths: Sequence[int]) -> None:
    """Raises OptionError unless the arguments of `inspect_table` can be used."""
    check_option("near", near, 0 < near <= 1, "a similarity above 0 and up to 1")
    for most in max_lengths:
        check_option("a maximum length", most, most > 0, "above 0")


def sort_findings(found: list[Finding], files: list[str]) -> None:
    """Puts findings in the order of kinds, files and lines; wrong labels stay, likeliest first."""
    kinds = {kind: place for place, kind in enumerate(KINDS)}
    places = {path: place for place, path in reversed(list(enumerate(files)))}

    def key(finding: Finding) -> tuple[int, int, int]:
        if finding.kind == "likely_wrong_label":
            return kinds[finding.kind], 0, 0
        return kinds[finding.kind], places[finding.path], finding.line

    found.sort(key=key)


def files_of(data: TextDataset) -> list[str]:
    """Returns the files of all rows, in order."""
    splits: list[Split] = [getattr(data, part) for part in SPLITS]
    files = [file for split in splits for file in split.files or (split.path,)]
    return [*files, *(bad.path for bad in data.rejected)]


def _balance(data: TextDataset) -> dict[str, dict[str, int]]:
    if not table_of(data).columns.of_labels:
        return {}
    size = len(data.label_names)
    counts = {name: getattr(data, name).label_counts(size) for name in SPLITS}
    return {
        label: {name: int(counts[name][place]) for name in SPLITS}
        for place, label in enumerate(data.label_names)
    }


def lengths_of(
    data: TextDataset, max_lengths: list[int], count_tokens: CountTokens | None, unit: str
) -> tuple[Lengths, ...]:
    """Returns the lengths of the texts to train on, in words and perhaps in tokens."""
    texts = cast(Split, data.train).texts  # of a table, and so in no shards
    if not len(texts):
        return ()
    name = word_unit(texts)
    if data.pair is None:
        words = [Lengths.of(name, word_counts(texts), max_lengths)]
    else:
        words = [
            Lengths.of(
                f"{name} of {column}",
                word_counts(split_pair(text)[place] for text in texts),
                max_lengths,
            )
            for place, column in enumerate(data.pair)
        ]
    if targets := cast(Split, data.train).target_texts:
        name = f"characters of {table_of(data).target_column}"
        words.append(Lengths.of(name, np.array(list(map(len, targets))), max_lengths))
    if count_tokens is None:
        return tuple(words)
    return *words, Lengths.of(unit, np.asarray(count_tokens(texts)), max_lengths)


def _similar_names(rows: Rows) -> list[Finding]:
    """Returns the classes whose names are nearly those of others."""
    if rows.data.annotation == "target_texts":
        return []
    if rows.data.annotation != "label_sets":
        return list(find_similar_names(rows))
    each = [(label, row) for row in range(len(rows)) for label in rows.label_set(row)]
    labels, of_row = np.array(each, np.int64).reshape(-1, 2).T
    return list(find_similar_names(rows, labels, of_row))


def bad_rows(data: TextDataset) -> list[Finding]:
    """Returns the rows that cannot be used."""
    return [
        Finding("bad_row", bad.path, bad.line, "", beginning(bad.content), bad.reason)
        for bad in data.rejected
    ]


def _wrong_labels(rows: Rows, groups: np.ndarray) -> tuple[list[Finding], int, list[str]]:
    """Returns the likeliest wrong labels, how many there are in all, and what to know of it."""
    judged, seed = (
        np.flatnonzero(rows.splits < SPLITS.index("test")),
        table_of(rows.data).split_seed,
    )
    notes: list[str] = []
    if rows.data.annotation == "label_sets" or rows.data.pair:
        # the words of two texts do not tell how one follows from the other
        texts = "in pairs of texts" if rows.data.pair else "where texts have several labels"
        return [], 0, [f"wrong labels are not looked for {texts}"]
    if not table_of(rows.data).label_column:
        return [], 0, notes
    if len(judged) > MOST_JUDGED:
        notes.append(f"wrong labels were looked for in {MOST_JUDGED:,} of {len(judged):,} rows")
        sample = np.random.default_rng(seed).choice(len(judged), MOST_JUDGED, replace=False)
        judged = judged[np.sort(sample)]
    names = rows.data.label_names
    labels = rows.labels[judged]
    wrong = find_wrong_labels(list(rows.texts_of(judged)), labels, groups[judged], names, seed)
    if wrong.note:
        notes.append(wrong.note)
    found = [
        rows.finding("likely_wrong_label", judged[row], f"rather {names[label]!r} by {margin:.2f}")
        for row, label, margin in zip(wrong.rows, wrong.labels, wrong.margins, strict=True)
    ]
    if len(found) > MOST_WRONG_LABELS:
        notes.append(f"of {len(found):,} likely wrong labels, {MOST_WRONG_LABELS} are listed")
    return found[:MOST_WRONG_LABELS], len(wrong.rows), notes
