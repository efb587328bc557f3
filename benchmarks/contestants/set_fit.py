"""SetFit with its defaults: pairs of texts by cosine similarity, then a logistic regression."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import datasets
import protocol
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, Pooling, Transformer
from setfit import SetFitModel, Trainer, TrainingArguments
from sklearn.linear_model import LogisticRegression

PACKAGES = ["setfit", "sentence-transformers", "torch", "transformers", "scikit-learn"]
LENGTH = 128


class SetFit:
    """Trains and predicts."""

    steps = 0  # as many as SetFit's defaults come to

    def prepare(self, threads: int, folder: str) -> None:
        """Remembers a folder with Hugging Face's files."""
        torch.set_num_threads(threads)
        transformers.logging.set_verbosity_error()
        datasets.disable_progress_bars()
        self.folder = folder

    def train(self, texts: list[str], labels: list[int], seed: int) -> dict[str, Any]:
        """Trains as SetFit's documentation does; timed from the files to the fitted head."""
        self.model = SetFitModel(model_body=self.body(), model_head=LogisticRegression())
        with tempfile.TemporaryDirectory() as output:
            settings = {"report_to": "none", "save_strategy": "no", "show_progress_bar": False}
            settings |= {"max_steps": self.steps} if self.steps else {}
            arguments = TrainingArguments(output_dir=output, seed=seed, **settings)
            rows = datasets.Dataset.from_dict({"text": texts, "label": labels})
            trainer = Trainer(model=self.model, args=arguments, train_dataset=rows)
            trainer.train()
        return {}

    def body(self, layers: int = 0) -> SentenceTransformer:
        """Returns the modules of all-MiniLM-L6-v2 as it is published, or its first layers."""
        words = Transformer(self.folder, max_seq_length=LENGTH)
        if layers:
            encoder = words.auto_model.encoder
            encoder.layer = encoder.layer[:layers]
        modules = [words, Pooling(words.get_word_embedding_dimension()), Normalize()]
        return SentenceTransformer(modules=modules, device="cpu")

    def predict(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        """Finds the classes of texts."""
        labels = self.model.predict(texts)
        return lambda: {"labels": [int(label) for label in labels]}


if __name__ == "__main__":
    protocol.serve(SetFit(), PACKAGES)
