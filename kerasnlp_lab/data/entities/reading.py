"""`read_annotations`: opens annotation files of any kind that is supported."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kerasnlp_lab.data.entities.conll import read_conll
from kerasnlp_lab.data.entities.records import RecordReader, is_record
from kerasnlp_lab.data.tables import RejectedRow, Table, TableFormat, TableRow
from kerasnlp_lab.data.tables.copies import read_pipe, read_zip
from kerasnlp_lab.data.tables.encoding import marked_encoding
from kerasnlp_lab.data.tables.json_document import values_of_document
from kerasnlp_lab.data.tables.json_lines import values_of_lines
from kerasnlp_lab.data.tables.kinds import JSON_START, binary_kind, kind_of_name
from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.data.tables.parquet import read_parquet
from kerasnlp_lab.data.tables.parts import files_of_pattern, is_pattern, read_folder, read_parts
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.paths import did_you_mean_path, is_pipe

__all__ = ["ENDINGS", "read_annotations"]

_NO_NUMBERS = "--tag-names is not used, because no tag is a number"
ENDINGS = (".txt",)  # which files of a folder may have, beside those of tables


def read_annotations(path: Path, format: TableFormat, tag_names: Sequence[str] = ()) -> Table:
    """Opens annotation files, whose rows are `TokenRow`, `SpanRow` or `RejectedRow`.

    The content tells the format, whatever the file is called.

    Args:
        path: A file of CoNLL, JSON lines, JSON or Parquet, perhaps compressed; a zip archive with
            one; a folder or a pattern of several; "-" or another pipe.
        format: Its encoding, if that is known.
        tag_names: The names of tags that are numbers.

    Raises:
        DataError: It is missing, empty or of another kind.
        StorageError: A pipe or a part of an archive cannot be copied to a temporary file.
    """

    def read(part: Path) -> Table:
        return read_annotations(part, format, tag_names)

    if is_pipe(path):
        return read_pipe(path, read)
    if is_pattern(path):
        return Table(*read_parts(files_of_pattern(path), read))
    if path.is_dir():
        return Table(*read_folder(path, read, format.encoding, ENDINGS))
    if not path.is_file():
        raise DataError(f"no such file{did_you_mean_path(path)}", path)
    kind = binary_kind(path)
    if kind == "zip":
        return read_zip(path, read)
    if kind == "excel":
        raise DataError("expected annotated texts, got a spreadsheet; save them as JSON", path)
    if path.suffix == ".spacy":
        raise DataError("expected text, got spaCy's DocBin; write its docs as JSON lines", path)
    if kind == "parquet":
        return _of_records(path, _values_of_parquet(path), tag_names, own_names=_tag_names(path))
    encoding = format.encoding or marked_encoding(path) or "utf-8"
    first = next((raw for _, raw in numbered_lines(path, encoding) if raw.strip()), b"")
    if not JSON_START.match(first) and kind_of_name(path.name) not in ("json", "json_lines"):
        table = read_conll(path, format.encoding)
        return replace(table, note=_joined(table.note, _NO_NUMBERS if tag_names else ""))
    if _is_record(first) or (kind_of_name(path.name) == "json_lines" and first.startswith(b"{")):
        return _of_records(path, values_of_lines(path, encoding), tag_names)
    values, note = values_of_document(path, encoding, is_record)
    return _of_records(path, iter(values), tag_names, note)


def _of_records(
    path: Path,
    values: Iterator[tuple[int, Any] | RejectedRow],
    tag_names: Sequence[str],
    note: str = "",
    own_names: Sequence[str] = (),
) -> Table:
    reader = RecordReader(path, tag_names or own_names)
    found = (one if isinstance(one, RejectedRow) else reader.row(*one) for one in values)
    rows = [row for row in found if row is not None]
    unused = _NO_NUMBERS if tag_names and not reader.has_numbers else ""
    return Table(["annotations"], iter(rows), _joined(note, *reader.notes(), unused))


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _is_record(line: bytes) -> bool:
    try:
        return is_record(json.loads(line))
    except (ValueError, RecursionError):
        return False


def _values_of_parquet(path: Path) -> Iterator[tuple[int, Any] | RejectedRow]:
    for row in read_parquet(path)[1]:
        if isinstance(row, TableRow):
            yield row.line, {n: getattr(cell, "value", cell) for n, cell in row.cells.items()}
        else:
            yield row


def _tag_names(path: Path) -> Sequence[str]:
    """Returns the names of tags that Hugging Face's datasets writes into a Parquet file."""
    import pyarrow.parquet

    described = (pyarrow.parquet.read_schema(path).metadata or {}).get(b"huggingface", b"{}")
    features = json.loads(described).get("info", {}).get("features", {})
    for name in ("ner_tags", "tags", "labels"):
        feature = features.get(name, {})
        if names := feature.get("feature", feature).get("names"):
            return tuple(names)
    return ()
