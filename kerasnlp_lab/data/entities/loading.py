"""`load_entities`: texts with entities from annotation files, as a dataset."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from kerasnlp_lab.data.columns import OnProblem
from kerasnlp_lab.data.dataset import Split, TextDataset
from kerasnlp_lab.data.entities.fitting import EntityReader, Remark
from kerasnlp_lab.data.entities.reading import ENDINGS, read_annotations
from kerasnlp_lab.data.entities.tokens import JOINERS
from kerasnlp_lab.data.file_source import EntityFiles
from kerasnlp_lab.data.labelled_rows import advice_on, first_reasons, refuse
from kerasnlp_lab.data.labels import in_order
from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.data.splits import divide_texts
from kerasnlp_lab.data.table import files_of_splits
from kerasnlp_lab.data.tables import RejectedRow, TableFormat, TableRow
from kerasnlp_lab.errors import DataError, check_option
from kerasnlp_lab.paths import user_path

__all__ = ["load_entities", "load_entity_rows"]

_DEFAULT = TableFormat()
_RENAME = (
    "say what the model calls them (--rename-type FILE'S=MODEL'S), leave a type out "
    "(--rename-type FILE'S=), or skip their texts (--bad-rows skip)"
)


def load_entities(
    path: str | Path,
    *,
    validation: str | Path | None = None,
    test: str | Path | None = None,
    validation_fraction: float = 0.15,
    test_fraction: float = 0.15,
    seed: int = 0,
    joiner: str = "auto",
    tag_names: Sequence[str] = (),
    skip_bad_rows: bool = False,
    format: TableFormat = _DEFAULT,
    on_problem: OnProblem = refuse,
    on_remark: Callable[[Remark], object] = lambda remark: None,
) -> TextDataset:
    """Reads texts and their entities from annotation files: all rows, or a file for each split.

    A text is bad if its columns, tags or spans cannot be read, if spans overlap or lie outside of
    it, or if it has a type of entity that no training row has. A bad text raises an error, or is
    skipped and listed in the dataset's ``rejected``.

    Args:
        path: All rows, or the rows to train on: CoNLL, JSON lines or JSON with spans or with
            tokens and tags, or Parquet with these; see `read_annotations`. A folder with "train"
            and "test" in it, or "validation", has the other files too.
        validation: The rows to validate on; None takes a share of the others.
        test: The rows to test on; None takes a share of the others.
        validation_fraction: The share of all rows to validate on.
        test_fraction: The share of all rows to test on.
        seed: Which rows those are; see `divide_texts`.
        joiner: What stands between tokens in a text: "space", "none", or "auto" for a space except
            in scripts without spaces.
        tag_names: The names of tags that are numbers, from 0: "O", "B-PER" and so on.
        skip_bad_rows: Whether to skip bad texts.
        format: The encoding of the files; None in it to find it.
        on_problem: Called with each DataError about rows that can be read but not trained on: no
            entity, or too few rows to split. By default it raises; if it returns, rows that
            cannot be split are in ``train``.
        on_remark: Called with each `Remark` on what was changed to read a text.

    Returns:
        The dataset; its ``label_names`` are the types of entities in alphabetical order.

    Raises:
        DataError: A file or a text cannot be used; the message names file and line.
        OptionError: The joiner, a fraction or the seed cannot be used.
    """
    check_option("joiner", joiner, joiner in JOINERS, f"one of {', '.join(JOINERS)}")
    given, notes = files_of_splits(path, validation, test, ENDINGS)
    path = given["train"]
    splits: dict[str, Split] = {}
    rejected: list[RejectedRow] = []
    names: tuple[str, ...] | None = None
    for part, file in given.items():
        how = (names, joiner, tag_names, skip_bad_rows, format)
        split, bad, found = _read(file, *how, on_remark=on_remark)
        splits[part] = split
        rejected += bad
        new = [note for note in found if note not in notes]
        notes += new if part == "train" else [f"{file}: {note}" for note in new]
        names = in_order(_labels(split)) if names is None else names
    if not names:
        on_problem(DataError("no entity in any of the texts to train on", path))
    try:
        parts = divide_texts(path, splits, validation_fraction, test_fraction, seed)
    except DataError as error:
        on_problem(error)
        none = splits["train"].take(np.zeros(0, int))
        parts = splits["train"], splits.get("validation", none), splits.get("test", none)
    source = EntityFiles.of(
        given,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        split_seed=seed,
        skip_bad_rows=skip_bad_rows,
        format=format,
        joiner=joiner,
        tag_names=tuple(tag_names),
    )
    name = path.name or path.absolute().name  # of "."
    return TextDataset(name, names or (), *parts, source, tuple(rejected), notes=tuple(notes))


def load_entity_rows(
    path: str | Path,
    label_names: Sequence[str],
    *,
    joiner: str = "auto",
    tag_names: Sequence[str] = (),
    skip_bad_rows: bool = False,
    format: TableFormat = _DEFAULT,
    renamed: Mapping[str, str] | None = None,
    on_note: Callable[[str], object] = lambda note: None,
) -> tuple[Split, tuple[RejectedRow, ...]]:
    """Reads every text of annotation files, to evaluate a tagger.

    Args:
        path: The files, as in `load_entities`.
        label_names: The tagger's types of entities; a text with another type is bad.
        joiner: As in `load_entities`.
        tag_names: As in `load_entities`.
        skip_bad_rows: As in `load_entities`.
        format: As in `load_entities`.
        renamed: The tagger's type for types that the files call otherwise; "" leaves a type out.
        on_note: Called with each line on how the files were read.

    Returns:
        The rows, and the rows that were skipped.

    Raises:
        DataError: A file or a text cannot be used.
        OptionError: The joiner cannot be used.
    """
    check_option("joiner", joiner, joiner in JOINERS, f"one of {', '.join(JOINERS)}")
    split, rejected, notes = _read(
        user_path(path), tuple(label_names), joiner, tag_names, skip_bad_rows, format, renamed or {}
    )
    for note in notes:
        on_note(note)
    return split, tuple(rejected)


def _read(
    path: Path,
    label_names: tuple[str, ...] | None,
    joiner: str,
    tag_names: Sequence[str],
    skip_bad_rows: bool,
    format: TableFormat,
    renamed: Mapping[str, str] | None = None,
    on_remark: Callable[[Remark], object] = lambda remark: None,
) -> tuple[Split, list[RejectedRow], list[str]]:
    """Returns the good texts of some files, the bad ones, and how the files were read.

    A text with a label that is not among `label_names` is bad; None takes all, to train on.
    Labels can be `renamed` only to evaluate; None says that it is not so.
    """
    table = read_annotations(path, format, tuple(tag_names))
    rows = list(table.rows)

    def place(row: TableRow) -> str:
        return table.files[row.part] if table.files else str(path)

    reader = EntityReader(rows, place, joiner, label_names, renamed or {})
    if label_names is not None and not skip_bad_rows:
        reader.check_types(advice_on("") if renamed is None else _RENAME)
    spans: list[tuple[Span, ...]] = []
    lines, parts, rejected = array("i"), array("i"), list[RejectedRow]()

    def texts() -> Iterator[str]:
        for row in rows:
            found = row if isinstance(row, RejectedRow) else reader.read(row)
            if not isinstance(found, RejectedRow):
                assert isinstance(row, TableRow)
                lines.append(row.line)
                parts.append(row.part)
                spans.append(found[1])
                yield found[0]
            elif skip_bad_rows:
                rejected.append(found)
            else:
                reason = f"{found.reason}; {advice_on(found.reason)}"
                raise DataError(reason, found.path, found.line)

    stored = StoredTexts.write(texts())
    if not len(stored):
        raise DataError(f"no texts that can be used{first_reasons(rejected)}", path)
    for remark in reader.remarks:
        on_remark(remark)
    split = Split(
        stored,
        path=str(path),
        lines=np.array(lines),
        files=table.files,
        parts=np.array(parts) if table.files else None,
        spans=spans,
    )
    return split, rejected, [*filter(None, [table.note]), *reader.notes()]


def _labels(split: Split) -> set[str]:
    return {span.label for spans in split.spans or () for span in spans}
