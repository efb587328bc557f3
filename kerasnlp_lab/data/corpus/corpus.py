"""`Corpus` and `open_corpus`: documents to pre-train on, which may be larger than memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kerasnlp_lab.data.corpus.source import CorpusSource

__all__ = ["Corpus", "open_corpus"]


@dataclass(frozen=True, eq=False)
class Corpus:
    """Documents in files, which are read again for each iteration.

    Args:
        source: The files, and how to read them.
        notes: What was found and decided, as lines for a terminal.
        fingerprint: A hash of the files' contents and of how they are read.
        size: The number of documents.
        characters: The number of characters in them, to estimate tokens.
        splits_sentences: Whether documents are lists of sentences; False if some are one long
            text, so that next-sentence prediction is impossible.
    """

    source: CorpusSource
    notes: tuple[str, ...]
    fingerprint: str
    size: int
    characters: int
    splits_sentences: bool

    def documents(self, wanted: Callable[[int], bool] | None = None) -> Iterator[list[str]]:
        """Yields each document, or those whose numbers (from 0) are wanted, as its sentences.

        No sentence is blank, and no document is empty. Raises DataError if the files have
        changed since they were opened.
        """
        raise NotImplementedError


def open_corpus(source: CorpusSource, *, sentences_needed: bool) -> Corpus:
    """Finds the files of a corpus, and reads them once to count and check what they hold.

    Args:
        source: The files, and how to read them.
        sentences_needed: Whether to cut documents into sentences.

    Raises:
        DataError: A file is missing, binary or empty, a line or row cannot be read, or there is
            only one sentence in all; with `sentences_needed`, no document has two.
        StorageError: A pipe or an archive cannot be copied to a temporary folder.
    """
    raise NotImplementedError
