"""`find_files`: the files of a corpus, in order, each with the way to read it."""

from __future__ import annotations

import codecs
import glob
import json
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kerasnlp_lab.data.columns import Columns, choose_text_columns
from kerasnlp_lab.data.corpus.source import CorpusSource
from kerasnlp_lab.data.sharded_split import ShardedSplit
from kerasnlp_lab.data.shards import is_shards, load_shards
from kerasnlp_lab.data.tables import read_table
from kerasnlp_lab.data.tables.copies import errors_about, name_of_pipe, open_pipe
from kerasnlp_lab.data.tables.encoding import (
    check_encoding,
    find_encoding,
    is_binary,
    marked_encoding,
)
from kerasnlp_lab.data.tables.kinds import JSON_START, binary_kind, kind_of_name
from kerasnlp_lab.data.tables.lines import head_of, numbered_lines
from kerasnlp_lab.data.tables.parts import is_pattern
from kerasnlp_lab.data.unlabelled import looks_like_a_table
from kerasnlp_lab.errors import DataError, StorageError, first_line
from kerasnlp_lab.paths import did_you_mean_path, explain_os_error, is_pipe

__all__ = ["CorpusFile", "find_files"]

_NOT_READ = (".", "~$", "__MACOSX")  # how the names of hidden and temporary files begin
_MARKUP = {b"%pdf": "a PDF", b"{\\rtf": "RTF", b"<?xml": "XML"}
_MARKUP |= dict.fromkeys((b"<html", b"<!doctype"), "HTML")


@dataclass(frozen=True)
class CorpusFile:
    """A file of a corpus, or a folder of shards.

    Args:
        path: Where it is; a temporary file for a pipe or a part of an archive.
        name: How messages call it.
        kind: How to read it.
        encoding: The encoding of plain text.
        note: What was decided about it.
        columns: A table's columns of texts.
        shards: The training rows of shards.
    """

    path: Path
    name: str
    kind: Literal["sentences", "documents", "table", "shards"]
    encoding: str = "utf-8"
    note: str = ""
    columns: tuple[str, ...] = ()
    shards: ShardedSplit | None = None


class _NotText(DataError):
    """A file cannot hold texts: an error if the user named it, a note if it lies in a folder."""


def find_files(source: CorpusSource, spool: Path) -> tuple[list[CorpusFile], list[str]]:
    """Returns the files of a corpus, and the reasons why others are not read.

    The files of a folder or a pattern come in the order of their names, with those of its folders.

    Args:
        source: The paths, and how to read them.
        spool: An empty folder for the content of pipes and archives.

    Raises:
        DataError: A path does not exist, or names a file that cannot hold texts.
        StorageError: The content of a pipe or an archive cannot be written.
    """
    finder = _Finder(source, spool)
    files = [file for path in source.paths for file in finder.given(path)]
    return files, finder.not_read


class _Finder:
    def __init__(self, source: CorpusSource, spool: Path) -> None:
        self._source = source
        self._spool = spool
        self._seen: set[Path] = set()  # links may lead around in circles
        self.not_read: list[str] = []

    def given(self, given: str) -> Iterator[CorpusFile]:
        path = self._source.place(given)
        if is_pipe(path):
            yield from self._within(self._copied(path), name_of_pipe(path), named=True)
        elif is_pattern(path):
            matches = sorted(map(Path, glob.glob(str(path), recursive=True)))
            if not matches:
                raise DataError("no file matches this pattern", path)
            for match in matches:
                yield from self._within(match, str(match), named=False)
        elif not path.exists():
            raise DataError(f"no such file{did_you_mean_path(path)}", path)
        else:
            yield from self._within(path, str(path), named=True)

    def _within(self, path: Path, name: str, *, named: bool) -> Iterator[CorpusFile]:
        """Yields a file, shards, or the files in a folder or an archive."""
        try:
            if path.resolve() in self._seen:
                self.not_read += [f"{name}: named twice"] if named else []
                return
            self._seen.add(path.resolve())
            if path.is_dir() and is_shards(path):
                yield _of_shards(path, name)
            elif path.is_dir():
                for entry in sorted(path.iterdir()):
                    if not entry.name.startswith(_NOT_READ):
                        yield from self._within(entry, str(Path(name, entry.name)), named=False)
            elif path.suffix.lower() == ".zip":
                yield from self._within(self._unpacked(path, name), name, named=named)
            else:
                with errors_about(name):
                    file = _examined(path, name, self._source, named)
                yield file
        except _NotText as error:
            if named:
                raise
            self.not_read.append(str(error))
        except StorageError:
            raise
        except OSError as error:
            raise DataError(f"cannot be read ({first_line(error)})", name) from error

    def _copied(self, pipe: Path) -> Path:
        copy = self._spool / str(len(self._seen))
        try:
            with open_pipe(pipe) as stream, copy.open("wb") as file:
                shutil.copyfileobj(stream, file)
        except OSError as error:
            raise explain_os_error(error, self._spool) from error
        return copy

    def _unpacked(self, path: Path, name: str) -> Path:
        folder = self._spool / str(len(self._seen))
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
        except OSError as error:
            raise explain_os_error(error, self._spool) from error
        except (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error) as error:
            reason = f"cannot be unpacked ({first_line(error)}); unpack it and name the folder"
            raise DataError(reason, name) from error
        return folder


def _of_shards(path: Path, name: str) -> CorpusFile:
    train = load_shards(path).train
    assert isinstance(train, ShardedSplit)
    note = "each training row is a document; validation and test rows are left out"
    return CorpusFile(path, name, "shards", note=note, shards=train)


def _examined(path: Path, name: str, source: CorpusSource, named: bool) -> CorpusFile:
    """Returns a file with the way to read it; raises _NotText, or DataError if it is damaged."""
    if not path.is_file():
        raise _NotText("neither a file nor a folder", name)
    kind = kind_of_name(path.name) or ("parquet" if binary_kind(path) == "parquet" else "")
    if kind == "conll":
        raise _NotText("holds tokens with tags, expected texts", name)
    if kind:
        return _table(path, name, source)
    head, marked = head_of(path), marked_encoding(path)
    if not head.strip():
        raise _NotText("is empty, expected texts", name)
    start = head.removeprefix(codecs.BOM_UTF8)[:100].strip().lower()
    what = next((one for mark, one in _MARKUP.items() if start.startswith(mark)), "")
    what = what or ("binary" if is_binary(head) and not marked else "")
    if what:
        raise _NotText(f"is {what}, expected plain text or a table; save it as UTF-8 text", name)
    if (named and source.text_columns) or _starts_as_table(path, marked or "utf-8"):
        return _table(path, name, source)
    if source.format.encoding:
        check_encoding(path, source.format.encoding)
    return _plain_text(
        path, name, source, source.format.encoding or find_encoding(path, slips=False)
    )


def _table(path: Path, name: str, source: CorpusSource) -> CorpusFile:
    table = read_table(path, source.format)
    wanted = Columns(texts=tuple(source.text_columns))
    columns = choose_text_columns(path, table.columns, wanted).texts
    notes = [table.note, f"each row is a document, with its text in column {' and '.join(columns)}"]
    return CorpusFile(path, name, "table", note="; ".join(filter(None, notes)), columns=columns)


def _plain_text(path: Path, name: str, source: CorpusSource, encoding: str) -> CorpusFile:
    notes = []
    if encoding not in ("utf-8", source.format.encoding):
        notes.append(f"encoding {encoding} (--encoding overrides it)")
    if looks_like_a_table(path, encoding):
        notes.append("its first line names columns: say --text-column NAME, if it is a table")
    lines = _lines_of(path, encoding) if source.lines == "auto" else source.lines
    meaning = "sentence, and blank lines end documents" if lines == "sentences" else "document"
    other = "documents" if lines == "sentences" else "sentences"
    override = f" (--lines {other} overrides it)" if source.lines == "auto" else ""
    notes.append(f"each line is a {meaning}{override}")
    return CorpusFile(path, name, lines, encoding, "; ".join(notes))


def _starts_as_table(path: Path, encoding: str) -> bool:
    """Returns whether the first line is a JSON object, or one of fastText's."""
    first = next((raw for _, raw in numbered_lines(path, encoding) if raw.strip()), b"")
    if not JSON_START.match(first):
        return first.startswith(b"__label__")
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _lines_of(path: Path, encoding: str) -> Literal["sentences", "documents"]:
    """Decides what a line is: a sentence if blank lines group lines, and a document otherwise.

    Blank lines between single lines, or nearly so, group nothing.
    """
    lines = groups = 0
    after_blank = True
    for _, raw in numbered_lines(path, encoding):
        blank = not raw.decode("utf-8", "replace").strip()
        lines += not blank
        groups += after_blank and not blank
        after_blank = blank
    return "sentences" if groups > 1 and lines >= 1.5 * groups else "documents"
