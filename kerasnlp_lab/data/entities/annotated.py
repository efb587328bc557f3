"""`read_annotated_texts`: the texts and spans of annotation files, with their lines."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasnlp_lab.data.dataset import Split
from kerasnlp_lab.data.entities.fitting import EntityReader, Remark
from kerasnlp_lab.data.entities.reading import read_annotations
from kerasnlp_lab.data.labelled_rows import advice_on, first_reasons
from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.data.tables import RejectedRow, TableFormat, TableRow
from kerasnlp_lab.errors import DataError

__all__ = ["AnnotatedTexts", "OnRemark", "read_annotated_texts"]

OnRemark = Callable[[Remark], object]


@dataclass
class AnnotatedTexts:
    """The good texts of annotation files.

    Args:
        path: The files, as they were named.
        texts: The texts.
        spans: The spans of each.
        lines: The line of each, from 1.
        files: The files, where there are several.
        parts: For each text an index into `files`.
        rejected: The texts that were skipped.
        notes: How the files were read, a line each.
    """

    path: Path
    texts: Sequence[str]
    spans: list[tuple[Span, ...]]
    lines: array[int]
    files: tuple[str, ...]
    parts: array[int]
    rejected: tuple[RejectedRow, ...]
    notes: tuple[str, ...]

    def split(self) -> Split:
        """Returns the texts as a split."""
        parts = np.array(self.parts) if self.files else None
        lines, path = np.array(self.lines), str(self.path)
        return Split(
            self.texts, path=path, lines=lines, files=self.files, parts=parts, spans=self.spans
        )


def read_annotated_texts(
    path: Path,
    label_names: Sequence[str] | None,
    *,
    joiner: str,
    tag_names: tuple[str, ...],
    skip_bad_rows: bool,
    format: TableFormat,
    on_remark: OnRemark = lambda remark: None,
) -> AnnotatedTexts:
    """Reads annotation files.

    Args:
        path: The files, as `read_annotations` takes them.
        label_names: The types of entities, of which a text with another one is bad; None to take
            all.
        joiner: As in `load_entities`.
        tag_names: As in `load_entities`.
        skip_bad_rows: As in `load_entities`.
        format: As in `load_entities`.
        on_remark: As in `load_entities`.

    Raises:
        DataError: The files or a text cannot be used.
    """
    table = read_annotations(path, format, tag_names)
    rows = list(table.rows)
    reader = EntityReader.of(path, table, rows, joiner, label_names)
    spans: list[tuple[Span, ...]] = []
    lines, parts = array("i"), array("i")
    rejected: list[RejectedRow] = []
    remarks: list[Remark] = []

    def texts() -> Iterator[str]:
        for row in rows:
            found = row if isinstance(row, RejectedRow) else reader.read(row)
            if not isinstance(found, RejectedRow):
                assert isinstance(row, TableRow)
                lines.append(row.line)
                parts.append(row.part)
                spans.append(found.spans)
                remarks.extend(found.remarks)
                yield found.text
            elif skip_bad_rows:
                rejected.append(found)
            else:
                raise DataError(
                    f"{found.reason}; {advice_on(found.reason)}", found.path, found.line
                )

    stored = StoredTexts.write(texts())
    if not len(stored):
        raise DataError(f"no texts that can be used{first_reasons(rejected)}", path)
    for remark in remarks:
        on_remark(remark)
    return AnnotatedTexts(
        path,
        stored,
        spans,
        lines,
        table.files,
        parts,
        tuple(rejected),
        (*filter(None, [table.note]), *reader.notes(remarks)),
    )
