"""`cut_long_rows`: prepares texts with entities for training, and says what is changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.tasks.tagging import Aligned
from kerasnlp_lab.text.features import TokensInText
from kerasnlp_lab.text.raw_texts import replace_surrogates

__all__ = ["cut_long_rows", "notes_on"]

NAMED = 3


def notes_on(split: Split, part: str, aligned: Aligned) -> Iterator[str]:
    """Yields a line on entities that a model does not learn as they are.

    Args:
        split: The rows.
        part: Their name: "training" or "validation".
        aligned: The tags of their entities.
    """
    changed = {
        "begin or end inside a word; the model learns the whole word": aligned.moved,
        "have no word of their own, and the model does not learn them": aligned.lost,
    }
    every = sum(map(len, split.spans or ()))
    for what, entities in changed.items():
        if entities:
            named = [_named(split, row, span) for row, span in entities[:NAMED]]
            more = f" and {len(entities) - NAMED} more" if len(entities) > NAMED else ""
            yield f"{len(entities)} of {every} {part} entities {what}: {'; '.join(named)}{more}"


def _named(split: Split, row: int, span: Span) -> str:
    return f"{split.where(row)}: {split.texts[row][span.start : span.end]!r} ({span.label})"


def cut_long_rows(
    split: Split, part: str, found: TokensInText, tags: np.ndarray, room: int
) -> tuple[Split, list[str]]:
    """Cuts texts that are longer than the model's window, at word limits between entities.

    A row becomes several rows, which share its place in the file. No token is lost.

    Args:
        split: The rows.
        part: Their name: "training" or "validation".
        found: Their tokens, as NumPy arrays.
        tags: The tag of each token, int32 [tokens].
        room: The most tokens of a row.

    Returns:
        The rows, and a line on the cuts, if there are any.
    """
    first = np.cumsum(found.lengths) - found.lengths
    rows: list[int] = []
    texts: list[str] = []
    spans: list[tuple[Span, ...]] = []
    divided = 0
    for row, (text, of_text) in enumerate(zip(split.texts, split.spans or (), strict=True)):
        own = slice(first[row], first[row] + found.lengths[row])
        cuts = _cuts(found.continues[own], tags[own], room)
        encoded = replace_surrogates(text).encode() if cuts else b""
        places = [len(encoded[: found.starts[own][cut]].decode()) for cut in cuts]
        for begin, end in zip([0, *places], [*places, len(text)], strict=True):
            inside = [span for span in of_text if span.start < end and span.end > begin]
            divided += sum(span.end > end for span in inside)
            rows.append(row)
            texts.append(text[begin:end])
            parts = (Span(max(s - begin, 0), min(e, end) - begin, x) for s, e, x in inside)
            spans.append(tuple(parts))
    if len(rows) == len(split):
        return split, []
    long = int(np.sum(found.lengths > room))
    note = (
        f"{long} {part} texts have more than {room} tokens; they are cut into "
        f"{len(rows) - len(split) + long} texts, at words between entities"
    )
    if divided:
        note += f"; {divided} entities are longer than that and are cut too"
    cut = split.take(np.array(rows))
    return dataclasses.replace(cut, texts=texts, spans=spans), [note]


def _cuts(continues: np.ndarray, tags: np.ndarray, room: int) -> list[int]:
    """Returns the tokens before which a text is cut: words, and not within an entity if possible.

    Args:
        continues: Whether a token continues a word, bool [tokens].
        tags: The tag of each token, int32 [tokens].
        room: The most tokens of a part.
    """
    words = np.flatnonzero(~continues)
    between = np.flatnonzero(~continues & ((tags == 0) | (tags % 2 == 1)))
    cuts, begin = list[int](), 0
    while len(tags) - begin > room:
        last = [one[np.searchsorted(one, begin + room, "right") - 1] for one in (between, words)]
        begin = int(next((place for place in last if place > begin), begin + room))
        cuts.append(begin)
    return cuts
