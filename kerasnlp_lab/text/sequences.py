"""`pack_sequences`: cuts a tokenized corpus into the sequences that a BERT is pre-trained on."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

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

Row = tuple[int, list[np.ndarray]]
"""The document in which a row begins, and the sentences, parts and separators in it, int32."""


class TokenSequences:
    """A tokenized corpus as rows in a temporary file, with 12 bytes of memory a row.

    A row is a sequence without [CLS] and the last [SEP]. The first token of each sentence has the
    bit `SENTENCE_START` in its id. Documents are numbered from 0 in the order of the corpus.

    Args:
        rows: The rows, in the order of the corpus.
        max_tokens: The longest sequence, special tokens included.
        pairs: Whether each row holds sentences of one document, to be divided in two.

    Attributes:
        documents: The document in which each row begins, int32 [rows], ascending.
        paired_rows: The number of rows with two sentences or more; 0 without pairs.
    """

    def __init__(self, rows: Iterable[Row], *, max_tokens: int, pairs: bool):
        documents = array("i")
        self.max_tokens, self.pairs, self.paired_rows = max_tokens, pairs, 0

        def stored() -> Iterator[bytes]:
            for document, parts in rows:
                documents.append(document)
                self.paired_rows += pairs and len(parts) > 1
                yield b"".join(part.data for part in parts)

        self._store = RowStore.of_rows(stored())
        self.documents = np.array(documents, np.int32)

    def __len__(self) -> int:
        return len(self._store)

    @property
    def lengths(self) -> np.ndarray:
        """The number of tokens in each row, without [CLS] and the last [SEP], int64 [rows]."""
        return self._store.sizes // TOKEN_BYTES

    def read_flat(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the ids of some rows end to end, int32 [tokens], and their lengths, int64."""
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
    https://arxiv.org/abs/1907.11692. Only a sentence longer than a row is cut; its parts fill the
    rest of the current row and the next ones.

    With pairs, a row holds sentences of one document, as in Devlin et al. 2019, BERT,
    https://arxiv.org/abs/1810.04805, and at least two of them if the document has two. In a
    document longer than a row, a sentence longer than half a row is cut into equal parts, which
    count as sentences. If the last sentence of a document is alone in its row, the row takes one
    from the row before. If that has only two, the longer of the last two sentences is cut in half.

    Args:
        tokenize: Tokenizes sentences; called with thousands at a time.
        documents: The sentences of each document. Those without tokens are left out.
        max_tokens: The longest sequence, special tokens included.
        pairs: Whether rows are for next-sentence prediction.
        separator: The id of [SEP].

    Raises:
        OptionError: max_tokens leaves too little room beside the special tokens.
        DataError: The corpus has no tokens.
    """
    # Beside [CLS] and each [SEP]. Half a row of a pair needs two tokens, so that it can be cut.
    special, least = (3, 4) if pairs else (2, 1)
    room = max_tokens - special
    if room < least:
        raise OptionError(
            f"sequences of at most {max_tokens} tokens, with {special} special ones, are too "
            f"short{' for pairs' * pairs}: allow at least {special + least} (128 is usual)"
        )
    tokenized = _tokenized(tokenize, documents)
    rows = _pair_rows(tokenized, room) if pairs else _full_rows(tokenized, room, separator)
    sequences = TokenSequences(rows, max_tokens=max_tokens, pairs=pairs)
    if not len(sequences):
        raise DataError("expected texts with words in them, but the corpus has no tokens at all")
    return sequences


def _tokenized(tokenize: Tokenize, documents: Iterable[Sequence[str]]) -> Iterator[Row]:
    """Yields the number and the sentences of each document that has tokens."""
    for sentences, numbers in _in_memory(documents):
        found, lengths = tokenize(sentences)
        ids, ends = np.array(found, np.int32), np.cumsum(lengths)
        begins = ends - lengths
        ids[begins[ends > begins]] |= SENTENCE_START
        bounds = zip(numbers, begins.tolist(), ends.tolist(), strict=True)
        for number, own in groupby(bounds, itemgetter(0)):
            parts = [ids[begin:end] for _, begin, end in own if end > begin]
            if parts:
                yield number, parts


def _in_memory(documents: Iterable[Sequence[str]]) -> Iterator[tuple[list[str], list[int]]]:
    """Yields the sentences of some whole documents, and the number of each one's document."""
    sentences: list[str] = []
    numbers: list[int] = []
    characters = 0
    for number, document in enumerate(documents):
        sentences += document
        numbers += [number] * len(document)
        characters += sum(map(len, document))
        if len(sentences) >= SENTENCES_IN_MEMORY or characters >= CHARACTERS_IN_MEMORY:
            yield sentences, numbers
            sentences, numbers, characters = [], [], 0
    if sentences:
        yield sentences, numbers


def _full_rows(documents: Iterable[Row], room: int, separator: int) -> Iterator[Row]:
    """Yields rows that are as full as whole sentences make them, across documents."""
    between = np.array([separator], np.int32)
    row: list[np.ndarray] = []
    first, free = 0, room
    for number, sentences in documents:
        for index, sentence in enumerate(sentences):
            gap = int(index == 0 and bool(row))
            fits = len(sentence) <= free - gap or (len(sentence) > room and free > gap)
            if row and not fits:
                yield first, row
                row, free, gap = [], room, 0
            if gap:
                row.append(between)
                free -= 1
            rest = sentence
            while len(rest) > free:
                yield first if row else number, [*row, rest[:free]]
                rest, row, free = rest[free:], [], room
            first = first if row else number
            row.append(rest)
            free -= len(rest)
    if row:
        yield first, row


def _pair_rows(documents: Iterable[Row], room: int) -> Iterator[Row]:
    """Yields rows that each hold sentences of one document."""
    for number, sentences in documents:
        for row in _divide(sentences, room):
            yield number, row


def _divide(sentences: list[np.ndarray], room: int) -> list[list[np.ndarray]]:
    """Returns the rows of a document, of at least two sentences each if it has two."""
    if sum(map(len, sentences)) <= room:
        return [sentences]
    rows: list[list[np.ndarray]] = [[]]
    free = room
    for sentence in sentences:
        for part in _cut(sentence, -(-len(sentence) // (room // 2))):
            if len(part) > free:
                rows.append([])
                free = room
            rows[-1].append(part)
            free -= len(part)
    if len(rows[-1]) == 1:
        before, (alone,) = rows[-2:]
        if len(before) > 2:
            rows[-1] = [before.pop(), alone]
        elif len(before[1]) > len(alone):
            before[1], moved = _cut(before[1], 2)
            rows[-1] = [moved, alone]
        else:
            rows[-1] = _cut(alone, 2)
    return rows


def _cut(sentence: np.ndarray, count: int) -> list[np.ndarray]:
    """Returns a sentence in equal parts, each of which counts as a sentence."""
    if count == 1:
        return [sentence]
    parts = np.array_split(sentence, count)
    for part in parts:
        part[0] |= SENTENCE_START
    return parts
