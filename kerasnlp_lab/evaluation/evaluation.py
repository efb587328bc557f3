"""`Evaluation`: what the results of every task on a split can be asked."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure

__all__ = ["Evaluation"]


class Evaluation(abc.ABC):
    """The results of a model on one split."""

    template: ClassVar[str] = "run.html.j2"
    """The report's template, among those of this folder."""

    texts_per_second: float
    """The speed from strings to answers, after a warm-up; 0 where it was not timed."""
    interval: tuple[float, float] | None
    """The 95% confidence interval of the headline; None where there is none."""

    @property
    @abc.abstractmethod
    def headline(self) -> tuple[str, float]:
        """The figure that models are ranked by, higher is better: its name and its value."""

    @property
    def more_figures(self) -> dict[str, float]:
        """The figures that a leaderboard has beside the headline, by name; none by default."""
        return {}

    @property
    @abc.abstractmethod
    def right(self) -> np.ndarray:
        """How right the answer to each row is, from 0 to 1, for paired tests: float64 [rows]."""

    @abc.abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Returns the results, without rows and texts, as JSON can hold them."""

    def mistakes_as_json(self) -> list[dict[str, Any]]:
        """Returns the mistakes worth reading, for metrics.json; none by default."""
        return []

    @abc.abstractmethod
    def as_text(self) -> str:
        """Returns the results for the terminal."""

    @abc.abstractmethod
    def figures(self) -> dict[str, Figure]:
        """Returns the plots of the results, by the names of their files."""

    @abc.abstractmethod
    def predictions(self) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        """Returns the columns and the rows of predictions.csv."""
