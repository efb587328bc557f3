"""Writing systems: the scripts of letters, and words that mix two of them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache

import regex

__all__ = ["SCRIPTS", "mixed_words", "script_counts"]

SCRIPTS = tuple(
    """
    Latin Cyrillic Greek Armenian Georgian Hebrew Arabic Han Hiragana Katakana Hangul Bopomofo
    Devanagari Bengali Gurmukhi Gujarati Tamil Telugu Kannada Malayalam Sinhala Thai Lao Khmer
    Myanmar Tibetan Ethiopic Mongolian Cherokee Thaana Syriac Coptic
    """.split()
)
ALIKE = {"Latin", "Cyrillic", "Greek", "Armenian", "Cherokee", "Coptic"}
_PATTERNS = {script: regex.compile(rf"\p{{Script={script}}}") for script in SCRIPTS}
_ASCII_LETTER = re.compile("[A-Za-z]")
_WORD = re.compile(r"\w+")


@cache
def _script(character: str) -> str:
    """Returns a letter's script; "" for other characters and letters of every script."""
    if not unicodedata.category(character).startswith("L"):
        return ""
    found = (script for script, pattern in _PATTERNS.items() if pattern.match(character))
    shared = regex.match(r"\p{Script=Common}|\p{Script=Inherited}", character)
    return next(found, "" if shared else "Other")


def script_counts(text: str) -> Counter[str]:
    """Returns the number of letters of each script in a text."""
    if text.isascii():
        latin = len(_ASCII_LETTER.findall(text))
        return Counter(Latin=latin) if latin else Counter()
    counts = Counter(map(_script, text))
    del counts[""]
    return counts


def mixed_words(text: str) -> dict[str, str]:
    """Returns the words with letters of two scripts that look alike, each with the scripts.

    Latin, Cyrillic, Greek, Armenian, Cherokee and Coptic share shapes, and spam exploits that.
    Scripts that are written side by side, such as Han and Hiragana, do not count as a mix.
    """
    found = {}
    if not text.isascii():
        for word in _WORD.findall(text):
            scripts = {_script(character) for character in word} & ALIKE
            if len(scripts) > 1:
                found[word] = " and ".join(sorted(scripts))
    return found
