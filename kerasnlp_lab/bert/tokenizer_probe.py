"""`find_fast_tokenizer`: the `FastTokenizer` that agrees with a module, if there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasnlp_lab.bert.fast_tokenizer import FastTokenizer, Tokenize
from kerasnlp_lab.text.raw_texts import in_batches

__all__ = ["find_fast_tokenizer"]

WORDS_A_TEXT = 64
CASING_STEP = 8  # a sample is enough: a module that changes capitals changes all
CHARACTERS = [chr(code) for code in range(0x2100)]  # no safe one is above
WORD_LENGTHS = (*range(98, 103), *range(398, 403))  # around the limits of tokenizers in use
_ACCENTS = str.maketrans("aceinouyACEINOUY", "áçèïñôüýÁÇÈÏÑÔÜÝ")
_PLAIN_WORD, _PLAIN_ENDING = re.compile("[A-Za-z]+"), re.compile("##[a-z0-9]+")


def find_fast_tokenizer(vocab_file: Path, tokenize: Tokenize) -> FastTokenizer | None:
    """Finds a fast tokenizer for a module, by trying; None if there is none.

    It gives the ids of the module's own `tokenize` for every safe text of the probe: each safe
    character alone, doubled and beside letters, each piece of the vocabulary, many of them in
    capitals and with accents, and words of about the lengths from which on a word is [UNK].
    """
    if not vocab_file.is_file():  # as with SentencePiece
        return None
    pieces = _read_pieces(vocab_file)
    for uncased in (True, False):
        try:
            fast = FastTokenizer(pieces, uncased=uncased)
        except RuntimeError:  # tensorflow_text needs a vocabulary with [UNK]
            return None
        words = _safe_words(fast, pieces)
        if _agree(fast.tokenize_ascii, tokenize, [word for word in words if word.isascii()]):
            others = [word for word in words if not word.isascii()]
            return fast if _agree(fast.tokenize_safe, tokenize, others) else fast.only_ascii()
    return None


def _read_pieces(vocab_file: Path) -> list[bytes]:
    """Returns the lines of a vocabulary as TensorFlow's lookup tables read them."""
    lines = vocab_file.read_bytes().replace(b"\r", b"").split(b"\n")
    return lines if lines[-1] else lines[:-1]


def _safe_words(fast: FastTokenizer, pieces: list[bytes]) -> list[str]:
    """Returns the words of the probe that are safe for `fast`."""
    words = list(_probe_words([piece.decode("utf-8", errors="ignore") for piece in pieces]))
    safe = fast.is_safe(tf.constant([word.encode("utf-8") for word in words])).numpy()
    return [word for word, is_safe in zip(words, safe.tolist(), strict=True) if is_safe]


def _probe_words(pieces: list[str]) -> Iterator[str]:
    word = next(filter(_PLAIN_WORD.fullmatch, pieces), "a")
    endings = [piece[2:] for piece in pieces if _PLAIN_ENDING.fullmatch(piece)]
    shortest = min(endings, key=len, default="s")
    for char in CHARACTERS:
        yield from (char, char * 2, f"a{char}b", f"A{char}", f"{word}{char}{word}{char}")
    yield from pieces
    for piece in pieces[::CASING_STEP]:
        yield from (piece.upper(), piece.translate(_ACCENTS))
    yield from (word + ending for ending in endings)
    for length in WORD_LENGTHS:
        yield word + shortest * ((length - len(word)) // len(shortest))


def _agree(fast: Tokenize, slow: Tokenize, words: list[str]) -> bool:
    """Returns whether two tokenizers give the same ids for texts of these words."""
    texts = tf.constant([" ".join(some).encode() for some in in_batches(words, WORDS_A_TEXT)])
    found, expected = fast(texts), slow(texts)
    same_lengths = np.array_equal(found.row_splits, expected.row_splits)
    return same_lengths and np.array_equal(found.flat_values, expected.flat_values)
