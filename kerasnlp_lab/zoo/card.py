"""`ModelCard`: what there is to know about a model before building it."""

from __future__ import annotations

from dataclasses import dataclass

from kerasnlp_lab.recipe import Recipe

__all__ = ["ModelCard", "Recipe"]


@dataclass(frozen=True)
class ModelCard:
    """What there is to know of a model before building it.

    Args:
        name: Its name in the zoo.
        summary: What it is, in a line.
        source: The paper, page or module that it comes from.
        parameters: How many numbers it has, with four classes.
        licence: Of the pre-trained weights, or of the code where there are none.
        good_for: When to choose it.
    """

    name: str
    summary: str
    source: str
    parameters: str
    licence: str
    good_for: str
