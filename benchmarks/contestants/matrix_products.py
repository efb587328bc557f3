"""TensorFlow's matrix products at the sizes that MiniLM has: what this machine can do."""

from __future__ import annotations

import os
import time
from typing import Any

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as kerasnlp_lab does

import protocol
import tensorflow as tf

PACKAGES = ["tensorflow"]
ROWS, HIDDEN, INNER, REPEATS = 2048, 384, 1536, 20


class MatrixProducts:
    """Multiplies."""

    def prepare(self, threads: int) -> None:
        """Makes the matrices; a product's second factor is a constant, as weights may be."""
        self.products, self.inputs = {}, {}
        for precision in ("float32", "bfloat16"):
            up, down = (
                tf.cast(tf.random.normal(shape), precision)
                for shape in ((HIDDEN, INNER), (INNER, HIDDEN))
            )
            self.inputs[precision] = tf.cast(tf.random.normal((ROWS, HIDDEN)), precision)
            self.products[precision] = tf.function(_twice(up, down))

    def measure(self, precision: str) -> dict[str, Any]:
        """Returns the best rate of some products there and back, in operations a second."""
        product, x = self.products[precision], self.inputs[precision]
        product(x)
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            product(x).numpy()
            times.append(time.perf_counter() - began)
        return {"rate": 10 * 2 * 2 * ROWS * HIDDEN * INNER / min(times)}


def _twice(up: tf.Tensor, down: tf.Tensor) -> Any:
    def product(x: tf.Tensor) -> tf.Tensor:
        for _ in range(10):
            x = tf.matmul(tf.matmul(x, up), down)
        return x[:1, :1]

    return product


if __name__ == "__main__":
    protocol.serve(MatrixProducts(), PACKAGES)
