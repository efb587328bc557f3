"""MiniLM by hub.KerasLayer as in tutorials: every text padded to 128, float32, model.fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import protocol
import tensorflow as tf
import tensorflow_hub as hub
import tensorflow_text  # noqa: F401  # registers the ops of the preprocessing module
from official.nlp import optimization

from kerasnlp_lab._keras import keras

PACKAGES = ["tensorflow", "tensorflow-hub", "tensorflow-text", "tf_keras", "tf-models-official"]
BATCH = 32


class TfHubPadded:
    """Trains and predicts."""

    def prepare(self, threads: int, preprocess: str, encoder: str) -> None:
        """Takes the two modules' handles."""
        self.handles = preprocess, encoder

    def start(
        self, seed: int, label_names: list[str], steps: int, learning_rate: float = 1e-4
    ) -> None:
        """Makes a new model, as the tutorial does."""
        keras.utils.set_random_seed(seed)
        preprocess, encoder = self.handles
        text = keras.Input(shape=(), dtype=tf.string)
        x = hub.KerasLayer(preprocess)(text)
        x = hub.KerasLayer(encoder, trainable=True)(x)
        x = keras.layers.Dropout(0.1)(x["pooled_output"])
        self.model = keras.Model(text, keras.layers.Dense(len(label_names))(x))
        self.model.compile(
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            optimizer=optimization.create_optimizer(
                init_lr=learning_rate,
                num_train_steps=steps,
                num_warmup_steps=steps // 10,
                optimizer_type="adamw",
            ),
        )

    def train(self, texts: list[str], labels: list[int], epochs: int = 1) -> None:
        """Fits the model."""
        rows = tf.data.Dataset.from_tensor_slices((texts, labels)).shuffle(len(texts))
        batches = rows.batch(BATCH).prefetch(tf.data.AUTOTUNE)
        self.model.fit(batches, epochs=epochs, verbose=0)

    def predict(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        """Finds the classes of texts."""
        batches = tf.data.Dataset.from_tensor_slices(texts).batch(BATCH)
        labels = self.model.predict(batches, verbose=0).argmax(axis=-1)
        return lambda: {"labels": labels.tolist()}


if __name__ == "__main__":
    protocol.serve(TfHubPadded(), PACKAGES)
