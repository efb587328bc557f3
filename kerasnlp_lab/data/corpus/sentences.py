"""`split_sentences`: cuts a text into sentences by the library sentencex."""

from __future__ import annotations

import re

__all__ = ["split_sentences"]

WINDOW = 10_000  # characters at a time: the library's time grows with the square of a paragraph
_BLANK_LINES = re.compile(r"\n\s*\n")
_NOT_FOR_LIBRARY = re.compile(r"[^\S ]|[\ud800-\udfff]")


def split_sentences(text: str, language: str = "en") -> list[str]:
    """Returns the sentences of a text, without the white space between them.

    A sentence ends at a blank line too. One of more than 10,000 characters may be cut at a space.
    Every character but white space is kept.

    Args:
        text: The text.
        language: An ISO 639 code. The library knows the abbreviations and the full stops of some
            300 languages; English rules apply to others.
    """
    paragraphs = _BLANK_LINES.split(text)
    return [one for paragraph in paragraphs for one in _of_paragraph(paragraph, language)]


def _of_paragraph(paragraph: str, language: str) -> list[str]:
    import sentencex

    # The library fails on some white space of several bytes, so it gets a copy with plain spaces.
    plain = _NOT_FOR_LIBRARY.sub(" ", paragraph)
    sentences, start = [], 0
    while start < len(plain):
        window = plain[start : start + WINDOW]
        pieces = list(sentencex.segment(language, window)) or [window]
        if start + WINDOW < len(plain):  # the last piece may continue after the window
            pieces = pieces[:-1] or [window[: window.rfind(" ") + 1] or window]
        for piece in pieces:
            sentences.append(paragraph[start : start + len(piece)].strip())
            start += len(piece)
    return [sentence for sentence in sentences if sentence]
