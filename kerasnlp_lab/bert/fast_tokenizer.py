"""`FastTokenizer`: word pieces of common characters, ten times as fast as a TF Hub module.

A preprocessing module rewrites and splits texts by regular expressions. tensorflow_text's
FastWordpieceTokenizer finds the same word pieces in one pass, but treats rarer characters
differently. So it is given only safe texts, whose characters all tokenizers treat alike:

    ASCII       printable characters, tab and line ends; words of any length
    extended    accented Latin, Greek, Cyrillic and common punctuation besides, in words so
                short that a limit in bytes and one in characters are both out of reach

Whether a safe character is rewritten, and whether it separates words, does not depend on its
neighbours. So a property of every safe character is a property of every safe text.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tensorflow_text

from kerasnlp_lab._internals import build_fast_bert_normalizer_model
from kerasnlp_lab.text.features import TokensInText
from kerasnlp_lab.text.wordpiece import on_cpu, wordpiece_tokenizer

__all__ = ["CASED", "UNCASED", "Alphabet", "FastTokenizer", "Tokenize"]

Tokenize = Callable[[tf.Tensor], tf.RaggedTensor]
"""Texts, strings of shape [batch], to word pieces, int32 of shape [batch, (tokens)]."""

MAX_BYTES_PER_WORD = 100  # a longer word is [UNK]; others count characters: ASCII is the same
LONGEST_EXTENDED_WORD = 33  # characters, of at most 3 bytes

_ASCII = r"[\t\n\r -~]*"
_ASCII_WORDS = "0-9A-Za-z"
_ASCII_BREAKS = r"\t\n\r -/:-@\[-`{-~"
_GREEK = r"\x{386}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3C1}\x{3C3}-\x{3CE}"
_CYRILLIC = r"\x{400}-\x{481}\x{48A}-\x{52F}"
_EURO = r"\x{20AC}"
# Latin punctuation, dashes, quotation marks and bullets.
_BREAKS = r"\x{A1}\x{A7}\x{AB}\x{B6}\x{B7}\x{BB}\x{BF}\x{2010}\x{2012}-\x{2015}\x{2018}-\x{2022}"


@dataclass(frozen=True)
class Alphabet:
    """The safe characters beyond ASCII, as ranges of a regular expression."""

    words: str  # characters that form words
    breaks: str  # characters that separate words

    @property
    def safe_texts(self) -> str:
        """The regular expression of all safe texts, ASCII ones with long words excepted."""
        words, breaks = _ASCII_WORDS + self.words, _ASCII_BREAKS + self.breaks
        word = rf"[{words}]{{0,{LONGEST_EXTENDED_WORD}}}"
        return f"(?:{word}[{breaks}])*{word}"


# Without what decomposes into several characters, or becomes another one: \u00df, \u00bd, \u01c6.
UNCASED = Alphabet(
    r"\x{A2}-\x{A6}\x{A9}\x{AC}\x{AE}\x{B0}\x{B1}\x{C0}-\x{DE}\x{E0}-\x{12F}\x{134}-\x{13E}"
    r"\x{141}-\x{148}\x{14A}-\x{17E}\x{180}-\x{1C3}\x{1CD}-\x{1F0}\x{1F4}-\x{24F}"
    + (_GREEK + _CYRILLIC + _EURO),
    _BREAKS + r"\x{A0}",
)
CASED = Alphabet(
    r"\x{A2}-\x{A6}\x{A8}-\x{AA}\x{AC}\x{AE}-\x{B5}\x{B8}-\x{BA}\x{BC}-\x{BE}\x{C0}-\x{24F}"
    + (_GREEK + _CYRILLIC + _EURO),
    _BREAKS + r"\x{2026}",
)


class FastTokenizer:
    """Safe texts to word pieces.

    Args:
        pieces: The vocabulary, UTF-8, in the order of the ids.
        uncased: Whether texts are lower-cased, and lose their accents.
        extended: Whether texts of other characters than ASCII are safe.

    Raises:
        RuntimeError: tensorflow_text cannot use the vocabulary.

    Source: `kerasnlp_lab.text.wordpiece.wordpiece_tokenizer`.
    """

    def __init__(self, pieces: list[bytes], *, uncased: bool, extended: bool = True):
        self._pieces = wordpiece_tokenizer(pieces, MAX_BYTES_PER_WORD)
        self._normalizer = tensorflow_text.FastBertNormalizer(
            model_buffer=on_cpu(build_fast_bert_normalizer_model(uncased))
        )
        self._continues = np.array([piece.startswith(b"##") for piece in pieces])
        self.uncased = uncased
        self.extended = extended

    def only_ascii(self) -> FastTokenizer:
        """Returns the same tokenizer with only ASCII as safe characters."""
        other = copy.copy(self)
        other.extended = False
        return other

    def is_ascii(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns which texts, [batch], are safe ASCII only, bool of shape [batch]."""
        return tf.strings.regex_full_match(texts, _ASCII)

    def is_safe(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns which texts, [batch], are safe, bool of shape [batch]."""
        if not self.extended:
            return self.is_ascii(texts)
        alphabet = UNCASED if self.uncased else CASED
        return tf.strings.regex_full_match(texts, f"{_ASCII}|{alphabet.safe_texts}")

    def tokenize_ascii(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts, [batch], that are all safe ASCII, into ids, int32 [batch, (tokens)]."""
        return self._pieces.tokenize(tf.strings.lower(texts) if self.uncased else texts)

    def tokenize_safe(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts, [batch], that are all safe, into ids, int32 [batch, (tokens)]."""
        if not (self.extended and self.uncased):
            return self.tokenize_ascii(texts)
        return self._pieces.tokenize(self._normalizer.normalize(texts))

    def tokenize(self, texts: tf.Tensor, otherwise: Tokenize) -> tf.RaggedTensor:
        """Splits any texts, [batch], within a graph, into ids, int32 [batch, (tokens)].

        `otherwise` splits the texts that are not safe.
        """

        def not_only_ascii() -> tf.RaggedTensor:
            safe = self.is_safe(texts)
            return tf.cond(
                tf.reduce_all(safe),
                lambda: self.tokenize_safe(texts),
                lambda: self._divided(texts, safe, otherwise),
            )

        only_ascii = tf.reduce_all(self.is_ascii(texts))
        return tf.cond(only_ascii, lambda: self.tokenize_ascii(texts), not_only_ascii)

    def find_tokens(self, texts: tf.Tensor) -> TokensInText:
        """Finds the word pieces of any texts in valid UTF-8, [batch], with their offsets.

        The ids are those of `tokenize` for safe texts. Other texts are read by the same two
        operations, which have offsets and which differ from a TF Hub module on a few rarer
        characters, such as those with a compatibility form (U+2026 is three dots).
        """
        plain, origins = self._normalizer.normalize_with_offsets(texts)
        ids, starts, ends = self._pieces.tokenize_with_offsets(plain)
        # A byte of `plain` comes from the character that begins at its origin. A character can
        # become several, such as a Hangul syllable: a piece of it has the offsets of it all.
        lengths = ids.row_lengths()
        rows = tf.repeat(origins.row_starts(), lengths)
        flat = origins.flat_values
        first = tf.scatter_nd(
            origins.row_starts()[:, tf.newaxis],
            tf.ones_like(origins.row_starts()),
            tf.shape(flat, tf.int64),
        )
        changes = (tf.concat([[-1], flat[:-1]], axis=0) != flat) | (first > 0)
        character = tf.cumsum(tf.cast(changes, tf.int64)) - 1  # of each byte
        begins = tf.boolean_mask(flat, changes)  # the offset of each character
        return TokensInText(
            ids.flat_values,
            lengths,
            tf.gather(flat, rows + starts.flat_values),
            tf.gather(begins, tf.gather(character, rows + ends.flat_values - 1) + 1),
            tf.gather(tf.constant(self._continues), ids.flat_values),
        )

    def _divided(self, texts: tf.Tensor, safe: tf.Tensor, otherwise: Tokenize) -> tf.RaggedTensor:
        """Splits safe and other texts separately, and restores their order."""
        rows = tf.concat([tf.where(safe)[:, 0], tf.where(~safe)[:, 0]], axis=0)
        fast = self.tokenize_safe(tf.boolean_mask(texts, safe))
        slow = otherwise(tf.boolean_mask(texts, ~safe))
        return tf.gather(tf.concat([fast, slow], axis=0), tf.math.invert_permutation(rows))
