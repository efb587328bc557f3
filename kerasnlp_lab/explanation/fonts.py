"""`fonts_for`: finds installed fonts that can draw a text in any script."""

from __future__ import annotations

from functools import cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

__all__ = ["fonts_for"]

FIRST = "DejaVu Sans"  # comes with matplotlib
# Has a glyph for every character: a box with the name of its script.
PLACEHOLDER = "Last Resort High-Efficiency"


def fonts_for(text: str) -> tuple[list[str], str]:
    """Returns the installed fonts to draw a text with, and the characters that they all lack.

    Args:
        text: Any text.

    Returns:
        The names of font families, in the order in which to look for a character; and the
        characters that no installed font has, once each.
    """
    missing = {character for character in text if character.isprintable() and character != " "}
    families = [FIRST]
    missing -= _characters(font_manager.findfont(FIRST))
    for font in sorted(font_manager.fontManager.ttflist, key=_plainest_first) if missing else []:
        if font.name != PLACEHOLDER and missing & _characters(font.fname):
            families.append(font.name)
            missing -= _characters(font.fname)
    return families, "".join(sorted(missing))


def _plainest_first(font: font_manager.FontEntry) -> tuple[bool, bool, bool, str]:
    plain = font.style == "normal" and font.weight in (400, "normal", "regular")
    return not plain, "Sans" not in font.name, "Mono" in font.name, font.name


@cache
def _characters(path: str) -> set[str]:
    """Returns the characters that a font has glyphs for."""
    return set(map(chr, FT2Font(path).get_charmap()))
