"""A SavedModel from strings to classes, with tensorflow and tensorflow_text alone."""

from __future__ import annotations

from typing import Any

import protocol
import tensorflow as tf
import tensorflow_text  # noqa: F401  # registers the ops of the graph

PACKAGES = ["tensorflow", "tensorflow-text"]


class SavedModel:
    """Predicts."""

    def prepare(self, threads: int, folder: str, one_thread: bool = False) -> None:
        """Opens the SavedModel, to run each of its operations on one thread if so asked."""
        if one_thread:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        self.loaded = tf.saved_model.load(folder)
        self.serve = self.loaded.signatures["serving_default"]

    def latency(self, texts: list[str]) -> dict[str, Any]:
        """Finds the class of one text after the other, and times each."""
        return protocol.one_by_one(self._classify, texts)

    def _classify(self, text: str) -> str:
        return self.serve(text=tf.constant([text]))["label"].numpy()[0].decode()


if __name__ == "__main__":
    protocol.serve(SavedModel(), PACKAGES)
