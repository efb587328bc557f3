"""`choose_decision`: chooses temperature and threshold on the validation rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kerasnlp_lab.data import Split
from kerasnlp_lab.errors import OptionError, UnknownNameError
from kerasnlp_lab.tasks.decision import Decision, fit_temperature

__all__ = ["check_threshold", "choose_decision"]

ABOVE_ALL = np.nextafter(np.float32(1), np.float32(2))  # a threshold that no probability reaches
RARE = 0.25  # "auto" chooses a threshold for a class with a smaller share of the training rows


def choose_decision(
    logits: np.ndarray,
    validation: Split,
    label_names: Sequence[str],
    class_counts: np.ndarray,
    *,
    threshold: str = "auto",
    positive_class: str | None = None,
) -> Decision:
    """Chooses a classifier's decision on the validation rows.

    Args:
        logits: The logits of the validation rows, float32 [rows, classes].
        validation: The validation rows.
        label_names: The classes.
        class_counts: The number of training rows of each class, [classes].
        threshold: The rule for the lowest probability that predicts the positive one of two
            classes. "f1" and "mcc" maximize its F1 or Matthews' correlation. "fpr=0.01" allows
            that false-positive rate at most. A number is used directly. "none" predicts the most
            probable class. "auto" is "f1" if one of two classes has less than a quarter of the
            training rows, and otherwise "none".
        positive_class: The positive class; None for the rarer of two.

    Raises:
        OptionError: The threshold is none of these, or there are more than two classes.
        UnknownNameError: There is no such class.
    """
    check_threshold(threshold, positive_class, label_names)
    doubt = 1 / (len(validation) + 2)  # as in Platt 1999, by how few rows there are
    temperature, _ = fit_temperature(logits, validation.labels, doubt)
    if threshold == "auto":
        rare = len(label_names) == 2 and class_counts.min() < RARE * class_counts.sum()
        threshold = "f1" if rare else "none"
    if threshold == "none":
        return Decision(temperature)
    positive = int(class_counts[1] <= class_counts[0])
    if positive_class is not None:
        positive = list(label_names).index(positive_class)
    scores = Decision(temperature).probabilities(logits)[:, positive]
    value, rule = _choose_threshold(threshold, scores, validation.labels == positive)
    return Decision(temperature, positive, value, rule)


def check_threshold(threshold: str, positive_class: str | None, label_names: Sequence[str]) -> None:
    """Checks the options of `choose_decision` before there are logits.

    Raises:
        OptionError: The threshold is invalid, or there are more than two classes.
        UnknownNameError: There is no such class.
    """
    if threshold not in ("auto", "none"):
        _choose_threshold(threshold, np.array([0.1, 0.9]), np.array([False, True]))
        if len(label_names) != 2:
            raise OptionError(f"a threshold needs two classes; there are {len(label_names)}")
    if positive_class is None:
        return
    if positive_class not in label_names:
        raise UnknownNameError("class", positive_class, label_names)
    if threshold == "none" or len(label_names) != 2:
        raise OptionError("a positive class needs two classes and a threshold; leave it out")


def _choose_threshold(spec: str, scores: np.ndarray, truth: np.ndarray) -> tuple[float, str]:
    """Returns a threshold between two scores, and a description of its rule."""
    name, equals, text = spec.rpartition("=")
    try:
        number = None if spec in ("f1", "mcc") else float(text)
    except ValueError:
        number = -1.0
    fits = name == "fpr" if equals else True
    if number is not None and (not fits or not 0 < number < 1):
        raise OptionError(
            "threshold must be auto, none, f1, mcc, fpr=SHARE or a probability, got "
            f"{spec!r}; a share or a probability is above 0 and below 1"
        )
    if number is not None and not equals:
        return number, "as requested"
    cuts, hits, alarms = _counts_at_cuts(scores, truth)
    if number is not None:
        allowed = np.flatnonzero(alarms <= number * (~truth).sum())
        best = int(allowed[-1]) if len(allowed) else -1
        rule = f"false positives at most {number:g} of the validation rows"
    elif spec == "f1":
        best = int(np.argmax(2 * hits / (hits + alarms + truth.sum())))
        rule = "best F1 on the validation rows"
    else:
        best = int(np.argmax(_matthews(hits, alarms, truth)))
        rule = "best Matthews correlation on the validation rows"
    above = cuts[best] if best >= 0 else np.float32(ABOVE_ALL)
    below = cuts[best + 1] if best + 1 < len(cuts) else np.float32(0)
    middle = np.float32((float(above) + float(below)) / 2)
    # Two adjacent floats have no number between them.
    return float(middle if middle > below else above), rule


def _counts_at_cuts(
    scores: np.ndarray, truth: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the distinct scores, highest first, with the true and false positives at each."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=np.nan))
    hits = np.cumsum(truth[order])[last]
    return scores[order][last], hits, last + 1 - hits


def _matthews(hits: np.ndarray, alarms: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Returns Matthews' correlation; 0 if all rows get the same class."""
    true, false = float(truth.sum()), float((~truth).sum())
    missed, passed = true - hits, false - alarms
    product = (hits + alarms) * true * false * (passed + missed)
    return (hits * passed - alarms * missed) / np.sqrt(np.where(product, product, np.inf))
