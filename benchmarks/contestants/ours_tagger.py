"""kerasnlp_lab's task of finding entities, as its users have it."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable
from typing import Any

import protocol

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.tasks import Entities
from kerasnlp_lab.text.pipeline import find_tokens
from kerasnlp_lab.training import train
from kerasnlp_lab.zoo import create_model, predict_logits

PACKAGES = ["kerasnlp_lab", "tensorflow", "tensorflow-text", "tf_keras", "tf-models-official"]


class OursTagger:
    """Trains and predicts. A row is a text and its spans."""

    def prepare(self, threads: int, model: str) -> None:
        """Remembers the model's name."""
        self.model = model

    def start(self, seed: int, label_names: list[str], learning_rate: float | None) -> None:
        """Remembers the settings of a new training."""
        self.seed, self.label_names, self.learning_rate = seed, label_names, learning_rate

    def train(
        self, rows: dict[str, Any], validation: dict[str, Any], epochs: int | None
    ) -> dict[str, Any]:
        """Trains, with the encoder trainable; the best epoch on the validation rows counts.

        Timed are tokenizing and the training steps but for the first, as in ours.py.

        Args:
            rows: The texts and the spans to train on.
            validation: Those to choose the epoch on.
            epochs: The number of epochs; None for the model's own recipe.
        """
        keras.utils.set_random_seed(self.seed)
        splits = [Split(one["texts"], spans=one["spans"]) for one in (rows, validation)]
        data = TextDataset("rows", tuple(self.label_names), *splits, splits[1])
        task = Entities.for_data(data)
        self.classifier = create_model(self.model, task, data.train.texts)
        self.fused, recipe = None, self.classifier.entry.recipe
        if epochs is not None:
            recipe = dataclasses.replace(
                recipe,
                epochs=epochs,
                frozen_epochs=0,
                min_steps_per_epoch=1,
                patience=epochs,
                learning_rate=self.learning_rate,
            )
        began = time.perf_counter()
        find_tokens(self.classifier.text, rows["texts"])
        tokenizing = time.perf_counter() - began
        with tempfile.TemporaryDirectory() as folder:
            result = train(self.classifier, data, recipe, folder, seed=self.seed)
        steps = len(result.history) * len(rows["texts"]) / result.texts_per_second
        return {"seconds": tokenizing + steps, "epochs": len(result.history)}

    def predict(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        """Finds the entities of texts, by a graph that is built once, in the warm-up."""
        classifier = self.classifier
        self.fused = self.fused or classifier.fused()
        logits = predict_logits(classifier, texts, fused=self.fused)
        answers = classifier.task.answers(logits, classifier.decision, texts)
        return lambda: {
            "spans": [[[e.start, e.end, e.label] for e in one.entities] for one in answers]
        }


if __name__ == "__main__":
    protocol.serve(OursTagger(), PACKAGES)
