"""`LabelDecision`: turns logits into any number of labels, by a threshold for each label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.optimize
import scipy.special
import tensorflow as tf

from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.tasks.decision import LOG_TEMPERATURES

__all__ = ["LabelDecision", "check_label_threshold", "choose_label_decision"]

RULES = ("auto", "macro_f1", "micro_f1", "common")
CUTS = np.linspace(-10, 6, 321)  # the thresholds to choose from, as logits: 0.00005 to 0.9975
FEW = 10  # rows of a label that count as much as what its probabilities promise


@dataclass(frozen=True)
class LabelDecision:
    """The rule that turns logits into the labels of a text.

    It is chosen on validation rows, and saved and exported with the classifier.

    Args:
        temperature: The divisor of the logits, which calibrates the probabilities.
        thresholds: The lowest probability that predicts each label; empty for 0.5.
        rule: A description of how the thresholds were chosen.
    """

    temperature: float = 1.0
    thresholds: tuple[float, ...] = ()
    rule: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds", tuple(self.thresholds))  # JSON has a list

    @property
    def lowest(self) -> np.ndarray:
        """The lowest probability that predicts each label, float32 [labels], or [1] for all."""
        return np.array(self.thresholds or [0.5], np.float32)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Returns probabilities, float32 [rows, labels], for logits of the same shape."""
        return scipy.special.expit(np.asarray(logits, np.float32) / np.float32(self.temperature))

    def in_graph(self, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes probabilities and thresholds with TensorFlow operations.

        Args:
            logits: Float32 [batch, labels].

        Returns:
            Probabilities and thresholds, float32 [batch, labels] each.
        """
        probabilities = tf.sigmoid(logits / self.temperature)
        return probabilities, tf.broadcast_to(self.lowest, tf.shape(probabilities))


def check_label_threshold(threshold: str) -> float | None:
    """Checks the rule of `choose_label_decision`, and returns it if it is a probability.

    Raises:
        OptionError: It is none of the rules, and no probability.
    """
    if threshold in RULES:
        return None
    try:
        value = float(threshold)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise OptionError(
            f"threshold must be {', '.join(RULES)} or a probability, got {threshold!r}; a "
            "probability is above 0 and below 1"
        )
    return value


def choose_label_decision(
    logits: np.ndarray, truth: np.ndarray, threshold: str = "auto"
) -> LabelDecision:
    """Chooses the temperature and the thresholds on the validation rows.

    The best threshold for a label with few rows is mostly chance. So the rows that have the label
    are averaged with those that its probabilities promise: with 10 rows of the label in equal
    parts, with 90 nine to one.

    Args:
        logits: The logits of the validation rows, float32 [rows, labels].
        truth: Whether each row has each label, bool [rows, labels].
        threshold: The rule. "macro_f1" maximizes the F1 of each label, and so their mean;
            "micro_f1" maximizes the F1 of all labels together, with a threshold for each;
            "common" is the one threshold with the best mean F1. A number is used for all labels.
            "auto" is "macro_f1".

    Raises:
        OptionError: The threshold is none of these.
    """
    value = check_label_threshold(threshold)
    temperature = _fit_temperature(logits, truth)
    if value is not None:
        return LabelDecision(temperature, (value,) * truth.shape[1], "as requested")
    hits, found, rows = _counts(logits / temperature, truth)
    if threshold == "micro_f1":
        gain, rule = _gains_of_micro_f1(hits, found, rows), "best micro-F1"
    else:
        gain, rule = 2 * hits / (found + rows), "best F1 of each label"
    if threshold == "common":
        gain = np.broadcast_to(gain.sum(axis=1, keepdims=True), gain.shape)
        rule = "one for all labels, with the best mean F1"
    chosen = [CUTS[_best(column)] for column in gain.T]
    thresholds = scipy.special.expit(chosen).astype(np.float32).tolist()
    return LabelDecision(temperature, tuple(thresholds), f"{rule} on the validation rows")


def _fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """Returns the temperature with the lowest log loss over all rows and labels."""
    logits = np.asarray(logits, np.float64)
    smoothing = 1 / (len(truth) + 2)  # as in Platt 1999: a few right rows do not prove more
    towards = (1 - smoothing) * logits[truth].sum() + smoothing / 2 * logits.sum()

    def loss(log_temperature: float) -> float:
        temperature = np.exp(log_temperature)
        return float(np.logaddexp(0, logits / temperature).sum() - towards / temperature)

    found = scipy.optimize.minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded")
    return float(np.exp(found.x))


def _counts(logits: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts the rows of each label at or above each cut, float64.

    Returns:
        The rows with the label at or above the cut, [cuts, labels], all rows at or above it,
        [cuts, labels], and all rows with the label, [labels].
    """
    shape = len(CUTS), truth.shape[1]
    hits, found, rows = np.zeros(shape), np.zeros(shape), np.zeros(shape[1])
    for label, (column, has) in enumerate(zip(logits.T, truth.T, strict=True)):
        order = np.argsort(column)
        scores = column[order]
        below = np.searchsorted(scores, CUTS)
        found[:, label] = len(scores) - below
        share = has.sum() / (has.sum() + FEW)
        rises = share * has[order] + (1 - share) * scipy.special.expit(scores)
        above = np.append(np.cumsum(rises[::-1])[::-1], 0.0)
        hits[:, label], rows[label] = above[below], above[0]
    return hits, found, rows


def _gains_of_micro_f1(hits: np.ndarray, found: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns what to maximize for each label so that the micro-F1 is highest, [cuts, labels].

    A ratio of sums is highest where the sum of 2 * hits - F1 * (found + rows) is, for the highest
    F1. Each step of the search raises it (Dinkelbach 1967, https://doi.org/10.1287/mnsc.13.7.492).
    """
    best, gain = -1.0, 2.0 * hits
    while True:
        chosen = gain.argmax(axis=0), np.arange(len(rows))
        f1 = 2 * hits[chosen].sum() / (found[chosen] + rows).sum()
        if f1 <= best:
            return gain
        best, gain = f1, 2 * hits - f1 * (found + rows)


def _best(gain: np.ndarray) -> int:
    """Returns the middle of the cuts with the highest gain."""
    best = np.flatnonzero(gain == gain.max())
    return int(best[len(best) // 2])
