"""SetFit's distillation: a student of half the layers learns the embeddings of a SetFit model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import datasets
import protocol
import torch
from set_fit import PACKAGES, SetFit
from setfit import DistillationTrainer, SetFitModel, TrainingArguments
from sklearn.linear_model import LogisticRegression


class SetFitStudent(SetFit):
    """Trains a teacher and its student, and predicts with the student."""

    def train(self, texts: list[str], labels: list[int], seed: int, steps: int) -> dict[str, Any]:
        """Trains both, each for some steps of 16 pairs, on all rows.

        SetFit's defaults would make a pair of every two rows.
        """
        self.steps = steps
        super().train(texts, labels, seed)
        student = SetFitModel(model_body=self.body(layers=3), model_head=LogisticRegression())
        with tempfile.TemporaryDirectory() as output:
            settings = {"report_to": "none", "save_strategy": "no", "show_progress_bar": False}
            arguments = TrainingArguments(
                output_dir=output, seed=seed, max_steps=steps, batch_size=16, **settings
            )
            rows = datasets.Dataset.from_dict({"text": texts})
            trainer = DistillationTrainer(
                teacher_model=self.model,
                student_model=student,
                args=arguments,
                train_dataset=rows,
            )
            trainer.train()
        self.model = student
        return {}

    def predict(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        torch.manual_seed(0)
        return super().predict(texts)


if __name__ == "__main__":
    protocol.serve(SetFitStudent(), PACKAGES)
