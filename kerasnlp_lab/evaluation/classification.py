"""`ClassificationEvaluation`: a classifier's metrics and mistakes on one split."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.stats
import sklearn.metrics
from matplotlib.figure import Figure

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.pairs import are_pairs, text_fields
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.evaluation.calibration import expected_calibration_error
from kerasnlp_lab.evaluation.evaluation import Evaluation
from kerasnlp_lab.evaluation.plots import (
    confusion_figure,
    precision_recall_figure,
    reliability_figure,
)
from kerasnlp_lab.evaluation.predictions import predictions_of
from kerasnlp_lab.evaluation.ranking_curve import RankingCurve
from kerasnlp_lab.evaluation.report import evaluation_text, report_text
from kerasnlp_lab.tasks.decision import Decision

__all__ = ["ClassificationEvaluation", "Mistake", "score"]

NUM_MISTAKES = 20
FALSE_POSITIVE_RATES = (0.01, 0.001)
WHOLE_CONFUSION = 100  # classes up to which JSON has the whole confusion matrix


@dataclass(frozen=True)
class Mistake:
    """A text with a wrong prediction.

    Args:
        row: The row in the split, counted from 0.
        where: The file and the line, if the row has them.
        text: The text.
        label: The correct class.
        predicted: The predicted class.
        probability: The probability of the predicted class.
        second_text: The second text of a pair; None if the text is no pair.
    """

    row: int
    where: str
    text: str
    label: str
    predicted: str
    probability: float
    second_text: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Returns the fields; without the second text if there is none."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, eq=False)
class ClassificationEvaluation(Evaluation):
    """A classifier's results on one split.

    Args:
        label_names: The classes.
        split: The rows.
        labels: The correct label ids, int64 of shape [rows].
        probabilities: The probability of each class, float32 of shape [rows, classes].
        accuracy: The share of correct predictions.
        interval: The 95% Wilson score interval of the accuracy.
        macro_f1: The mean of the classes' F1.
        per_class: The precision, recall, f1 and support of each class. Against all other classes,
            also its average precision and its recall at false-positive rates of 1% and 0.1%
            (None if all rows have the same class).
        mcc: Matthews' correlation coefficient.
        log_loss: The mean negative logarithm of the correct class's probability.
        calibration_error: The expected calibration error of the probabilities.
        uncalibrated: Probabilities without temperature, float32 of shape [rows, classes].
        decision: The rule that turned logits into classes.
        confusion: The number of rows by correct and predicted class, int64 [correct, predicted].
        mistakes: The most confident mistakes, most confident first.
        texts_per_second: The speed from strings to labels after a warm-up; 0 if not measured.
    """

    template: ClassVar[str] = "classification.html.j2"
    main_figure: ClassVar[str] = "confusion"

    label_names: tuple[str, ...]
    split: Split
    labels: np.ndarray
    probabilities: np.ndarray
    accuracy: float
    interval: tuple[float, float]
    macro_f1: float
    per_class: dict[str, dict[str, Any]]
    mcc: float
    log_loss: float
    calibration_error: float
    uncalibrated: np.ndarray
    decision: Decision
    confusion: np.ndarray
    mistakes: tuple[Mistake, ...]
    texts_per_second: float = 0.0

    @property
    def predicted(self) -> np.ndarray:
        """The predicted label ids, int64 of shape [rows]."""
        return self.decision.label_ids(self.probabilities)

    @property
    def headline(self) -> tuple[str, float]:
        return "accuracy", self.accuracy

    @property
    def more_figures(self) -> dict[str, float]:
        return {"macro_f1": self.macro_f1, "mcc": self.mcc}

    @property
    def right(self) -> np.ndarray:
        return (self.predicted == self.labels).astype(np.float64)

    @property
    def comparable_answers(self) -> Sequence[Any]:
        return self.predicted.tolist()

    def mistakes_as_json(self) -> list[dict[str, Any]]:
        return [mistake.as_json() for mistake in self.mistakes]

    def as_text(self) -> str:
        return evaluation_text(self)

    def figures(self) -> dict[str, Figure]:
        return {
            "confusion": confusion_figure(self.confusion, self.label_names),
            "precision_recall": precision_recall_figure(self),
            "reliability": reliability_figure(
                self.uncalibrated, self.probabilities, self.labels, self.decision.temperature
            ),
        }

    def predictions(self) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        return predictions_of(self.split, self.label_names, self.predicted, self.probabilities)

    @property
    def classification_report(self) -> str:
        """scikit-learn's report: precision, recall, F1 and rows of each class, and their means.

        Long names are shortened. Of more than 30 classes, it has those with the lowest F1.
        """
        return report_text(self)

    def recall_at_fpr(self, label_name: str, rate: float) -> float | None:
        """Returns a class's best recall at a false-positive rate.

        Args:
            label_name: The class.
            rate: The highest allowed share of other rows that are predicted as this class.

        Returns:
            The recall; None if all rows or none have this class.

        Raises:
            OptionError: The rate is not between 0 and 1.
        """
        check_option("a false-positive rate", rate, 0 <= rate <= 1, "from 0 to 1")
        label = self.label_names.index(label_name)
        curve = RankingCurve.of(self.probabilities[:, label], self.labels == label)
        return None if curve is None else curve.recall_at_fpr(rate)

    def as_json(self) -> dict[str, Any]:
        """Returns the metrics as JSON, without rows and texts."""
        whole = len(self.label_names) <= WHOLE_CONFUSION
        true, predicted = np.nonzero(self.confusion)
        pairs = np.stack((true, predicted, self.confusion[true, predicted]), axis=1)
        return {
            "rows": len(self.labels),
            "accuracy": self.accuracy,
            "accuracy_95_interval": list(self.interval),
            "macro_f1": self.macro_f1,
            "mcc": self.mcc,
            "log_loss": self.log_loss,
            "expected_calibration_error": self.calibration_error,
            "expected_calibration_error_without_temperature": expected_calibration_error(
                self.uncalibrated, self.labels
            ),
            "decision": dataclasses.asdict(self.decision),
            "per_class": self.per_class,
            "confusion": self.confusion.tolist() if whole else None,
            **({} if whole else {"confusion_pairs": pairs.tolist()}),
            "predict_texts_per_second": self.texts_per_second,
        }


def score(
    logits: np.ndarray,
    split: Split,
    label_names: tuple[str, ...],
    decision: Decision | None = None,
    texts_per_second: float = 0.0,
) -> ClassificationEvaluation:
    """Compares a classifier's logits with a split's labels.

    Args:
        logits: Float32 [rows, classes].
        split: The rows.
        label_names: The classes.
        decision: The rule that turns logits into classes; None for the most probable class.
        texts_per_second: The measured speed, for the report.

    Raises:
        DataError: A label of the split is none of these classes.
    """
    split.check_labels(label_names)
    decision = decision or Decision()
    probabilities = decision.probabilities(logits)
    predicted = decision.label_ids(probabilities)
    right = int((predicted == split.labels).sum())
    interval = scipy.stats.binomtest(right, len(split)).proportion_ci(method="wilson")
    ids = list(range(len(label_names)))
    columns = sklearn.metrics.precision_recall_fscore_support(
        split.labels, predicted, labels=ids, zero_division=0
    )
    per_class = {
        name: {
            "precision": float(columns[0][i]),
            "recall": float(columns[1][i]),
            "f1": float(columns[2][i]),
            "support": int(columns[3][i]),
            **_ranking_metrics(probabilities[:, i], split.labels == i),
        }
        for i, name in enumerate(label_names)
    }
    return ClassificationEvaluation(
        label_names=label_names,
        split=split,
        labels=split.labels,
        probabilities=probabilities,
        accuracy=right / len(split),
        interval=(float(interval.low), float(interval.high)),
        macro_f1=float(np.mean([row["f1"] for row in per_class.values()])),
        per_class=per_class,
        mcc=_matthews(split.labels, predicted),
        log_loss=_log_loss(probabilities, split.labels),
        calibration_error=expected_calibration_error(probabilities, split.labels),
        uncalibrated=Decision().probabilities(logits),
        decision=decision,
        confusion=sklearn.metrics.confusion_matrix(split.labels, predicted, labels=ids),
        mistakes=_mistakes(probabilities, predicted, split, label_names),
        texts_per_second=texts_per_second,
    )


def _matthews(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Returns Matthews' correlation; 0 if there is only one class, where scikit-learn warns."""
    if len(np.union1d(labels, predicted)) < 2:
        return 0.0
    return float(sklearn.metrics.matthews_corrcoef(labels, predicted))


def _log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Returns scikit-learn's log_loss, which would make a one-hot row of each label."""
    right = probabilities[np.arange(len(labels)), labels]
    smallest = np.finfo(right.dtype).eps
    return float(-np.log(np.clip(right, smallest, 1 - smallest)).mean())


def _ranking_metrics(scores: np.ndarray, truth: np.ndarray) -> dict[str, float | None]:
    """Returns metrics of how well scores rank the rows of one class before all others."""
    curve = RankingCurve.of(scores, truth)
    recalls = {f"recall_at_fpr_{rate:g}": rate for rate in FALSE_POSITIVE_RATES}
    if curve is None:
        return dict.fromkeys(("average_precision", *recalls))
    best = {name: curve.recall_at_fpr(rate) for name, rate in recalls.items()}
    return {"average_precision": curve.average_precision(), **best}


def _mistakes(
    probabilities: np.ndarray, predicted: np.ndarray, split: Split, label_names: tuple[str, ...]
) -> tuple[Mistake, ...]:
    confidence = probabilities[np.arange(len(predicted)), predicted]
    wrong = np.flatnonzero(predicted != split.labels)
    surest_first = wrong[np.argsort(-confidence[wrong], kind="stable")][:NUM_MISTAKES]
    pairs = are_pairs(split.texts)
    return tuple(
        Mistake(
            row=int(row),
            where=split.where(row),
            **text_fields(split.texts[row], pairs),
            label=label_names[split.labels[row]],
            predicted=label_names[predicted[row]],
            probability=float(confidence[row]),
        )
        for row in surest_first
    )
