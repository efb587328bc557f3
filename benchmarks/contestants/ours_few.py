"""kerasnlp_lab's recipe few_shot, as its users have it."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from typing import Any

import protocol

from kerasnlp_lab import create_classifier, train
from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.lab import find_preset
from kerasnlp_lab.tasks import Classification
from kerasnlp_lab.zoo import find_model, predict_logits

PACKAGES = ["kerasnlp_lab", "tensorflow", "tensorflow-text", "tf_keras", "tf-models-official"]
MODEL = "minilm_l6_h384"


class OursFew:
    """Trains and predicts."""

    def prepare(self, threads: int, recipe: str) -> None:
        """Remembers a recipe's name; "" is MiniLM's own recipe."""
        self.preset = find_preset(recipe) if recipe else None

    def train(self, texts: list[str], labels: list[int], seed: int) -> dict[str, Any]:
        """Trains on all rows, without the cross-validation; timed from the files to the head."""
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        rows = Split(texts, labels)
        names = [str(number) for number in range(max(labels) + 1)]
        entry, options = find_model(MODEL), {}
        recipe = entry.recipe
        if self.preset is not None:
            options, fields = self.preset.settings_for(entry, Classification)
            recipe = dataclasses.replace(recipe, **fields)
        classifier = create_classifier(MODEL, names, texts, options=options)
        data = TextDataset("rows", tuple(names), rows, rows, rows)
        with tempfile.TemporaryDirectory() as folder:
            train(classifier, data, recipe, folder, seed=seed)
        self.classifier = classifier
        return {}

    def predict(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        """Finds the classes of texts."""
        labels = predict_logits(self.classifier, texts).argmax(axis=1)
        return lambda: {"labels": labels.tolist()}


if __name__ == "__main__":
    protocol.serve(OursFew(), PACKAGES)
