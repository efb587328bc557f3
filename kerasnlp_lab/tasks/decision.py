"""`Decision`: turns a classifier's logits into probabilities and a class."""

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
    """The rule that turns a classifier's logits into a class.

    It is chosen on validation rows, and saved and exported with the classifier.

    Args:
        temperature: The divisor of the logits, which calibrates the probabilities (Guo et al.
            2017, https://arxiv.org/abs/1706.04599).
        positive: The label id of the class with a threshold, if there are two classes. None
            predicts the most probable class.
        threshold: The lowest probability that predicts the positive class.
        rule: A description of how the threshold was chosen.
    """

    temperature: float = 1.0
    positive: int | None = None
    threshold: float = 0.5
    rule: str = ""

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Returns probabilities, float32 [rows, classes], for logits of the same shape."""
        logits = np.asarray(logits, np.float32) / np.float32(self.temperature)
        return scipy.special.softmax(logits, axis=1)

    def label_ids(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns label ids, int64 [rows], for probabilities [rows, classes]."""
        if self.positive is None:
            return probabilities.argmax(axis=1)
        yes = probabilities[:, self.positive] >= np.float32(self.threshold)
        return np.where(yes, self.positive, 1 - self.positive)

    def in_graph(self, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the same with TensorFlow operations.

        Args:
            logits: Float32 [batch, classes].

        Returns:
            Probabilities, float32 [batch, classes], and label ids, int64 [batch].
        """
        probabilities = tf.nn.softmax(logits / self.temperature)  # [batch, classes]
        if self.positive is None:
            return probabilities, tf.argmax(probabilities, axis=-1)
        yes = probabilities[:, self.positive] >= self.threshold
        no = tf.constant(1 - self.positive, tf.int64)
        return probabilities, tf.where(yes, tf.constant(self.positive, tf.int64), no)


def fit_temperature(
    logits: np.ndarray, labels: np.ndarray, smoothing: float = 0.0
) -> tuple[float, float]:
    """Finds the temperature with the lowest log loss.

    Args:
        logits: Floats of shape [rows, classes].
        labels: The correct label ids, integers of shape [rows].
        smoothing: The share of each label that is spread over all classes. Without it, rows
            that are all correct would push every probability to 0 or 1.

    Returns:
        The temperature, and the log loss with it, without smoothing.
    """

    def loss(log_temperature: float, smoothing: float = smoothing) -> float:
        log_probabilities = scipy.special.log_softmax(logits / np.exp(log_temperature), axis=1)
        right = float(np.mean(log_probabilities[np.arange(len(labels)), labels]))
        return -(1 - smoothing) * right - smoothing * float(np.mean(log_probabilities))

    found = scipy.optimize.minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded")
    return float(np.exp(found.x)), loss(found.x, smoothing=0.0)
