"""Finds words in any script: where no spaces are written, each letter counts as a word."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import regex

__all__ = ["UNSPACED", "is_unspaced", "split_words", "unspaced_share", "word_count"]

UNSPACED = (
    "Han Hiragana Katakana Bopomofo Yi Thai Lao Khmer Myanmar Tibetan Javanese Balinese Tai_Le "
    "New_Tai_Lue Tai_Tham Tai_Viet"
).split()
"""The scripts that are written without spaces between words."""

SAMPLE = 1000  # texts

# Shared letters count too, such as the long vowel mark of both Japanese syllabaries.
_SCRIPTS = "".join(rf"\p{{scx={script}}}" for script in UNSPACED)
_UNSPACED = rf"[[\p{{L}}\p{{Nl}}]&&[{_SCRIPTS}]]"
_SPACED = rf"[[\p{{L}}\p{{N}}_]--{_UNSPACED}]"
# Vowel signs and accents belong to their letters, and so do the joiners of Persian and Hindi.
_MARKS = r"\p{M}\u200c\u200d"
_LETTER = regex.compile(r"[\p{L}\p{Nl}]")
_UNSPACED_LETTER = regex.compile(_UNSPACED, regex.V1)
_WORD = regex.compile(rf"{_UNSPACED}[{_MARKS}]*|{_SPACED}(?:{_SPACED}|[{_MARKS}])*", regex.V1)
_ASCII_WORD = regex.compile(r"\w+")


def is_unspaced(text: str) -> bool:
    """Whether a text begins with a letter of a script without spaces."""
    return bool(_UNSPACED_LETTER.match(text))


def split_words(text: str) -> list[str]:
    """Returns the words of a text without punctuation, in order.

    A word is a run of letters and digits with their combining marks. A letter of a script
    without spaces is a word of its own.

    Example:
        >>> split_words("Hello, 東京タワー!")
        ['Hello', '東', '京', 'タ', 'ワ', 'ー']
    """
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text)


def word_count(text: str) -> int:
    """Returns the number of words between white space, where unspaced letters count each."""
    parts = text.split()
    if text.isascii():
        return len(parts)
    return sum(len(split_words(part)) if _UNSPACED_LETTER.search(part) else 1 for part in parts)


def unspaced_share(texts: Iterable[str]) -> float:
    """Returns the share of letters, in the first 1,000 texts, of scripts without spaces."""
    unspaced = letters = 0
    for text in islice(texts, SAMPLE):
        letters += len(_LETTER.findall(text))
        unspaced += 0 if text.isascii() else len(_UNSPACED_LETTER.findall(text))
    return unspaced / max(letters, 1)
