"""`PieceVectorizer`: turns texts of any script into ids of word pieces or characters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import regex
import tensorflow as tf
import tensorflow_text

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text.vectorizer import TextVectorizer
from kerasnlp_lab.text.wordpiece import count_words, learn_pieces, wordpiece_tokenizer

__all__ = ["PieceVectorizer", "need_pieces"]

VOCABULARY_FILE = "pieces.txt"
SPECIAL_TOKENS = ("[PAD]", "[UNK]")
MAX_BYTES_PER_WORD = 400  # at least 100 characters

LONGEST_RUN = 100  # letters of a script without spaces that are split into pieces together


def _class_of(scripts: str) -> str:
    return "".join(rf"\p{{{script}}}" for script in scripts.split())


# Scripts that put no spaces between words: those whose letters mean much by themselves, and those
# of few letters. Tibetan is of neither kind: it ends each syllable with a punctuation mark.
_SINGLE = _class_of("Han Hiragana Katakana Bopomofo")
_RUNS = _class_of("Thai Lao Khmer Myanmar Tai_Le New_Tai_Lue Tai_Tham Tai_Viet Javanese Balinese")
_APART = rf"[\p{{P}}\p{{S}}{_SINGLE}]"
_LETTER = regex.compile(r"[\p{L}\p{M}]")
_RUN_LETTER = regex.compile(f"[{_RUNS}]")
# With the mark of a long vowel.
_UNSPACED = regex.compile(rf"[{_SINGLE}{_RUNS}][{_SINGLE}{_RUNS}\u30fc]*")
_ASCII = r"[\t\n\r -~]*"
SAMPLE = 2000  # texts
FEWEST_UNSPACED = 0.1  # share of the letters
LONG_WORD = 5  # letters between two spaces; a Chinese or Thai word has about 2 or 4


def need_pieces(texts: Collection[str | bytes]) -> bool:
    """Returns whether spaces do not separate the words of many texts.

    It looks at up to 2,000 texts, spread over all if they can be read in any order. A tenth of
    the letters must be of scripts without spaces, unless someone has put spaces between the words.
    """
    step = max(1, len(texts) // SAMPLE) if isinstance(texts, Sequence) else 1
    letters = unspaced = runs = unspaced_texts = 0
    for text in islice(texts, 0, SAMPLE * step, step):
        decoded = text if isinstance(text, str) else text.decode("utf-8", "replace")
        letters += len(_LETTER.findall(decoded))
        found = _UNSPACED.findall(decoded)
        unspaced += sum(map(len, found))
        runs += len(found)
        unspaced_texts += bool(found)
    divided = unspaced < LONG_WORD * runs and runs >= 1.5 * unspaced_texts
    return unspaced > FEWEST_UNSPACED * letters and not divided


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class PieceVectorizer(TextVectorizer):
    """Word pieces, or single characters, of a vocabulary that is learned from the training texts.

    Texts are case-folded and brought into one form, Unicode's NFKC_Casefold: capitals, full-width
    letters and ligatures become plain ones, accents and vowel signs stay, and characters without
    a shape, such as a zero-width joiner, go. Punctuation marks and symbols, emoji included, are
    words of their own.

    Words between spaces are split into pieces. In Chinese and Japanese, each letter is a word. In
    Thai, Lao, Khmer and Burmese, all letters between spaces or punctuation are split into pieces
    as if they were one word. With ``characters``, each letter with the marks on it is a word, in
    every script.

    Id 0 is padding. Id 1, [UNK], stands for a word with a character that is not in the
    vocabulary, and for a word of more than 400 bytes. In scripts that put no spaces between
    words it stands for that one character.

    Args:
        max_length: The length of the longest sequence, in pieces.
        vocab_size: The largest number of ids, the two special ones included.
        characters: Whether every character is a word.

    Features:
        token_ids: int32 of shape [batch, seq].

    Example:
        >>> vectorizer = PieceVectorizer(max_length=256, vocab_size=20000)
        >>> vectorizer.adapt(["he played, she played", "東京の天気"])
        >>> [vectorizer.vocabulary()[i] for i in vectorizer.tokenize(["Played 天"]).to_list()[0]]
        ['played', '天']
    """

    def __init__(self, max_length: int, vocab_size: int, characters: bool = False, **kwargs: Any):
        super().__init__(max_length, **kwargs)
        self.vocab_size, self.characters = vocab_size, characters
        self._pieces: list[str] = []
        self._run = f"[{_RUNS}]"

    @property
    def word_pattern(self) -> regex.Pattern[str]:
        # For a text that is not folded. In Thai and Lao, folding splits the vowel AM.
        marks = r"[\p{M}\u0e33\u0eb3]*"
        if self.characters:
            return regex.compile(rf"[^\s\p{{M}}]{marks}")
        return regex.compile(rf"{self._apart}|(?:(?!{_APART})[^\s{_RUNS}])+")

    @property
    def _apart(self) -> str:
        """The pattern of a word that needs no spaces around it."""
        if self.characters:
            return r"[^ \p{M}]\p{M}*"
        return rf"{_APART}\p{{M}}*|{self._run}{{1,{LONGEST_RUN}}}|[{_RUNS}]"

    def adapt(self, texts: Collection[str | bytes]) -> None:
        self._run = f"[{_RUNS}]"
        words = count_words(texts, self._spaced)
        if not words:
            raise DataError("the training texts hold no characters; there is nothing to learn")
        # Each letter is to be a piece at the start of a run and within, wherever it was seen.
        for letter in set(_RUN_LETTER.findall("".join(words))):
            words[2 * letter] += 1
        self._set(learn_pieces(words, self.vocab_size, SPECIAL_TOKENS))

    def get_config(self) -> dict[str, Any]:
        own = {"vocab_size": self.vocab_size, "characters": self.characters}
        return {**super().get_config(), **own}

    def save_files(self, folder: Path) -> None:
        (folder / VOCABULARY_FILE).write_text(
            "\n".join(self._pieces), encoding="utf-8", newline="\n"
        )

    def load_files(self, folder: Path) -> None:
        self._set((folder / VOCABULARY_FILE).read_bytes().decode().split("\n"))

    def _set(self, pieces: list[str]) -> None:
        self._pieces = pieces
        every = set(pieces)
        known = {piece for piece in pieces if f"##{piece}" in every}
        # A letter without a piece would make [UNK] of all letters around it.
        letters = "".join(sorted(filter(_RUN_LETTER.fullmatch, known)))
        self._run = f"[{letters or _RUNS}]"
        self._tokenizer = wordpiece_tokenizer(pieces, MAX_BYTES_PER_WORD)
        self._make_graph()

    def vocabulary(self) -> list[str]:
        return list(self._pieces)

    def tokenize_clean(self, texts: tf.Tensor) -> tf.RaggedTensor:
        if not self._pieces:
            raise DataError("the vectorizer has no vocabulary yet; call adapt with training texts")
        if self.characters:
            return self._tokenizer.tokenize(self._spaced(texts))
        # The tokenizer splits ASCII texts in the same way, and folding only lower-cases them.
        spaced = tf.cond(
            tf.reduce_all(tf.strings.regex_full_match(texts, _ASCII)),
            lambda: tf.strings.lower(texts),
            lambda: self._spaced(texts),
        )
        return self._tokenizer.tokenize(spaced)

    def _spaced(self, texts: tf.Tensor) -> tf.Tensor:
        """Folds texts in valid UTF-8, [batch], and puts spaces around their words."""
        folded = tensorflow_text.case_fold_utf8(texts)
        folded = tf.strings.regex_replace(folded, r"[\p{Z}\p{Cc}]", " ")
        return tf.strings.regex_replace(folded, f"({self._apart})", r" \1 ")
