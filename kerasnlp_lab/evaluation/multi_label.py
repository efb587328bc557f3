"""`MultiLabelEvaluation`: how well all labels of texts are found."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import scipy.sparse
import sklearn.metrics
from matplotlib.figure import Figure

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.pairs import are_pairs, text_fields
from kerasnlp_lab.data.row_labels import label_matrix
from kerasnlp_lab.display import listed
from kerasnlp_lab.evaluation.calibration import expected_calibration_error
from kerasnlp_lab.evaluation.evaluation import Evaluation
from kerasnlp_lab.evaluation.many_classes import FEW_CLASSES, draw_f1
from kerasnlp_lab.evaluation.paired_tests import f1_interval
from kerasnlp_lab.evaluation.plots import reliability_figure
from kerasnlp_lab.evaluation.predictions import label_set_rows
from kerasnlp_lab.evaluation.ranking_curve import RankingCurve
from kerasnlp_lab.evaluation.report import table_lines
from kerasnlp_lab.tasks.label_decision import LabelDecision

__all__ = ["LabelMistake", "MultiLabelEvaluation", "score_label_sets"]

NUM_MISTAKES = 20  # of each kind
RARE = 0.01  # a label is rare if fewer of the rows have it


@dataclass(frozen=True)
class LabelMistake:
    """A label that was missed or that is not there.

    Args:
        row: The row in the split, counted from 0.
        where: The file and the line, if the row has them.
        text: The text.
        kind: "missed" or "spurious".
        label: The label.
        probability: Its probability.
        second_text: The second text of a pair; None if the text is no pair.
    """

    row: int
    where: str
    text: str
    kind: str
    label: str
    probability: float
    second_text: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Returns the fields; without the second text if there is none."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, eq=False)
class MultiLabelEvaluation(Evaluation):
    """The results of a model that finds all labels of texts, on one split.

    F1 and average precision of a label without a row are 0 and None. The macro-F1 is the mean over
    all labels, as scikit-learn has it.

    Args:
        label_names: The labels.
        split: The rows.
        truth: Whether each row has each label, bool [rows, labels].
        probabilities: The probability of each label, float32 [rows, labels].
        uncalibrated: The same without temperature.
        decision: The rule that turned logits into labels.
        interval: The 95% interval of the macro-F1, by a bootstrap over rows.
        per_label: The threshold, precision, recall, F1 and average precision of each label, the
            number of rows that have it (support), and of those for which it was found.
        texts_per_second: The speed from strings to logits after a warm-up; 0 if not measured.
    """

    template: ClassVar[str] = "multi_label.html.j2"
    main_figure: ClassVar[str] = "labels"

    label_names: tuple[str, ...]
    split: Split
    truth: np.ndarray
    probabilities: np.ndarray
    uncalibrated: np.ndarray
    decision: LabelDecision
    interval: tuple[float, float]
    per_label: dict[str, dict[str, Any]]
    texts_per_second: float = 0.0

    @cached_property
    def found(self) -> np.ndarray:
        """Whether each label was found in each row, bool [rows, labels]."""
        return self.probabilities >= self.decision.lowest

    @property
    def right(self) -> np.ndarray:
        """Whether exactly the labels of a row were found, float64 [rows]."""
        return (self.found == self.truth).all(axis=1).astype(np.float64)

    @property
    def comparable_answers(self) -> Sequence[Any]:
        return self.found.tolist()

    @property
    def f1_counts(self) -> scipy.sparse.csr_array:
        return counts_of(self.found, self.truth)

    @cached_property
    def figures_by_name(self) -> dict[str, Any]:
        """All metrics over all labels, by their keys in `as_json`."""
        f1, support, precisions = (
            np.array([row[name] for row in self.per_label.values()], float)
            for name in ("f1", "support", "average_precision")
        )
        hits, found, true = (
            int(one.sum()) for one in (self.found & self.truth, self.found, self.truth)
        )
        all_pairs = RankingCurve.of(self.probabilities.ravel(), self.truth.ravel())
        has_labels = self.truth.any(axis=1)
        rankable = len(f1) > 1 and has_labels.any()
        known = ~np.isnan(precisions)
        return {
            "macro_f1": float(f1.mean()),
            "micro_f1": 2 * hits / max(found + true, 1),
            "weighted_f1": float(f1 @ support / max(support.sum(), 1)),
            "micro_precision": hits / max(found, 1),
            "micro_recall": hits / max(true, 1),
            "macro_average_precision": float(precisions[known].mean()) if known.any() else None,
            "micro_average_precision": all_pairs and all_pairs.average_precision(),
            "label_ranking_average_precision": float(
                sklearn.metrics.label_ranking_average_precision_score(
                    self.truth[has_labels], self.probabilities[has_labels]
                )
            )
            if rankable
            else None,
            "subset_accuracy": float(self.right.mean()),
        }

    @property
    def headline(self) -> tuple[str, float]:
        return "macro_f1", self.figures_by_name["macro_f1"]

    @property
    def more_figures(self) -> dict[str, float]:
        names = ("micro_f1", "weighted_f1", "subset_accuracy")
        return {name: self.figures_by_name[name] for name in names}

    @property
    def never_found(self) -> list[str]:
        """The labels that were found in no row."""
        return [name for name, row in self.per_label.items() if not row["found"]]

    @property
    def rare_labels(self) -> dict[str, Any]:
        """The labels that few rows have, but some: how many, right at least once, mean F1."""
        most = RARE * len(self.split)
        rows = [one for one in self.per_label.values() if 0 < one["support"] < most]
        return {
            "labels": len(rows),
            "right_at_least_once": sum(one["f1"] > 0 for one in rows),
            "macro_f1": float(np.mean([one["f1"] for one in rows])) if rows else None,
        }

    @property
    def calibration_error(self) -> float:
        """The mean distance between the probabilities of labels and the share of rows with them."""
        return _calibration_error(self.probabilities, self.truth)

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": len(self.truth),
            **self.figures_by_name,
            "macro_f1_95_interval": list(self.interval),
            "rows_without_labels": int((~self.truth.any(axis=1)).sum()),
            "rows_without_found_labels": int((~self.found.any(axis=1)).sum()),
            "never_found": self.never_found,
            "rare_labels": self.rare_labels,
            "expected_calibration_error": self.calibration_error,
            "expected_calibration_error_without_temperature": _calibration_error(
                self.uncalibrated, self.truth
            ),
            "decision": dataclasses.asdict(self.decision),
            "per_label": self.per_label,
            "predict_texts_per_second": self.texts_per_second,
        }

    @cached_property
    def mistakes(self) -> tuple[LabelMistake, ...]:
        """The most confident mistakes of each kind, most confident first."""
        chosen = []
        pairs = are_pairs(self.split.texts)
        for kind, wrong, sign in (
            ("missed", self.truth & ~self.found, 1),
            ("spurious", self.found & ~self.truth, -1),
        ):
            rows, labels = np.nonzero(wrong)
            surest = np.argsort(sign * self.probabilities[rows, labels], kind="stable")
            chosen += [
                LabelMistake(
                    row=int(rows[one]),
                    where=self.split.where(rows[one]),
                    **text_fields(self.split.texts[rows[one]], pairs),
                    kind=kind,
                    label=self.label_names[labels[one]],
                    probability=float(self.probabilities[rows[one], labels[one]]),
                )
                for one in surest[:NUM_MISTAKES]
            ]
        return tuple(chosen)

    def mistakes_as_json(self) -> list[dict[str, Any]]:
        return [mistake.as_json() for mistake in self.mistakes]

    def as_text(self) -> str:
        values, (low, high), rare = self.figures_by_name, self.interval, self.rare_labels
        content = self.as_json()
        lines = [
            f"macro-F1 {values['macro_f1']:.4f} (95% {low:.4f} to {high:.4f}), micro-F1 "
            f"{values['micro_f1']:.4f}, weighted F1 {values['weighted_f1']:.4f}, {len(self.truth)} "
            "rows",
            f"average precision: macro {_shown(values['macro_average_precision'])}, micro "
            f"{_shown(values['micro_average_precision'])}, label ranking "
            f"{_shown(values['label_ranking_average_precision'])}",
            f"all labels right, and none too many: {values['subset_accuracy']:.4f} of the rows; "
            f"{content['rows_without_found_labels']} rows were given no label, and "
            f"{content['rows_without_labels']} have none",
            "",
            *self._table(),
            "",
        ]
        if rare["labels"]:
            lines.append(
                f"rare labels, which fewer than {RARE:.0%} of the rows have: "
                f"{rare['right_at_least_once']} of {rare['labels']} are right at least once, with "
                f"a mean F1 of {rare['macro_f1']:.4f}"
            )
        if self.never_found:
            lines.append(f"never found: {listed(self.never_found)}")
        lines += [
            f"calibration error {self.calibration_error:.4f}, "
            f"{content['expected_calibration_error_without_temperature']:.4f} without the "
            f"temperature of {self.decision.temperature:.2f}",
            f"thresholds: {self.decision.rule or 'one half'}",
        ]
        return "\n".join(lines)

    def _table(self) -> list[str]:
        """Returns a line for each label; of many, for those with the lowest F1."""
        rows, more = self.per_label, []
        if len(rows) > FEW_CLASSES:
            ranks = {name: row["f1"] if row["support"] else 2.0 for name, row in rows.items()}
            worst = sorted(rows, key=ranks.__getitem__)[:NUM_MISTAKES]
            more = [
                f"the {len(worst)} labels with the lowest F1; {len(rows) - len(worst):,} more "
                "are in metrics.json and the output of --json"
            ]
            rows = {name: rows[name] for name in worst}
        columns = {"threshold": "threshold", "precision": "precision", "recall": "recall"}
        columns |= {"F1": "f1", "found": "found", "rows": "support"}
        return [*table_lines(list(rows), columns, list(rows.values())), *more]

    def figures(self) -> dict[str, Figure]:
        before, after = (one.reshape(-1, 1) for one in (self.uncalibrated, self.probabilities))
        wrong, temperature = ~self.truth.ravel(), self.decision.temperature
        reliability = reliability_figure(before, after, wrong, temperature)
        return {"labels": draw_f1(self.per_label), "reliability": reliability}

    def predictions(self) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        """Returns a row for each text; labels are JSON lists."""
        return label_set_rows(self.split, self.label_names, self.found, self.probabilities)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _calibration_error(probabilities: np.ndarray, truth: np.ndarray) -> float:
    return expected_calibration_error(probabilities.reshape(-1, 1), ~truth.ravel())


def counts_of(found: np.ndarray, truth: np.ndarray) -> scipy.sparse.csr_array:
    """Returns the right, found and true answers of each label in each row, [rows, labels * 3].

    Args:
        found: Whether each label was found in each row, bool [rows, labels].
        truth: Whether each row has each label, bool [rows, labels].
    """
    places = [np.nonzero(one) for one in (found & truth, found, truth)]
    rows = np.concatenate([rows for rows, _ in places])
    columns = np.concatenate([3 * labels + n for n, (_, labels) in enumerate(places)])
    shape = (len(truth), 3 * truth.shape[1])
    return scipy.sparse.csr_array((np.ones(len(rows), np.int64), (rows, columns)), shape)


def score_label_sets(
    logits: np.ndarray,
    split: Split,
    label_names: tuple[str, ...],
    decision: LabelDecision | None = None,
    texts_per_second: float = 0.0,
) -> MultiLabelEvaluation:
    """Compares logits with the labels of a split.

    Args:
        logits: Float32 [rows, labels].
        split: The rows, with label sets.
        label_names: The labels.
        decision: The rule that turns logits into labels; None for a threshold of one half.
        texts_per_second: The measured speed, for the report.

    Raises:
        DataError: The split has a label that is none of these.
    """
    split.check_labels(label_names)
    decision = decision or LabelDecision()
    probabilities = decision.probabilities(logits)
    truth = label_matrix(split.label_sets or (), len(label_names)).toarray()
    counts = counts_of(probabilities >= decision.lowest, truth)
    thresholds = np.broadcast_to(decision.lowest, len(label_names)).tolist()
    per_label = {}
    for label, (right, found, true) in enumerate(counts.sum(axis=0).reshape(-1, 3).tolist()):
        curve = RankingCurve.of(probabilities[:, label], truth[:, label])
        per_label[label_names[label]] = {
            "threshold": thresholds[label],
            "precision": right / max(found, 1),
            "recall": right / max(true, 1),
            "f1": 2 * right / max(found + true, 1),
            "average_precision": curve and curve.average_precision(),
            "found": found,
            "support": true,
        }
    return MultiLabelEvaluation(
        label_names=label_names,
        split=split,
        truth=truth,
        probabilities=probabilities,
        uncalibrated=LabelDecision().probabilities(logits),
        decision=decision,
        interval=f1_interval(counts),
        per_label=per_label,
        texts_per_second=texts_per_second,
    )
