"""`read_documents`: the documents of one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kerasnlp_lab.data.columns import joined_text, wrong_cell
from kerasnlp_lab.data.corpus.files import CorpusFile
from kerasnlp_lab.data.corpus.source import CorpusSource
from kerasnlp_lab.data.tables import RejectedRow, read_table
from kerasnlp_lab.data.tables.copies import errors_about
from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.data.tables.records import invalid

__all__ = ["Document", "read_documents"]

Document = list[str] | str
"""The sentences of a document, or its whole text where nothing shows them."""


def read_documents(file: CorpusFile, source: CorpusSource) -> Iterator[Document | RejectedRow]:
    """Yields the documents of a file, and the lines or rows that cannot be read.

    A row of a table without text is an empty document. Raises DataError if the file cannot be read
    to its end.
    """
    if file.shards is not None:
        yield from (text.strip() for text in file.shards.texts)
        return
    with errors_about(file.name):
        if file.kind == "table":
            yield from _rows(file, source)
        elif file.kind == "documents":
            yield from (line for line in _lines(file) if line)
        else:
            yield from _groups(file)


def _rows(file: CorpusFile, source: CorpusSource) -> Iterator[str | RejectedRow]:
    for row in read_table(file.path, source.format).rows:
        if isinstance(row, RejectedRow):
            yield replace(row, path=file.name)
            continue
        text = joined_text(row, file.columns)
        wrong = next(filter(None, (wrong_cell(row, name, "text") for name in file.columns)), "")
        yield RejectedRow(file.name, row.line, wrong, text[:200]) if wrong else text


def _lines(file: CorpusFile) -> Iterator[str | RejectedRow]:
    for line, raw in numbered_lines(file.path, file.encoding):
        try:
            yield raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            reason = invalid(raw, file.encoding)
            yield RejectedRow(file.name, line, reason, raw[:200].decode("utf-8", "replace"))


def _groups(file: CorpusFile) -> Iterator[list[str] | RejectedRow]:
    """Yields the lines between blank lines."""
    group: list[str] = []
    for line in _lines(file):
        if isinstance(line, RejectedRow):
            yield line
        elif line:
            group.append(line)
        elif group:
            yield group
            group = []
    if group:
        yield group
