"""Tags of tokens: their scheme, and the entities that they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Chunk", "chunks_of", "find_scheme", "is_tag", "tag_problem"]

_TAG = re.compile(r"([BIESLUMW])(?:[-_](.+))?")
_LETTERS = str.maketrans("LUMW", "ESIS")  # BILOU, BMES and BMEWO, as in BIOES
ONLY_LABEL = "ENTITY"  # of tags without a label: B, I, O


class Chunk(NamedTuple):
    """An entity as tokens.

    Args:
        first: Its first token.
        end: The token after its last one.
        label: Its label.
    """

    first: int
    end: int
    label: str


def is_tag(tag: str) -> bool:
    """Returns whether a tag is O, or a letter of a scheme with or without a label."""
    return tag == "O" or _TAG.fullmatch(tag) is not None


def find_scheme(rows: Iterable[Sequence[str]]) -> str:
    """Returns the scheme of the tags of some texts: IOB1, IOB2, IOE, BIOES, BILOU, BMES or IO.

    IO has labels alone: adjacent tokens of one label are one entity. Files of IOB1 begin more
    entities with I than with B; tags that break a scheme are rarer than those that keep it.
    """
    letters: set[str] = set()
    begins = {"B": 0, "I": 0}
    for tags in rows:
        before = ("O", "")
        for tag in tags:
            match = _TAG.fullmatch(tag)
            now = _parse(tag, "BIOES")
            if match:
                letters.add(match[1])
            if now[0] in begins and (now[0] == "B" or before[0] == "O" or before[1] != now[1]):
                begins[now[0]] += 1
            before = now
    if not letters:
        return "IO"
    if letters & set("SELUMW"):
        if not letters & set("BSUW"):
            return "IOE"
        return "BILOU" if letters & set("LU") else "BMES" if letters & set("MW") else "BIOES"
    return "IOB1" if begins["I"] > begins["B"] else "IOB2"


def tag_problem(tag: str, scheme: str) -> str:
    """Returns why a tag cannot be read, or ""."""
    if "|" in tag:
        return f"several tags ({tag}); nested entities are not supported, one tag is expected"
    if scheme != "IO" and not is_tag(tag):
        return f"{tag!r} is no tag of the scheme {scheme}; expected O, B-LABEL, I-LABEL or alike"
    return ""


def chunks_of(tags: Sequence[str], scheme: str) -> tuple[list[Chunk], dict[int, str]]:
    """Returns the entities of a text, and what breaks the scheme, by token.

    Tags that break their scheme are read as the script conlleval of CoNLL-2000 does: an entity
    begins where the one before has another label or is over.

    Args:
        tags: The tag of each token; `tag_problem` finds none in any.
        scheme: What `find_scheme` returned.
    """
    found: list[Chunk] = []
    broken: dict[int, str] = {}
    before = ("O", "")
    for token, tag in enumerate([*tags, "O"]):  # the end of the text, as O
        now = _parse(tag, scheme)
        inside = now[0] in "IE" and before[0] in "BI" and before[1] == now[1]
        if now[0] != "O" and inside:
            found[-1] = found[-1]._replace(end=token + 1)
        elif now[0] != "O":
            found.append(Chunk(token, token + 1, now[1]))
        if _breaks(before, now, inside, scheme):
            last = tags[token - 1] if token else "the beginning"
            here = tag if token < len(tags) else "the end"
            broken[min(token, len(tags) - 1)] = f"{here} after {last}"
        before = now
    return found, broken


def _breaks(before: tuple[str, str], now: tuple[str, str], inside: bool, scheme: str) -> bool:
    if scheme == "IOB1":  # B is for an entity that follows another one of its label
        return now[0] == "B" and (before[0] == "O" or before[1] != now[1])
    if scheme == "IOB2":
        return now[0] == "I" and not inside
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
