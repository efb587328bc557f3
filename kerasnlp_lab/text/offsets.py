"""The words of a text, where they stand in it, and the tokens that a model makes of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import regex
import tensorflow as tf

from kerasnlp_lab.text import TextVectorizer

__all__ = ["Token", "Word", "find_tokens", "find_words"]

# No tokenizer here joins what these characters part.
_CHUNK = regex.compile(r"[^ \t\n\v\f\r]+")
# As BERT parts words: every character of punctuation and every Chinese one is a word.
_MARK = r"\p{P}\p{Han}!-/:-@\[-`{-~"
_PIECE = regex.compile(rf"[{_MARK}]|[^\s{_MARK}]+")


@dataclass(frozen=True)
class Word:
    """A word of a text.

    Args:
        text: As it stands there.
        start: Its first character in the text, counted from 0.
        end: The character behind it.
        tokens: How many tokens the model reads of it; 0 for what it drops, as punctuation
            or behind its longest text.
    """

    text: str
    start: int
    end: int
    tokens: int


@dataclass(frozen=True)
class Token:
    """What a model reads.

    Args:
        text: Its name in the vocabulary.
        word: The index of its word; None for one that is put around a text, like [CLS].
        start: Its first character in the text; None where there is none.
        end: The character behind it.
    """

    text: str
    word: int | None
    start: int | None
    end: int | None


def find_words(vectorizer: TextVectorizer, text: str) -> list[Word]:
    """Returns the words of a text that is valid Unicode, in its order.

    What a word is, the tokenizer tells: a text is cut where tokenizing the parts gives the
    tokens of the whole; between blanks if not at punctuation, and not at all if nowhere.
    """
    chunks = [found.span() for found in _CHUNK.finditer(text)]
    pieces = [[found.span() for found in _PIECE.finditer(text, *chunk)] for chunk in chunks]
    whole, *parts = _ids(
        vectorizer, [text, *(text[slice(*span)] for span in _flat(chunks, pieces))]
    )
    rest = iter(parts)
    spans: list[tuple[int, int]] = []
    ids: list[list[int]] = []
    for chunk, inner in zip(chunks, pieces, strict=True):
        together, apart = next(rest), [next(rest) for _ in inner]
        same = [one for part in apart for one in part] == together
        spans += inner if same else [chunk]
        ids += apart if same else [together]
    if [one for part in ids for one in part][: len(whole)] != whole:
        spans, ids = [(0, len(text))], [whole]
    words, left = [], len(whole)
    for (start, end), found in zip(spans, ids, strict=True):
        read = min(len(found), left)
        left -= read
        words.append(Word(text[start:end], start, end, read))
    return words


def find_tokens(vectorizer: TextVectorizer, text: str, words: Sequence[Word]) -> list[Token]:
    """Returns the tokens of a text, those around it included."""
    [ids] = _ids(vectorizer, [text])
    names = vectorizer.vocabulary()
    tokens, rest = [], iter(names[one] for one in ids)
    for index, word in enumerate(words):
        pieces = [next(rest) for _ in range(word.tokens)]
        for piece, (start, end) in zip(pieces, _spans(word.text, pieces), strict=True):
            tokens.append(Token(piece, index, word.start + start, word.start + end))
    if vectorizer.special_tokens:
        first, last = (Token(name, None, None, None) for name in ("[CLS]", "[SEP]"))
        tokens = [first, *tokens, last]
    return tokens


def _flat(
    chunks: list[tuple[int, int]], pieces: list[list[tuple[int, int]]]
) -> Iterator[tuple[int, int]]:
    for chunk, inner in zip(chunks, pieces, strict=True):
        yield chunk
        yield from inner


def _ids(vectorizer: TextVectorizer, texts: list[str]) -> list[list[int]]:
    return vectorizer.tokenize(tf.constant([text.encode() for text in texts])).to_list()


def _spans(word: str, pieces: Sequence[str]) -> list[tuple[int, int]]:
    """Returns where each piece of a word begins and ends in it; the whole of it if unknown."""
    bare = [piece.removeprefix("##") for piece in pieces]
    for simplify in (str, _without_accents):
        parts = [simplify(character) for character in word]
        if "".join(parts) == "".join(bare):
            starts = np.cumsum([0, *map(len, parts)])  # of each character, simplified
            ends = np.cumsum([len(piece) for piece in bare])
            begins = [0, *ends[:-1]]
            return [
                (
                    int(np.searchsorted(starts, begin, side="right")) - 1,
                    int(np.searchsorted(starts, end, side="left")),
                )
                for begin, end in zip(begins, ends, strict=True)
            ]
    return [(0, len(word))] * len(pieces)


def _without_accents(character: str) -> str:
    """Returns a character as an uncased BERT reads it: lower-case, without its marks."""
    parts = unicodedata.normalize("NFD", character.lower())
    return "".join(part for part in parts if unicodedata.category(part) != "Mn")
