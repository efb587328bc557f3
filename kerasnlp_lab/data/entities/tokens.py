"""Tokens with tags: the scheme of the tags, their entities, and the text that tokens make."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import regex

from kerasnlp_lab.data.spans import Span

__all__ = [
    "JOINERS",
    "are_unspaced",
    "chunks_of",
    "find_scheme",
    "is_tag",
    "is_unspaced",
    "join_tokens",
    "tag_problem",
]

_TAG = re.compile(r"([BIESLUMW])(?:[-_](.+))?")
_LETTERS = str.maketrans("LUMW", "ESIS")  # BILOU, BMES and BMEWO, as in BIOES
ONLY_LABEL = "ENTITY"  # of tags without a label: B, I, O
JOINERS = ("auto", "space", "none")
# letters of scripts that are written without spaces between words, and their punctuation
_UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
    r"\u3000-\u303f\u30fb\u30fc\uff01-\uff60]"
)


def is_tag(tag: str) -> bool:
    """Returns whether a tag is O, or a letter of a scheme with or without a label."""
    return tag == "O" or _TAG.fullmatch(tag) is not None


def find_scheme(rows: Iterable[Sequence[str]]) -> str:
    """Returns the scheme of the tags of some texts: IOB1, IOB2, IOE, BIOES, BILOU, BMES or IO.

    IO has labels alone: adjacent tokens of one label are one entity. Files of IOB1 begin more
    entities with I than with B; tags that break a scheme are rarer than those that keep it.
    """
    letters: Counter[str] = Counter()
    begins: Counter[str] = Counter()  # of entities, by the letter
    for tags in rows:
        before = ("O", "")
        for tag in tags:
            now = _parse(tag, "BIOES")
            letters[tag[0] if now[0] != "O" else "O"] += 1
            if now[0] == "B" or before[0] == "O" or before[1] != now[1]:
                begins[now[0]] += 1
            before = now
    others = sum(letters[letter] for letter in "SELUMW")
    if not others + letters["B"] + letters["I"]:
        return "IO"
    if not letters["B"] + letters["S"] + letters["U"] and others:
        return "IOE"
    if 2 * others >= letters["B"] and others:
        ends = {name: sum(letters[letter] for letter in name) for name in ("LU", "MW")}
        return "BILOU" if 2 * ends["LU"] > others else "BMES" if ends["MW"] else "BIOES"
    return "IOB1" if begins["I"] > begins["B"] else "IOB2"


def tag_problem(tag: str, scheme: str) -> str:
    """Returns why a tag cannot be read, or ""."""
    if "|" in tag:
        return f"several tags ({tag}); nested entities are not supported, one tag is expected"
    if scheme != "IO" and not is_tag(tag):
        return f"{tag!r} is no tag of the scheme {scheme}; expected O or a tag such as B-PER"
    return ""


def chunks_of(tags: Sequence[str], scheme: str) -> tuple[list[Span], dict[int, str]]:
    """Returns the entities of a text, and what breaks the scheme, by token.

    Tags that break their scheme are read as the script conlleval of CoNLL-2000 does: an entity
    begins where the one before has another label or is over.

    Args:
        tags: The tag of each token; `tag_problem` finds none in any.
        scheme: What `find_scheme` returned.
    """
    found: list[Span] = []
    broken: dict[int, str] = {}
    before = ("O", "")
    for token, tag in enumerate([*tags, "O"]):  # the end of the text, as O
        now = _parse(tag, scheme)
        inside = now[0] in "IE" and before[0] in "BI" and before[1] == now[1]
        if now[0] != "O" and inside:
            found[-1] = found[-1]._replace(end=token + 1)
        elif now[0] != "O":
            found.append(Span(token, token + 1, now[1]))
        if _breaks(before, now, inside, scheme):
            last = tags[token - 1] if token else "the beginning"
            here = tag if token < len(tags) else "the end"
            broken[min(token, len(tags) - 1)] = f"{here} after {last}"
        before = now
    return found, broken


def _breaks(before: tuple[str, str], now: tuple[str, str], inside: bool, scheme: str) -> bool:
    if scheme == "IOB1":  # B is for an entity that follows another one of its label
        first = before[0] == "O" or before[1] != now[1]
        return now[0] in "ES" or (now[0] == "B" and first)
    if scheme == "IOB2":
        return now[0] in "ES" or (now[0] == "I" and not inside)
    if scheme in ("IO", "IOE"):
        return False
    return (now[0] in "IE" or before[0] in "BI") and not inside


@lru_cache
def _parse(tag: str, scheme: str) -> tuple[str, str]:
    """Returns the letter of a tag in BIOES, and its label."""
    if tag == "O":
        return "O", ""
    if scheme == "IO":
        return "I", tag
    match = _TAG.fullmatch(tag)
    return (match[1].translate(_LETTERS), match[2] or ONLY_LABEL) if match else ("O", "")


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
