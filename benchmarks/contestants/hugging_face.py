"""Hugging Face's BertForSequenceClassification: as its Trainer does by default, and at its best."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import protocol
import torch
from torch.utils.data import DataLoader
from transformers import (
    AutoTokenizer,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    get_linear_schedule_with_warmup,
    logging,
    pipeline,
    set_seed,
)

PACKAGES = ["torch", "transformers", "tokenizers"]
BATCH, WINDOW, LENGTH = 32, 50, 128


class HuggingFace:
    """Trains and predicts."""

    def prepare(self, threads: int, folder: str, best: bool, bfloat16: bool = False) -> None:
        """Opens a folder.

        Args:
            threads: PyTorch's.
            folder: With BertForSequenceClassification's files.
            best: Whether batches are of similar length; else `pipeline` predicts.
            bfloat16: Whether it computes in bfloat16: by autocast in training, with all
                weights in predicting; else in float32.
        """
        torch.set_num_threads(threads)
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.folder, self.best, self.bfloat16 = folder, best, bfloat16
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.collate = DataCollatorWithPadding(self.tokenizer)
        self._open(BertForSequenceClassification.from_pretrained(folder))

    def _open(self, model: Any) -> None:
        self.model, self.quick = model, None
        self.pipeline = pipeline("text-classification", model=model, tokenizer=self.tokenizer)

    def start(
        self, seed: int, label_names: list[str], steps: int, learning_rate: float = 1e-4
    ) -> None:
        """Makes a new model with the Trainer's own optimizer and schedule."""
        set_seed(seed)
        self._open(
            BertForSequenceClassification.from_pretrained(
                self.folder,
                id2label=dict(enumerate(label_names)),
                label2id={name: index for index, name in enumerate(label_names)},
            )
        )
        parameters = self.model.parameters()
        self.optimizer = torch.optim.AdamW(
            parameters, lr=learning_rate, weight_decay=0.01, fused=True
        )
        self.schedule = get_linear_schedule_with_warmup(self.optimizer, steps // 10, steps)

    def train(self, texts: list[Any], labels: list[int], epochs: int = 1) -> None:
        """Takes a step a batch."""
        encoded = self._encode(texts)
        rows = [row | {"labels": label} for row, label in zip(encoded, labels, strict=True)]
        self.model.train()
        self.quick = None
        for _ in range(epochs):
            for batch in self._training_batches(rows):
                with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
                    loss = self.model(**batch).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                self.optimizer.step()
                self.schedule.step()
                self.optimizer.zero_grad()

    def _encode(self, texts: list[Any]) -> list[dict[str, Any]]:
        """Returns the ids of texts or of pairs, and for pairs the types of tokens."""
        limits = {"truncation": True, "max_length": LENGTH}
        if not texts or isinstance(texts[0], str):
            return [{"input_ids": ids} for ids in self.tokenizer(texts, **limits)["input_ids"]]
        firsts, seconds = zip(*texts, strict=True)
        encoded = self.tokenizer(list(firsts), list(seconds), **limits)
        columns = encoded["input_ids"], encoded["token_type_ids"]
        return [
            {"input_ids": ids, "token_type_ids": types} for ids, types in zip(*columns, strict=True)
        ]

    def _training_batches(self, rows: list[dict[str, Any]]) -> DataLoader:
        if not self.best:
            return DataLoader(rows, BATCH, shuffle=True, collate_fn=self.collate)
        shuffled = torch.randperm(len(rows)).tolist()
        batches = []
        for start in range(0, len(rows), WINDOW * BATCH):
            window = shuffled[start : start + WINDOW * BATCH]
            window.sort(key=lambda row: len(rows[row]["input_ids"]))
            batches += [window[first : first + BATCH] for first in range(0, len(window), BATCH)]
        order = [batches[index] for index in torch.randperm(len(batches))]
        return DataLoader(rows, batch_sampler=order, collate_fn=self.collate)

    def predict(self, texts: list[Any]) -> Callable[[], dict[str, Any]]:
        """Finds the classes of texts."""
        self.model.eval()
        if self.best:
            labels = self._predict_sorted(texts)
            return lambda: {"labels": labels}
        limits = {"truncation": True, "max_length": LENGTH}
        if texts and not isinstance(texts[0], str):
            texts = [{"text": first, "text_pair": second} for first, second in texts]
        found = self.pipeline(texts, batch_size=BATCH, **limits)
        return lambda: {"labels": [self.model.config.label2id[one["label"]] for one in found]}

    def latency(self, texts: list[str]) -> dict[str, Any]:
        """Finds the class of one text after the other by the pipeline, and times each."""
        return protocol.one_by_one(lambda text: self.pipeline(text)[0]["label"], texts)

    def _predict_sorted(self, texts: list[Any]) -> list[int]:
        labels = [0] * len(texts)
        if self.quick is None:  # autocast would convert all weights for every batch
            precision = torch.bfloat16 if self.bfloat16 else torch.float32
            self.quick = copy.deepcopy(self.model).to(precision)
        with torch.inference_mode():
            for rows, batch in self._sorted_batches(texts):
                found = self.quick(**batch).logits.argmax(dim=-1).tolist()
                for row, label in zip(rows, found, strict=True):
                    labels[row] = label
        return labels

    def _sorted_batches(self, texts: list[Any]) -> Iterator[tuple[list[int], Any]]:
        encoded = self._encode(texts)
        longest_first = sorted(range(len(texts)), key=lambda row: -len(encoded[row]["input_ids"]))
        for start in range(0, len(texts), BATCH):
            rows = longest_first[start : start + BATCH]
            yield rows, self.collate([encoded[row] for row in rows])


if __name__ == "__main__":
    protocol.serve(HuggingFace(), PACKAGES)
