"""kerasnlp_lab as its users have it: its own functions, with their defaults."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable
from typing import Any

import protocol

from kerasnlp_lab import Classifier, load_classifier, train
from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.data.pairs import join_pair
from kerasnlp_lab.tasks import Classification
from kerasnlp_lab.text import tokenize
from kerasnlp_lab.zoo import create_model, predict_logits

PACKAGES = ["kerasnlp_lab", "tensorflow", "tensorflow-text", "tf_keras", "tf-models-official"]


class Ours:
    """Trains and predicts."""

    def prepare(self, threads: int, folder: str = "") -> None:
        """Opens a trained classifier, if a folder is given."""
        if folder:
            self._hold(load_classifier(folder))

    def _hold(self, classifier: Classifier) -> None:
        self.classifier, self.fused = classifier, None

    def start(
        self,
        seed: int,
        label_names: list[str],
        model: str,
        vocabulary: list[str],
        steps: int = 0,
        options: dict[str, Any] | None = None,
        pair: list[str] | None = None,
    ) -> None:
        """Makes a new classifier; ``train`` knows the number of steps by itself."""
        keras.utils.set_random_seed(seed)
        self.seed = seed
        task = Classification(tuple(label_names))
        names = (pair[0], pair[1]) if pair else None
        self._hold(create_model(model, task, vocabulary, options=options or {}, pair=names))

    def train(self, texts: list[Any], labels: list[int], epochs: int = 1) -> dict[str, Any]:
        """Trains as `train` does, with every row in each epoch and the encoder trainable.

        Timed are tokenizing and the training steps but for the first: TensorFlow builds
        its graph in that, which is the others' warm-up. Validating and saving are left out.
        """
        texts = _joined(texts)
        rows = Split(texts, labels)
        # The validation rows are training rows: there are none to choose an epoch on.
        some = Split(texts[:32], labels[:32])
        names, pair = self.classifier.label_names, self.classifier.pair
        data = TextDataset("rows", names, rows, some, some, pair=pair)
        recipe = dataclasses.replace(
            self.classifier.entry.recipe,
            epochs=epochs,
            frozen_epochs=0,
            min_steps_per_epoch=1,
            patience=epochs,
        )
        self.fused = None
        began = time.perf_counter()
        tokenize(self.classifier.text, texts)
        tokenizing = time.perf_counter() - began
        with tempfile.TemporaryDirectory() as folder:
            result = train(self.classifier, data, recipe, folder, seed=self.seed)
        if not result.texts_per_second:
            raise SystemExit(f"{len(texts)} texts make one step: give more --texts")
        steps = epochs * len(texts) / result.texts_per_second
        return {"seconds": tokenizing + steps, "tokenizing": tokenizing}

    def train_by_recipe(self, rows: list[Any], validation: list[Any]) -> dict[str, Any]:
        """Trains as `train` does with the model's own recipe, which chooses the best epoch."""
        train_rows, some = (Split(*part) for part in (rows, validation))
        data = TextDataset("rows", self.classifier.label_names, train_rows, some, some)
        self.fused = None
        with tempfile.TemporaryDirectory() as folder:
            result = train(
                self.classifier, data, self.classifier.entry.recipe, folder, seed=self.seed
            )
        return {"epochs": len(result.history), "best_epoch": result.best_epoch}

    def predict(self, texts: list[Any]) -> Callable[[], dict[str, Any]]:
        """Finds the classes of texts, by a graph that is built once for weights, in the warm-up."""
        classifier, texts = self.classifier, _joined(texts)
        self.fused = self.fused or classifier.fused()
        logits = predict_logits(classifier, texts, fused=self.fused)
        labels = classifier.decision.label_ids(classifier.decision.probabilities(logits))
        return lambda: {"labels": labels.tolist()}


def _joined(texts: list[Any]) -> list[str]:
    """Returns texts; a pair of texts as one string."""
    return [text if isinstance(text, str) else join_pair(*text) for text in texts]


if __name__ == "__main__":
    protocol.serve(Ours(), PACKAGES)
