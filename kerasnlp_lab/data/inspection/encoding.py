"""Encoding damage in texts, and undoing it."""

from __future__ import annotations

import html
import os.path
import re
import unicodedata
from html.entities import html5

import ftfy
from ftfy.badness import BADNESS_RE
from ftfy.fixes import remove_control_chars, remove_terminal_escapes

from kerasnlp_lab.data.inspection.finding import printable
from kerasnlp_lab.data.pairs import is_pair, join_pair, shown_pair, split_pair

__all__ = ["damage", "mend", "shown_change"]

_ORDINARY = re.compile(r"[\t\n\f\r -~]*")
_C1 = re.compile(r"[\x80-\x9f]")
_LOST = re.compile("[\ufeff\ufffd]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufff9-\ufffc]")
_ENTITY = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
    # as in AG News, where a space replaced the ampersand
    r"|(?:^| )(?:#[0-9]{2,5}|amp|quot|lt|gt|nbsp|apos);"
)
_CONFIG = ftfy.TextFixerConfig(replace_lossy_sequences=False, explain=False)
PASSES = 10
EXAMPLES = 3
CONTEXT = 15
SHOWN = 60


def damage(text: str) -> dict[str, str]:
    """Returns the kinds of damage that a text has, each with its evidence.

    Mojibake is detected by ftfy's badness heuristic, https://ftfy.readthedocs.io. What joins the
    texts of a pair is no damage.
    """
    text = shown_pair(text)
    found = {"html_entity": [match for match in _ENTITY.findall(text) if _unescaped(match)]}
    if not _ORDINARY.fullmatch(text):
        found["mojibake"] = [match for match in BADNESS_RE.findall(text) if _C1.sub("", match)]
        found["mojibake"] = [match for match in found["mojibake"] if match.strip("\ufffd")]
        rest = text
        for match in found["mojibake"]:
            rest = rest.replace(match, "")
        found["c1_control"] = _C1.findall(rest)
        found["replacement_character"] = re.findall("\ufffd", text)
        found["control_character"] = _CONTROL.findall(text)
        found["byte_order_mark"] = re.findall("\ufeff", text)
    return {kind: _listed(matches) for kind, matches in found.items() if matches}


def _listed(matches: list[str]) -> str:
    names = list(dict.fromkeys(_name(match.strip()) or _name(match) for match in matches))
    more = " and more" if len(names) > EXAMPLES else ""
    places = f" in {len(matches)} places" if len(matches) > 1 else ""
    return ", ".join(names[:EXAMPLES]) + more + places


def _name(match: str) -> str:
    """Returns a match as it is, or by its code if it is a single character."""
    if len(match) == 1:
        return f"U+{ord(match):04X}"
    return f'"{printable(match)}"' if match else ""


def mend(text: str) -> str:
    """Returns a text with all damage undone that can be, and otherwise unchanged.

    HTML entities become their characters, ftfy decodes mojibake and C1 controls, and control
    characters and byte order marks are removed. Nothing else changes, neither curly quotes nor
    the width of characters. A text without damage comes back unchanged, and so does one that
    mending would damage in another way. Of a pair, both texts are mended; the pair is "" if one of
    them is.
    """
    if is_pair(text):
        first, second = map(mend, split_pair(text))
        return join_pair(first, second) if first and second else ""
    before = damage(text)
    if not before:
        return text
    mended = text
    for _ in range(PASSES):  # undoing one kind can uncover another, as in &amp;lt;
        last, mended = mended, _mended_once(mended)
        if mended == last:
            break
    mended = mended.strip()
    return mended if damage(mended).keys() <= before.keys() else text


def _mended_once(text: str) -> str:
    text = _ENTITY.sub(lambda match: _unescaped(match.group()) or match.group(), text)
    decoded = ftfy.fix_encoding(text, _CONFIG)
    if decoded != text and _stray_marks(decoded) <= _stray_marks(text):
        text = decoded
    return remove_control_chars(remove_terminal_escapes(text))


def _stray_marks(text: str) -> int:
    """Counts accents on characters that take none: a sign that ftfy decoded too much."""
    kinds = "Z" + "".join(unicodedata.category(c)[0] for c in text)
    return len(re.findall("[ZPC]M", kinds))


def _unescaped(entity: str) -> str:
    """Returns an entity's characters; "" if it is no entity, or they are damage too."""
    name = entity.lstrip(" &")
    found = html.unescape(f"&{name}") if name.startswith("#") else html5.get(name, "")
    damaged = any(r.search(found) for r in (_C1, _CONTROL, _LOST))
    return "" if damaged or (name.startswith("#") and found.endswith(name)) else found


def shown_change(before: str, after: str) -> str:
    """Returns a mended text around its first change, fit to be printed."""
    before, after = shown_pair(before), shown_pair(after)
    start = max(0, len(os.path.commonprefix([before, after])) - CONTEXT)
    dots = "…" if start else "", "…" if start + SHOWN < len(after) else ""
    return f'"{dots[0]}{printable(after[start : start + SHOWN])}{dots[1]}"'
