"""`any_text`: figures that draw any string literally, in installed fonts that have its script."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

from kerasnlp_lab.display import shown_names

__all__ = ["any_text", "drawn_names", "fonts_for", "legend_label", "without_font"]

FIRST = "DejaVu Sans"  # comes with matplotlib
# Has a glyph for every character: a box with the name of its script.
PLACEHOLDER = "Last Resort High-Efficiency"
LONGEST_NAME = 32  # cells, as in a terminal


def any_text(texts: Iterable[str]) -> AbstractContextManager[None]:
    """In its block, figures are made with fonts for these texts, and "$" starts no formula."""
    families, _ = fonts_for("".join(texts))
    return matplotlib.rc_context({"font.family": families, "text.parse_math": False})


def drawn_names(names: Sequence[str]) -> list[str]:
    """Returns class names as figures show them: see `shown_names`.

    A name with characters that no font has also starts with its number.
    """
    shown = shown_names(names, LONGEST_NAME)
    missing = set(fonts_for("".join(shown))[1])
    return [
        f"#{number} {name}" if missing & set(name) else name for number, name in enumerate(shown)
    ]


def legend_label(text: str) -> str:
    """Returns a text that a legend shows: matplotlib leaves out those that begin with "_"."""
    return f" {text}" if text.startswith("_") else text


def without_font(figures: Iterable[Figure]) -> str:
    """Returns the characters in figures that no installed font has, once each."""
    texts = (text.get_text() for figure in figures for text in figure.findobj(Text))
    return fonts_for("".join(texts))[1]


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
    missing = _lacking(font_manager.findfont(FIRST), missing)
    for font in sorted(font_manager.fontManager.ttflist, key=_plainest_first) if missing else []:
        if font.name != PLACEHOLDER and (rest := _lacking(font.fname, missing)) != missing:
            families.append(font.name)
            missing = rest
    return families, "".join(sorted(missing))


def _plainest_first(font: font_manager.FontEntry) -> tuple[bool, bool, bool, str]:
    plain = font.style == "normal" and font.weight in (400, "normal", "regular")
    return not plain, "Sans" not in font.name, "Mono" in font.name, font.name


def _lacking(path: str, characters: set[str]) -> set[str]:
    """Returns those of the characters that a font has no glyph for."""
    return {one for one in characters if not _has(path, one)}


@functools.lru_cache(100_000)
def _has(path: str, character: str) -> bool:
    try:
        return bool(_font(path).get_char_index(ord(character)))
    except (OSError, RuntimeError):  # a damaged font file
        return False


@functools.lru_cache(8)  # all fonts of a machine may have 200 MB
def _font(path: str) -> FT2Font:
    return FT2Font(path)
