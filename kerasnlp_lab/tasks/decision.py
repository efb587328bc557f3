"""`Decision`: from logits to probabilities, and from those to a class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.optimize
import scipy.special
import tensorflow as tf

__all__ = ["Decision", "fit_temperature"]

LOG_TEMPERATURES = (-5.0, 5.0)


@dataclass(frozen=True)
class Decision:
    """How a classifier's logits are read; chosen on validation rows, saved and exported with it.

    Args:
        temperature: What the logits are divided by, so that probabilities mean what
            they say (Guo et al. 2017, https://arxiv.org/abs/1706.04599).
        positive: Of two classes, the label id of the one that the threshold is for;
            None takes the most probable class.
        threshold: The probability from which on a text is of that class.
        rule: How the threshold was chosen, for people.
    """

    temperature: float = 1.0
    positive: int | None = None
    threshold: float = 0.5
    rule: str = ""

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Returns float32 probabilities of logits, both of shape [rows, classes]."""
        logits = np.asarray(logits, np.float32) / np.float32(self.temperature)
        return scipy.special.softmax(logits, axis=1)

    def label_ids(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns int64 label ids [rows] of probabilities [rows, classes]."""
        if self.positive is None:
            return probabilities.argmax(axis=1)
        yes = probabilities[:, self.positive] >= np.float32(self.threshold)
        return np.where(yes, self.positive, 1 - self.positive)

    def in_graph(self, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the same probabilities and label ids as TensorFlow's ops."""
        probabilities = tf.nn.softmax(logits / self.temperature)  # [batch, classes]
        if self.positive is None:
            return probabilities, tf.argmax(probabilities, axis=-1)
        yes = probabilities[:, self.positive] >= self.threshold
        no = tf.constant(1 - self.positive, tf.int64)
        return probabilities, tf.where(yes, tf.constant(self.positive, tf.int64), no)


def fit_temperature(
    logits: np.ndarray, labels: np.ndarray, smoothing: float = 0.0
) -> tuple[float, float]:
    """Returns the temperature under which logits fit labels best, and the log loss with it.

    Args:
        logits: Of shape [rows, classes].
        labels: The right label ids, of shape [rows].
        smoothing: How much of a label goes to all classes alike. Without it, rows that are
            all right make every probability 0 or 1.
    """

    def loss(log_temperature: float, smoothing: float = smoothing) -> float:
        log_probabilities = scipy.special.log_softmax(logits / np.exp(log_temperature), axis=1)
        right = float(np.mean(log_probabilities[np.arange(len(labels)), labels]))
        return -(1 - smoothing) * right - smoothing * float(np.mean(log_probabilities))

    found = scipy.optimize.minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded")
    return float(np.exp(found.x)), loss(found.x, smoothing=0.0)
