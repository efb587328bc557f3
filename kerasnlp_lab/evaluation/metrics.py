"""`evaluate`: what a classifier gets right on a split, and where it errs most surely."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special
import scipy.stats
import sklearn.metrics

from kerasnlp_lab.data import Split
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.zoo import Classifier, predict_logits

__all__ = ["Evaluation", "Mistake", "evaluate", "score"]

WARM_UP_TEXTS = 64
NUM_MISTAKES = 20


@dataclass(frozen=True)
class Mistake:
    """A text that was given the wrong class.

    Args:
        row: Its row in the split, from 0.
        text: The text.
        label: The right class.
        predicted: The class that it was given.
        probability: That class's probability.
    """

    row: int
    text: str
    label: str
    predicted: str
    probability: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A classifier's results on one split.

    Args:
        label_names: The classes.
        labels: The right label ids, int64 of shape [rows].
        probabilities: float32 of shape [rows, classes].
        accuracy: The share of rows with the right class.
        interval: Its 95% Wilson score interval.
        macro_f1: The mean of the classes' F1.
        per_class: For each class its precision, recall, f1 and support.
        confusion: Rows of a class that were given a class, [right, given].
        mistakes: The most confident mistakes, surest first.
        texts_per_second: From strings to labels, after a warm-up; 0 where not timed.
    """

    label_names: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray
    accuracy: float
    interval: tuple[float, float]
    macro_f1: float
    per_class: dict[str, dict[str, float]]
    confusion: np.ndarray
    mistakes: tuple[Mistake, ...]
    texts_per_second: float = 0.0

    @property
    def predicted(self) -> np.ndarray:
        """The label ids that were given, int64 of shape [rows]."""
        return self.probabilities.argmax(axis=1)

    def as_json(self) -> dict[str, Any]:
        """Returns the results, without rows and texts, as JSON can hold them."""
        return {
            "rows": len(self.labels),
            "accuracy": self.accuracy,
            "accuracy_95_interval": list(self.interval),
            "macro_f1": self.macro_f1,
            "per_class": self.per_class,
            "confusion": self.confusion.tolist(),
            "predict_texts_per_second": self.texts_per_second,
        }


def evaluate(classifier: Classifier, split: Split) -> Evaluation:
    """Classifies every text of a split and compares with its labels.

    Args:
        classifier: A trained classifier.
        split: Rows with the classifier's own label ids.

    Raises:
        DataError: The split has no row.
    """
    if not len(split):
        raise DataError("there is no row to evaluate on")
    predict_logits(classifier, split.texts[:WARM_UP_TEXTS])
    began = time.perf_counter()
    logits = predict_logits(classifier, split.texts)
    seconds = time.perf_counter() - began
    return score(logits, split, classifier.label_names, len(split) / seconds)


def score(
    logits: np.ndarray, split: Split, label_names: tuple[str, ...], texts_per_second: float = 0.0
) -> Evaluation:
    """Compares logits [rows, classes] with a split's labels."""
    probabilities = scipy.special.softmax(logits, axis=1)
    predicted = probabilities.argmax(axis=1)
    right = int((predicted == split.labels).sum())
    interval = scipy.stats.binomtest(right, len(split)).proportion_ci(method="wilson")
    ids = range(len(label_names))
    columns = sklearn.metrics.precision_recall_fscore_support(
        split.labels, predicted, labels=ids, zero_division=0
    )
    per_class = {
        name: {
            "precision": float(columns[0][i]),
            "recall": float(columns[1][i]),
            "f1": float(columns[2][i]),
            "support": int(columns[3][i]),
        }
        for i, name in enumerate(label_names)
    }
    return Evaluation(
        label_names=label_names,
        labels=split.labels,
        probabilities=probabilities,
        accuracy=right / len(split),
        interval=(float(interval.low), float(interval.high)),
        macro_f1=float(np.mean([row["f1"] for row in per_class.values()])),
        per_class=per_class,
        confusion=sklearn.metrics.confusion_matrix(split.labels, predicted, labels=ids),
        mistakes=_mistakes(probabilities, split, label_names),
        texts_per_second=texts_per_second,
    )


def _mistakes(
    probabilities: np.ndarray, split: Split, label_names: tuple[str, ...]
) -> tuple[Mistake, ...]:
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != split.labels)
    surest_first = wrong[np.argsort(-confidence[wrong], kind="stable")][:NUM_MISTAKES]
    return tuple(
        Mistake(
            row=int(row),
            text=split.texts[row],
            label=label_names[split.labels[row]],
            predicted=label_names[predicted[row]],
            probability=float(confidence[row]),
        )
        for row in surest_first
    )
