"""`Evaluation`: the interface of every task's results on a split."""

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
    """The file name of the report's template in this folder's templates/."""

    main_figure: ClassVar[str]
    """The key in `figures` of the plot for a comparison's report."""

    texts_per_second: float
    """The speed from strings to answers after a warm-up; 0 if not measured."""
    interval: tuple[float, float] | None
    """The 95% confidence interval of the headline; None if there is none."""

    @property
    @abc.abstractmethod
    def headline(self) -> tuple[str, float]:
        """The name and value of the metric that ranks models. Higher is better."""

    @property
    def more_figures(self) -> dict[str, float]:
        """More metrics for a leaderboard, by name; none by default."""
        return {}

    @property
    @abc.abstractmethod
    def right(self) -> np.ndarray:
        """The score of each row from 0 (wrong) to 1 (correct), float64 [rows], for paired tests."""

    @property
    @abc.abstractmethod
    def comparable_answers(self) -> Sequence[Any]:
        """The answer to each row; equal if two models agree on the row."""

    @property
    def f1_counts(self) -> Any:
        """For a headline that is the F1 of all rows together, what paired tests compare it by.

        Returns:
            The number of right, found and true answers of each row, int64 [rows, 3]; if the
            headline is the mean F1 of labels, those of each label, [rows, labels * 3], perhaps
            sparse. None for another headline.
        """
        return None

    @abc.abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Returns the metrics as JSON, without rows and texts."""

    def mistakes_as_json(self) -> list[dict[str, Any]]:
        """Returns the most confident mistakes, for metrics.json; none by default."""
        return []

    @abc.abstractmethod
    def as_text(self) -> str:
        """Returns the results for the terminal."""

    @abc.abstractmethod
    def figures(self) -> dict[str, Figure]:
        """Returns the plots by file name, without the extension."""

    @abc.abstractmethod
    def predictions(self) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        """Returns the columns and the rows of predictions.csv."""
