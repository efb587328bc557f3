"""Finds the words and tokens of a text with their character offsets: the reference.

It works for any `TextVectorizer` whose tokens are words or word pieces, because it only compares
the tokens of parts of a text with those of the whole. That is slow, and it cannot run in a graph.
Faster code that finds offsets is tested against this module.

Offsets count characters (code points) from 0, and an end is the offset after the last character,
so that ``text[start:end]`` is the word or the part of it.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise, product

import numpy as np
import regex
import tensorflow as tf

from kerasnlp_lab.data.words import is_unspaced, split_words
from kerasnlp_lab.text.vectorizer import TextVectorizer

__all__ = ["Token", "Word", "find_tokens", "find_words", "within_window"]

Span = tuple[int, int]

# Every tokenizer here splits at these characters.
_CHUNK = regex.compile(r"[^ \t\n\v\f\r]+")
_DROPPED = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Z}\p{Cc}]+")


@dataclass(frozen=True)
class Word:
    """A word of a text, a punctuation mark included.

    Args:
        text: The word as the text spells it.
        start: The offset of its first character.
        end: The offset after its last character.
        tokens: The number of its tokens that the model reads; 0 if the vectorizer drops the word,
            for example punctuation, or if it is in a part of a long text that is not read.
    """

    text: str
    start: int
    end: int
    tokens: int


@dataclass(frozen=True)
class Token:
    """A token that a model reads.

    Args:
        text: The token's name in the vocabulary.
        word: The index of the word that the token is a part of; None for a token that is
            added to the text, such as [CLS].
        start: The offset of its first character; None for an added token.
        end: The offset after its last character; None for an added token.
    """

    text: str
    word: int | None
    start: int | None
    end: int | None


def find_words(vectorizer: TextVectorizer, text: str) -> list[Word]:
    """Returns the words of a text, in order, with their offsets.

    The tokenizer decides what a word is. The text is split at blanks, and each part between
    blanks at punctuation and Chinese characters, if the tokens of the pieces equal the tokens of
    the part. If the tokens of the parts do not equal those of the text, the text is one word.
    In a script without spaces, such as Thai, each token that spells letters is a word.

    Args:
        vectorizer: A vectorizer whose tokens are words or word pieces.
        text: The text. It holds no lone surrogates; see `replace_surrogates`.

    Returns:
        The words. Their numbers of tokens add up to the tokens of `vectorizer.tokenize`.
    """
    chunks = [match.span() for match in _CHUNK.finditer(text)]  # between blanks
    pattern = vectorizer.word_pattern
    pieces = [[match.span() for match in pattern.finditer(text, *chunk)] for chunk in chunks]
    parts = chain.from_iterable(
        [chunk, *inner] for chunk, inner in zip(chunks, pieces, strict=True)
    )
    ids_of_text, *ids_of_parts = _token_ids(
        vectorizer, [text, *(text[start:end] for start, end in parts)]
    )
    remaining = iter(ids_of_parts)
    spans: list[Span] = []
    ids: list[list[int]] = []  # of each span
    for chunk, inner in zip(chunks, pieces, strict=True):
        ids_of_chunk, ids_of_pieces = next(remaining), [next(remaining) for _ in inner]
        can_split = _joined(ids_of_pieces) == ids_of_chunk
        spans += inner if can_split else [chunk]
        ids += ids_of_pieces if can_split else [ids_of_chunk]
    if _joined(ids) != ids_of_text:
        spans, ids = [(0, len(text))], [ids_of_text]
    places = vectorizer.truncate(tf.ragged.range([len(ids_of_text)]))[0].numpy()
    is_read = np.isin(np.arange(len(ids_of_text)), places)
    words, place = [], 0
    for (start, end), count in _split_unspaced(vectorizer, text, spans, ids):
        tokens = int(is_read[place : place + count].sum())
        words.append(Word(text[start:end], start, end, tokens))
        place += count
    return words


def within_window(
    words: Sequence[Word], tokens: Sequence[Token], start: int, end: int
) -> tuple[list[Word], list[Token]]:
    """Returns the words and tokens that a model reads in one window of a text.

    Args:
        words: The words of the whole text, from `find_words`.
        tokens: Its tokens, from `find_tokens`.
        start: The number of the window's first token among those of the text, without the tokens
            that the vectorizer adds.
        end: The number after its last token.
    """
    own = [(token, token.word) for token in tokens if token.word is not None][start:end]
    counts = Counter(word for _, word in own)
    first, last = own[0][1], own[-1][1]
    shown = [replace(words[word], tokens=counts[word]) for word in range(first, last + 1)]
    moved = [replace(token, word=word - first) for token, word in own]
    if tokens[0].word is None:
        moved = [tokens[0], *moved, tokens[-1]]
    return shown, moved


def _split_unspaced(
    vectorizer: TextVectorizer, text: str, spans: Sequence[Span], ids: Sequence[Sequence[int]]
) -> Iterator[tuple[Span, int]]:
    """Yields words with their numbers of tokens, divided at tokens beside unspaced letters."""
    vocabulary: list[str] = []
    for (start, end), ids_of_word in zip(spans, ids, strict=True):
        word, places = text[start:end], [0]
        if len(ids_of_word) > 1 and any(map(is_unspaced, word)):
            vocabulary = vocabulary or vectorizer.vocabulary()
            places = [at for at, _ in _piece_spans(word, [vocabulary[one] for one in ids_of_word])]
        cuts = [at for at in dict.fromkeys(places) if at and _unspaced_at(word, at)]
        counts = np.diff([0, *map(places.index, cuts), len(ids_of_word)])
        bounds = [start, *(start + cut for cut in cuts), end]
        yield from zip(pairwise(bounds), counts.tolist(), strict=True)


def _unspaced_at(word: str, place: int) -> bool:
    """Whether an unspaced letter begins or ends at a place, with the marks on it."""
    before = split_words(word[:place])
    is_mark = unicodedata.category(word[place]).startswith("M")
    return not is_mark and (is_unspaced(word[place]) or bool(before and is_unspaced(before[-1])))


def find_tokens(vectorizer: TextVectorizer, text: str, words: Sequence[Word]) -> list[Token]:
    """Returns the tokens that a model reads, in order, with their words and offsets.

    The offsets are exact if the tokens of a word spell it, with or without its accents and
    capitals. Otherwise, as for an unknown word, each token has the offsets of the whole word.

    Args:
        vectorizer: A vectorizer whose tokens are words or word pieces.
        text: The text, as in `find_words`.
        words: The words that `find_words` returned for this text.

    Returns:
        The tokens, with those that the vectorizer adds, such as [CLS] and [SEP].
    """
    [ids] = vectorizer.tokenize(tf.constant([text.encode()])).to_list()
    vocabulary = vectorizer.vocabulary()
    names = iter(vocabulary[token_id] for token_id in ids)
    tokens = []
    for index, word in enumerate(words):
        pieces = [next(names) for _ in range(word.tokens)]
        for piece, (start, end) in zip(pieces, _piece_spans(word.text, pieces), strict=True):
            tokens.append(Token(piece, index, word.start + start, word.start + end))
    if vectorizer.special_tokens:
        first, last = (Token(name, None, None, None) for name in ("[CLS]", "[SEP]"))
        tokens = [first, *tokens, last]
    return tokens


def _joined(parts: Iterable[list[int]]) -> list[int]:
    return list(chain.from_iterable(parts))


def _token_ids(vectorizer: TextVectorizer, texts: list[str]) -> list[list[int]]:
    return vectorizer.split_whole(tf.constant([text.encode() for text in texts])).to_list()


def _piece_spans(word: str, pieces: Sequence[str]) -> list[Span]:
    """Returns the span of each piece in a word; the whole word if the pieces do not spell it."""
    if not pieces:
        return []
    bare = [piece.removeprefix("##") for piece in pieces]
    characters, clusters = list(word), regex.findall(r"\X", word)
    readings = [
        (parts, [simplify(part) for part in parts])
        for parts, simplify in (
            (characters, str),
            (characters, _without_accents),
            (characters, _folded),
            (clusters, _folded),  # a letter and its accent, which may be one character once folded
        )
    ]
    # The pieces spell only the beginning of a word in which the text is truncated.
    for fits, (parts, simple) in product((str.__eq__, str.startswith), readings):
        if fits("".join(simple), "".join(bare)):
            places = np.cumsum([0, *map(len, parts)])  # of each part in the word
            starts = np.cumsum([0, *map(len, simple)])  # of each part, simplified
            ends = np.cumsum([len(piece) for piece in bare])
            begins = [0, *ends[:-1]]
            return [
                (
                    int(places[np.searchsorted(starts, begin, side="right") - 1]),
                    int(places[np.searchsorted(starts, end, side="left")]),
                )
                for begin, end in zip(begins, ends, strict=True)
            ]
    return [(0, len(word))] * len(pieces)


def _without_accents(character: str) -> str:
    """Returns a character as an uncased BERT reads it: in lower case and without accents."""
    parts = unicodedata.normalize("NFD", character.lower())
    return "".join(part for part in parts if unicodedata.category(part) != "Mn")


def _folded(part: str) -> str:
    """Returns characters as a `PieceVectorizer` reads them: Unicode's NFKC_Casefold."""
    folded = unicodedata.normalize("NFKC", part).casefold()
    return unicodedata.normalize("NFKC", _DROPPED.sub("", folded))
