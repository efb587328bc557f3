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
FEW = 10  # rows of a label whose own best threshold counts as much as the common one


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
            f"threshold must be {', '.join(RULES)} or a probability, got {threshold!r}"
        )
    return value


def choose_label_decision(
    logits: np.ndarray, truth: np.ndarray, threshold: str = "auto"
) -> LabelDecision:
    """Chooses the temperature and the thresholds on the validation rows.

    The best threshold for a label with few rows is mostly chance. So it is moved towards the
    common one, in logits: with 10 rows of the label by half, with 90 by a tenth.

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
    hits, found = _counts(logits / temperature, truth)
    rows = truth.sum(axis=0)
    if threshold == "micro_f1":
        gain, rule = _gains_of_micro_f1(hits, found, rows), "best micro-F1"
    else:
        gain, rule = 2 * hits / np.maximum(found + rows, 1), "best F1 of each label"
    common = CUTS[_best(gain[:, rows > 0].sum(axis=1))]
    if threshold == "common":
        chosen, rule = np.full(len(rows), common), "one for all labels, with the best mean F1"
    else:
        own = np.array([CUTS[_best(column)] for column in gain.T])
        share = rows / (rows + FEW)
        chosen = share * own + (1 - share) * common
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


def _counts(logits: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows at or above each cut that have the label, and all, int64 [cuts, labels]."""
    hits, found = (np.zeros((len(CUTS), truth.shape[1]), np.int64) for _ in range(2))
    for label, (column, has) in enumerate(zip(logits.T, truth.T, strict=True)):
        for counts, scores in ((hits, column[has]), (found, column)):
            counts[:, label] = len(scores) - np.searchsorted(np.sort(scores), CUTS)
    return hits, found


def _gains_of_micro_f1(hits: np.ndarray, found: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns what to maximize for each label so that the micro-F1 is highest, [cuts, labels].

    A ratio of sums is highest where the sum of 2 * hits - F1 * (found + rows) is, for the highest
    F1. Each step of the search raises it (Dinkelbach 1967, https://doi.org/10.1287/mnsc.13.7.492).
    """
    best, gain = -1.0, 2.0 * hits
    while True:
        chosen = gain.argmax(axis=0), np.arange(len(rows))
        f1 = 2 * hits[chosen].sum() / max((found[chosen] + rows).sum(), 1)
        if f1 <= best:
            return gain
        best, gain = f1, 2 * hits - f1 * (found + rows)


def _best(gain: np.ndarray) -> int:
    """Returns the middle of the cuts with the highest gain."""
    best = np.flatnonzero(gain == gain.max())
    return int(best[len(best) // 2])
