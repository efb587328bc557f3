"""`Corpus` and `open_corpus`: documents to pre-train on, which may be larger than memory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from kerasnlp_lab.data.corpus.files import CorpusFile, find_files
from kerasnlp_lab.data.corpus.reading import Document, read_documents
from kerasnlp_lab.data.corpus.sentences import split_sentences
from kerasnlp_lab.data.corpus.source import CorpusSource
from kerasnlp_lab.data.labelled_rows import advice_on
from kerasnlp_lab.data.tables import RejectedRow
from kerasnlp_lab.display import first_few
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.paths import explain_os_error, sha256_of

__all__ = ["Corpus", "open_corpus"]


@dataclass(frozen=True, eq=False)
class Corpus:
    """Documents in files, which are read again for each iteration.

    Args:
        source: The files, and how to read them.
        files: The files that were found, in order.
        splits_sentences: Whether documents are lists of sentences; False if some are one long
            text, so that next-sentence prediction is impossible.
        fingerprint: A hash of the files' contents and of how they are read.
        size: The number of documents.
        characters: The number of characters in them, to estimate tokens.
        notes: What was found and decided, as lines for a terminal.
    """

    source: CorpusSource
    files: tuple[CorpusFile, ...]
    splits_sentences: bool
    fingerprint: str = ""
    size: int = 0
    characters: int = 0
    notes: tuple[str, ...] = ()

    def documents(self, wanted: Callable[[int], bool] | None = None) -> Iterator[list[str]]:
        """Yields each document, or those whose numbers (from 0) are wanted, as its sentences.

        No sentence is blank, and no document is empty. Raises DataError if the files have
        changed since they were opened.
        """
        found = 0
        for document in self._read():
            if isinstance(document, RejectedRow) or not document:
                continue
            if wanted is None or wanted(found):
                whole = isinstance(document, str) and not self.splits_sentences
                yield [str(document)] if whole else self.sentences(document)
            found += 1
        if found != self.size:
            raise DataError(
                f"expected the {self.size:,} documents that were counted first, got {found:,}; "
                "the files must not change while they are read",
                first_few([file.name for file in self.files], 3),
            )

    def sentences(self, document: Document) -> list[str]:
        """Returns the sentences of a document, which is cut into them if need be."""
        if isinstance(document, list):
            return document
        return split_sentences(document, self.source.language)

    def _read(self) -> Iterator[Document | RejectedRow]:
        return chain.from_iterable(read_documents(file, self.source) for file in self.files)


def open_corpus(source: CorpusSource, *, sentences_needed: bool) -> Corpus:
    """Finds the files of a corpus, and reads them once to check and to count what they hold.

    Args:
        source: The files, and how to read them.
        sentences_needed: Whether documents must be lists of sentences.

    Raises:
        DataError: A file is missing, binary or empty, a line or row cannot be read, or there is
            only one sentence in all; with `sentences_needed`, no document has two.
        StorageError: A pipe or an archive cannot be copied to a temporary folder.
    """
    with contextlib.ExitStack() as stack:
        try:
            spool = stack.enter_context(tempfile.TemporaryDirectory(prefix="kerasnlp_lab-"))
        except OSError as error:
            raise explain_os_error(error, tempfile.gettempdir()) from error
        files, not_read = find_files(source, Path(spool))
        if files and source.text_columns and all(file.kind != "table" for file in files):
            reason = (
                "none of these is a table, and only tables have columns: leave out --text-column"
            )
            raise DataError(reason, first_few(source.paths, 3))
        split = sentences_needed or all(file.kind == "sentences" for file in files)
        corpus = Corpus(source, tuple(files), split, _fingerprint(source, files, split))
        corpus = _counted(corpus, sentences_needed, _notes(files, not_read, split))
        weakref.finalize(corpus, stack.pop_all().close)
    return corpus


def _notes(files: Sequence[CorpusFile], not_read: Sequence[str], split: bool) -> list[str]:
    names: dict[str, list[str]] = {}
    for file in files:
        names.setdefault(file.note, []).append(file.name)
    notes = [f"{first_few(some, 3)}: {note}" for note, some in names.items()]
    if not_read:
        notes.append(f"not read: {first_few(not_read, 5, '; ')}")
    if any(file.kind != "sentences" for file in files):
        how = "are cut into sentences by sentencex" if split else "are not cut into sentences"
        notes.append(f"documents {how}")
    return notes


def _fingerprint(source: CorpusSource, files: Sequence[CorpusFile], split: bool) -> str:
    contents = [
        (file.kind, file.encoding, file.columns, file.shards and file.shards.sha256)
        for file in files
    ]
    hashes = [sha256_of(file.path) for file in files if not file.shards]
    # Another version of the library may cut other sentences.
    cut = [source.language, version("sentencex")] if split else []
    options = [source.format.to_json(), source.skip_bad_rows]
    described = json.dumps([contents, hashes, cut, options])
    return hashlib.sha256(described.encode()).hexdigest()


def _counted(corpus: Corpus, sentences_needed: bool, notes: list[str]) -> Corpus:
    """Returns a corpus with its size; raises DataError if it cannot be used."""
    size = characters = empty = most = 0
    rejected: list[str] = []
    for document in corpus._read():
        if isinstance(document, RejectedRow):
            if not corpus.source.skip_bad_rows:
                reason = f"{document.reason}; {advice_on(document.reason)}"
                raise DataError(reason, document.path, document.line)
            rejected.append(f"{document.path}, line {document.line}: {document.reason}")
        elif not document:
            empty += 1
        else:
            size += 1
            characters += sum(map(len, document))
            if most < 2 and (sentences_needed or size == 1):
                most = len(corpus.sentences(document))
    where = first_few(corpus.source.paths, 3)
    if rejected:
        notes.append(f"skipped: {first_few(rejected, 3, '; ')}")
    if empty:
        notes.append(f"rows left out, as they have no text: {empty:,}")
    if not size:
        raise DataError("; ".join(["found no texts to pre-train on", *notes]), where)
    if size == 1 and most < 2:
        raise DataError("found only one sentence in all; pre-training needs many texts", where)
    if sentences_needed and most < 2:
        kinds = {file.kind for file in corpus.files}
        advice = "say --objective mlm"
        if "sentences" in kinds:
            advice += ", or --lines documents to cut each line into sentences"
        elif "documents" in kinds:
            advice += ", or --lines sentences if the lines of a file belong together"
        reason = "no document has two sentences, which next-sentence prediction needs"
        raise DataError(f"{reason}; {advice}", where)
    notes.append(f"documents: {size:,}; characters: {characters:,}; files: {len(corpus.files):,}")
    return replace(corpus, size=size, characters=characters, notes=tuple(notes))
