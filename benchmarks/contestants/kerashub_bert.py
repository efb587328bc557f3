"""KerasHub's BertTextClassifier on Keras 3, with its own preprocessor at 128."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # before Keras is imported

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras  # noqa: TID251  # Keras 3, which KerasHub is written for
import keras_hub
import numpy as np
import protocol
import tensorflow as tf
from safetensors.numpy import load_file

PACKAGES = ["keras-hub", "keras", "tensorflow", "tensorflow-text"]
BATCH, LENGTH = 32, 128


class LinearWarmUpAndDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A tenth of the steps up to the peak, the rest down to zero."""

    def __init__(self, peak: float, steps: int):
        self.peak, self.steps = peak, steps

    def __call__(self, step: Any) -> Any:
        done = keras.ops.cast(step, "float32")
        warm_up = max(self.steps // 10, 1)
        falling = (self.steps - done) / max(self.steps - warm_up, 1)
        return self.peak * keras.ops.clip(keras.ops.minimum(done / warm_up, falling), 0.0, 1.0)


class KerasHubBert:
    """Trains and predicts."""

    def prepare(self, threads: int, folder: str) -> None:
        """Opens a folder in Hugging Face's form, which KerasHub converts itself."""
        self.folder = folder
        weights = load_file(Path(folder) / "model.safetensors")
        if "classifier.weight" in weights:
            kernel, bias = weights["classifier.weight"].T, weights["classifier.bias"]
            self._open(len(bias))
            self.model.output_dense.set_weights([kernel, bias])

    def _open(self, classes: int) -> None:
        preprocessor = keras_hub.models.BertTextClassifierPreprocessor.from_preset(
            self.folder, sequence_length=LENGTH
        )
        self.model = keras_hub.models.BertTextClassifier.from_preset(
            self.folder, num_classes=classes, preprocessor=preprocessor
        )

    def start(
        self, seed: int, label_names: list[str], steps: int, learning_rate: float = 1e-4
    ) -> None:
        """Makes a new model."""
        keras.utils.set_random_seed(seed)
        self._open(len(label_names))
        rate = LinearWarmUpAndDecay(learning_rate, steps)
        self.model.compile(
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            optimizer=keras.optimizers.AdamW(rate, weight_decay=0.01),
            metrics=["accuracy"],
        )

    def train(self, texts: list[str], labels: list[int], epochs: int = 1) -> None:
        """Fits the model, which tokenizes by itself."""
        rows = tf.data.Dataset.from_tensor_slices((texts, labels))
        self.model.fit(rows.shuffle(len(texts)).batch(BATCH), epochs=epochs, verbose=0)

    def predict(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        """Finds the classes of texts."""
        labels = self.model.predict(np.array(texts), batch_size=BATCH, verbose=0).argmax(axis=-1)
        return lambda: {"labels": labels.tolist()}


if __name__ == "__main__":
    protocol.serve(KerasHubBert(), PACKAGES)
