"""`cut_long_rows`: prepares texts with entities for training, and says what is changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.tasks.tagging import Aligned
from kerasnlp_lab.text.vectorizer import TokensInText, replace_surrogates

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
    long = np.flatnonzero(found.lengths > room)
    if not long.size:
        return split, []
    first = np.cumsum(found.lengths) - found.lengths
    rows: list[int] = []
    texts: list[str] = []
    spans: list[tuple[Span, ...]] = []
    divided = 0
    for row in range(len(split)):
        own = slice(first[row], first[row] + found.lengths[row])
        text, of_text = split.texts[row], tuple(split.spans or ())[row]
        cuts: list[int] = []
        if found.lengths[row] > room:
            at = _cuts(found.continues[own], tags[own] % 2 == 0, tags[own] > 0, room)
            encoded = replace_surrogates(text).encode()
            cuts = [len(encoded[: found.starts[own][place]].decode()) for place in at]
        for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            inside = [span for span in of_text if span.start < end and span.end > begin]
            divided += sum(span.end > end for span in inside)
            rows.append(row)
            texts.append(text[begin:end])
            spans.append(
                tuple(
                    Span(max(span.start, begin) - begin, min(span.end, end) - begin, span.label)
                    for span in inside
                )
            )
    note = (
        f"{len(long)} {part} texts have more than {room} tokens; they are cut into "
        f"{len(rows) - len(split) + len(long)} texts, at words between entities"
    )
    if divided:
        note += f"; {divided} entities are longer than that and are cut too"
    cut = dataclasses.replace(split.take(np.array(rows)), texts=texts, spans=spans)
    return cut, [note]


def _cuts(
    continues: np.ndarray, not_begin: np.ndarray, in_entity: np.ndarray, room: int
) -> Sequence[int]:
    """Returns the tokens at which a text is cut, so that its parts are of about equal length.

    Args:
        continues: Whether a token continues a word, bool [tokens].
        not_begin: Whether a token does not begin an entity, bool [tokens].
        in_entity: Whether a token is in an entity, bool [tokens].
        room: The most tokens of a part.
    """
    words = np.flatnonzero(~continues)
    between = np.flatnonzero(~continues & ~(in_entity & not_begin))
    cuts, begin, length = [], 0, len(continues)
    while length - begin > room:
        wanted = begin + -(-(length - begin) // -(-(length - begin) // room))
        for places, most in ((between, wanted), (between, begin + room), (words, begin + room)):
            place = int(np.searchsorted(places, most, side="right")) - 1
            if places[place] > begin:
                begin = int(places[place])
                break
        else:
            begin += room
        cuts.append(begin)
    return cuts
