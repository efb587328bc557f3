"""`pack_sequences`: cuts a tokenized corpus into the sequences that a BERT is pre-trained on."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from kerasnlp_lab.data.row_store import RowStore
from kerasnlp_lab.errors import DataError, OptionError

__all__ = ["SENTENCE_START", "TokenSequences", "Tokenize", "pack_sequences"]

SENTENCE_START = 1 << 30
"""The bit that is set in the id of a sentence's first token."""

Tokenize = Callable[[list[str]], tuple[np.ndarray, np.ndarray]]
"""Takes sentences; returns their ids end to end, int32 [tokens], and their lengths, int64
[sentences]. It adds no special tokens and does not truncate."""

TOKEN_BYTES = 4
SENTENCES_IN_MEMORY, CHARACTERS_IN_MEMORY = 8192, 1 << 20
SMALLEST_ROOM = {False: 1, True: 4}  # tokens; each row of a pair needs two sentences


class Chunk(NamedTuple):
    """Packed rows: ids, int32 [tokens], lengths and documents, int64 [rows]."""

    ids: np.ndarray
    lengths: np.ndarray
    documents: np.ndarray


class TokenSequences:
    """A tokenized corpus as rows in a temporary file, 12 bytes of memory a row.

    A row is what stands between [CLS] and the last [SEP]. The first token of each sentence has the
    bit `SENTENCE_START` in its id. Documents are numbered from 0 in the order of the corpus;
    `documents` has the one in which each row begins, int32 [rows], in ascending order.

    Args:
        chunks: The rows.
        max_tokens: The longest sequence, special tokens included.
        pairs: Whether every row holds sentences of one document, to be divided in two.
    """

    def __init__(self, chunks: Iterable[Chunk], *, max_tokens: int, pairs: bool):
        documents = array("i")

        def blocks() -> Iterator[tuple[memoryview, np.ndarray]]:
            for chunk in chunks:
                documents.frombytes(chunk.documents.astype(np.int32).tobytes())
                yield np.ascontiguousarray(chunk.ids, np.int32).data, chunk.lengths * TOKEN_BYTES

        self._store = RowStore(blocks())
        self.documents = np.array(documents, np.int32)
        self.max_tokens = max_tokens
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self._store)

    @property
    def lengths(self) -> np.ndarray:
        """The number of tokens in each row, without [CLS] and the last [SEP], int64 [rows]."""
        return self._store.sizes // TOKEN_BYTES

    def read_flat(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the ids of some rows end to end, int32 [tokens], and their lengths, int64.

        Args:
            rows: The numbers of the rows, integers [some].
        """
        found, sizes = self._store.read_block(rows)
        return np.frombuffer(found, np.int32), sizes // TOKEN_BYTES


def pack_sequences(
    tokenize: Tokenize,
    documents: Iterable[Sequence[str]],
    *,
    max_tokens: int,
    pairs: bool,
    separator: int,
) -> TokenSequences:
    """Tokenizes documents and packs their sentences into rows. Every token is in one row.

    Without pairs, whole sentences fill a row one after the other, across documents, with a
    separator between two documents: FULL-SENTENCES of Liu et al. 2019, RoBERTa,
    https://arxiv.org/abs/1907.11692. Only a sentence that is longer than a row is cut; its parts
    fill the rest of one row and the rows that follow.

    With pairs, a row holds whole sentences of one document, as in Devlin et al. 2019, BERT,
    https://arxiv.org/abs/1810.04805, and at least two of them if the document has two. A sentence
    longer than half a row is cut into equal parts, which count as sentences. If the end of a
    document leaves a sentence alone in a row, the row takes one from the row before, or half a
    sentence where that has only two.

    Args:
        tokenize: Tokenizes sentences; called with some thousands at a time.
        documents: The sentences of each document. Sentences without a token leave no trace.
        max_tokens: The longest sequence, special tokens included.
        pairs: Whether rows are for next-sentence prediction.
        separator: The id of [SEP].

    Raises:
        OptionError: max_tokens leaves too little room beside the special tokens.
        DataError: The corpus has no tokens.
    """
    room = max_tokens - (3 if pairs else 2)  # beside [CLS] and a [SEP] after each part
    if room < SMALLEST_ROOM[pairs]:
        least = max_tokens - room + SMALLEST_ROOM[pairs]
        raise OptionError(
            f"a sequence of at most {max_tokens} tokens is too short"
            f"{' for pairs of sentences' * pairs}: allow {least} or more (128 is usual)"
        )
    tokenized = _tokenized(tokenize, documents)
    chunks = _pack_pairs(tokenized, room) if pairs else _pack_across(tokenized, room, separator)
    sequences = TokenSequences(chunks, max_tokens=max_tokens, pairs=pairs)
    if not len(sequences):
        raise DataError("expected texts with words in them, found none: the corpus has no tokens")
    return sequences


def _tokenized(
    tokenize: Tokenize, documents: Iterable[Sequence[str]]
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yields ids end to end, and each sentence's length and document, for whole documents."""
    raise NotImplementedError


def _pack_pairs(tokenized, room: int) -> Iterator[Chunk]:
    raise NotImplementedError


def _pack_across(tokenized, room: int, separator: int) -> Iterator[Chunk]:
    raise NotImplementedError
