"""Model2Vec: a static model distilled from a sentence encoder, and its own classifier on top."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import protocol
import torch
from model2vec.distill import distill
from model2vec.train import StaticModelForClassification

PACKAGES = ["model2vec", "torch", "scikit-learn"]


class Model2Vec:
    """Trains and predicts."""

    def prepare(self, threads: int, folder: str) -> None:
        """Remembers a folder with Hugging Face's files."""
        torch.set_num_threads(threads)
        self.folder = folder

    def train(self, texts: list[str], labels: list[int], seed: int = 0) -> None:
        """Distils the encoder and trains the classifier, both with their defaults."""
        static = distill(model_name=self.folder)
        self.model = StaticModelForClassification.from_static_model(model=static)
        names = [str(label) for label in labels]
        self.model.fit(texts, names, device="cpu", random_seed=seed)

    def predict(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        """Finds the classes of texts."""
        found = self.model.predict(texts)
        return lambda: {"labels": [int(label) for label in found]}


if __name__ == "__main__":
    protocol.serve(Model2Vec(), PACKAGES)
