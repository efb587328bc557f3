"""`ModelCard`: the facts that help to choose a model before building it."""

from __future__ import annotations

from dataclasses import dataclass

from kerasnlp_lab.recipe import Recipe

__all__ = ["ModelCard", "Recipe"]


@dataclass(frozen=True)
class ModelCard:
    """The facts that help to choose a model before building it.

    Args:
        name: The model's name in the zoo.
        summary: A description of one line.
        source: The paper, page or module behind it.
        parameters: The number of parameters with four classes.
        licence: The licence of the pre-trained weights, or of the code if there are none.
        good_for: The situations in which to choose it.
    """

    name: str
    summary: str
    source: str
    parameters: str
    licence: str
    good_for: str
