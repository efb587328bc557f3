"""`given_text`, and `read_text` and `read_pair`: the words and tokens that a model reads."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from kerasnlp_lab.bert.vectorizer import BOUNDARY
from kerasnlp_lab.data.inputs import one_text
from kerasnlp_lab.data.pairs import PAIR_SEPARATOR, iter_pairs, split_pair
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.offsets import Token, Word, find_tokens, find_words
from kerasnlp_lab.text.raw_texts import replace_surrogates
from kerasnlp_lab.zoo import Classifier

__all__ = ["given_text", "read_pair", "read_text"]

WordsAndTokens = tuple[list[Word], list[Token]]


def given_text(classifier: Classifier, text: Any) -> str:
    """Returns a text that a user gave, or the string of a pair, without invalid UTF-8.

    Raises:
        DataError: This is not one text, or no pair where the classifier needs one.
    """
    given: str | bytes
    if classifier.pair:
        (given,) = iter_pairs([text], classifier.pair)
    elif isinstance(text, tuple):
        raise DataError(f"expected one text, got {len(text)}: this model was not trained on pairs")
    else:
        given = one_text(text)
    return replace_surrogates(
        given.decode("utf-8", "replace") if isinstance(given, bytes) else given
    )


def read_text(vectorizer: TextVectorizer, text: str) -> WordsAndTokens:
    """Returns the words of a text and the tokens that a model reads, with those that are added."""
    words = find_words(vectorizer, text)
    return words, find_tokens(vectorizer, text, words)


def read_pair(vectorizer: TextVectorizer, text: str) -> WordsAndTokens:
    """Returns the same for a pair, a string of `join_pair`.

    Offsets count in this string, and words of the first text come first. Words that are cut off
    have no tokens.
    """
    if not vectorizer.separates_pairs:
        return read_text(vectorizer, text.replace(PAIR_SEPARATOR, "\n"))
    [ids] = vectorizer.tokenize(tf.constant([text.encode()])).to_list()
    first, second = split_pair(text)
    room = ids.index(BOUNDARY), len(ids) - ids.index(BOUNDARY) - 1
    words, tokens = _read_side(vectorizer, first, room[0])
    more, (_, *more_tokens) = _read_side(vectorizer, second, room[1])
    start = len(first) + 1
    moved = [
        dataclasses.replace(word, start=word.start + start, end=word.end + start) for word in more
    ]
    return words + moved, tokens + [_moved(one, len(words), start) for one in more_tokens]


def _read_side(vectorizer: TextVectorizer, text: str, unread: int) -> WordsAndTokens:
    """Returns the words and tokens of one text, of which the model reads so many tokens."""
    words: list[Word] = []
    for word in find_words(vectorizer, text):
        words.append(dataclasses.replace(word, tokens=min(word.tokens, unread)))
        unread -= words[-1].tokens
    return words, find_tokens(vectorizer, text, words)


def _moved(token: Token, words: int, start: int) -> Token:
    """Returns a token of the second text, after so many words and characters of the first."""
    if token.word is None or token.start is None or token.end is None:
        return token
    return Token(token.text, token.word + words, token.start + start, token.end + start)
