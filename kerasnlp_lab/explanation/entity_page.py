"""`entity_page`: texts with their entities marked, as one HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kerasnlp_lab.evaluation.report import render_page
from kerasnlp_lab.tasks import Entity, TextEntities

__all__ = ["entity_page"]


def entity_page(answers: Sequence[TextEntities], label_names: Sequence[str]) -> str:
    """Returns a page that needs only a browser, no network.

    Args:
        answers: The texts with their entities.
        label_names: The types of entities. Each has a colour.
    """
    count = len(label_names)
    hues = {name: round(360 * number / count) for number, name in enumerate(label_names)}
    return render_page(
        "kerasnlp_lab.explanation",
        "entities.html.j2",
        texts=[list(_parts(answer)) for answer in answers],
        hues=hues,
    )


def _parts(answer: TextEntities) -> Iterator[tuple[str, Entity | None]]:
    """Yields the parts of a text, each with its entity or None."""
    place = 0
    for entity in answer.entities:
        yield answer.text[place : entity.start], None
        yield entity.text, entity
        place = entity.end
    yield answer.text[place:], None
