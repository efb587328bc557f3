"""`join_tokens`: a text from its tokens, with or without spaces between them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import regex

__all__ = ["JOINERS", "are_unspaced", "is_unspaced", "join_tokens"]

JOINERS = ("auto", "space", "none")
# letters of scripts that are written without spaces between words, and their punctuation
_UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
    r"\u3000-\u303f\u30fb\u30fc\uff01-\uff60]"
)


def are_unspaced(rows: Iterable[Sequence[str]]) -> bool:
    """Returns whether most letters of some texts are of scripts without spaces."""
    letters = unspaced = 0
    for tokens in rows:
        for token in tokens:
            letters += sum(map(str.isalpha, token))
            unspaced += 0 if token.isascii() else len(_UNSPACED.findall(token))
    return 2 * unspaced > letters


def is_unspaced(character: str) -> bool:
    """Returns whether a character is of a script without spaces between words."""
    return _UNSPACED.match(character) is not None


def join_tokens(tokens: Sequence[str], joiner: str, unspaced: bool) -> tuple[str, list[int]]:
    """Returns the text of some tokens, and the start of each token in it.

    Args:
        tokens: The tokens.
        joiner: "space", "none", or "auto": a space, except in scripts without spaces.
        unspaced: Whether the file is in such a script; if so, "auto" puts a space only between
            words of other scripts.
    """
    if not tokens:
        return "", []
    parts, starts, place = [tokens[0]], [0], len(tokens[0])
    for left, right in itertools.pairwise(tokens):
        spaced = joiner == "space" or (joiner == "auto" and _are_spaced(left, right, unspaced))
        parts += [" ", right] if spaced else [right]
        starts.append(place + spaced)
        place += spaced + len(right)
    return "".join(parts), starts


def _are_spaced(left: str, right: str, unspaced: bool) -> bool:
    ends = left[-1], right[0]
    if not unspaced:
        return not all(map(is_unspaced, ends))
    # Files with a character a line have single letters of Latin words, and digits of numbers.
    words = len(left) > 1 or len(right) > 1
    return words and all(end.isalnum() and not is_unspaced(end) for end in ends)
