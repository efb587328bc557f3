"""Hugging Face's BertForTokenClassification: as its Trainer does by default, and at its best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import protocol
import torch
from torch.utils.data import DataLoader
from transformers import (
    AutoTokenizer,
    BertForTokenClassification,
    DataCollatorForTokenClassification,
    get_linear_schedule_with_warmup,
    logging,
    set_seed,
)

PACKAGES = ["torch", "transformers", "tokenizers"]
BATCH, WINDOW, LENGTH = 32, 50, 128
IGNORED = -100  # the label of all pieces but a word's first


class HuggingFaceTagger:
    """Trains and predicts. A row is a list of words and a list of their tags."""

    def prepare(self, threads: int, folder: str, best: bool, bfloat16: bool = False) -> None:
        """Opens a folder with Hugging Face's files; see hugging_face.py."""
        torch.set_num_threads(threads)
        logging.set_verbosity_error()
        self.folder, self.best, self.bfloat16 = folder, best, bfloat16
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.collate = DataCollatorForTokenClassification(self.tokenizer)

    def start(self, seed: int, tags: list[str], steps: int, learning_rate: float) -> None:
        """Makes a new model with the Trainer's own optimizer and schedule."""
        set_seed(seed)
        self.tags = tags
        self.model = BertForTokenClassification.from_pretrained(self.folder, num_labels=len(tags))
        parameters = self.model.parameters()
        self.optimizer = torch.optim.AdamW(
            parameters, lr=learning_rate, weight_decay=0.01, fused=True
        )
        self.schedule = get_linear_schedule_with_warmup(self.optimizer, steps // 10, steps)

    def train(
        self, words: list[list[str]], tags: list[list[str]], epochs: int, **_: Any
    ) -> dict[str, Any]:
        """Takes a step a batch."""
        number = {tag: index for index, tag in enumerate(self.tags)}
        rows = self._encode(words)
        for row, of_row in zip(rows, tags, strict=True):
            firsts = row.pop("firsts")
            row["labels"] = [IGNORED] * len(row["input_ids"])
            for place, tag in zip(firsts, of_row, strict=False):
                row["labels"][place] = number[tag]
        self.model.train()
        for _ in range(epochs):
            for batch in self._batches(rows):
                with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
                    loss = self.model(**batch).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                self.optimizer.step()
                self.schedule.step()
                self.optimizer.zero_grad()
        return {}

    def _encode(self, words: list[list[str]]) -> list[dict[str, Any]]:
        """Returns token ids, and the place of each word's first piece."""
        encoded = self.tokenizer(
            words, is_split_into_words=True, truncation=True, max_length=LENGTH
        )
        rows = []
        for row, ids in enumerate(encoded["input_ids"]):
            word_of = encoded.word_ids(row)
            known = [-1, *(-1 if one is None else one for one in word_of)]
            firsts = [n for n, one in enumerate(word_of) if one is not None and one != known[n]]
            rows.append({"input_ids": ids, "firsts": firsts})
        return rows

    def _batches(self, rows: list[dict[str, Any]]) -> DataLoader:
        if not self.best:
            return DataLoader(rows, BATCH, shuffle=True, collate_fn=self.collate)
        shuffled = torch.randperm(len(rows)).tolist()
        batches = []
        for start in range(0, len(rows), WINDOW * BATCH):
            window = sorted(
                shuffled[start : start + WINDOW * BATCH],
                key=lambda row: len(rows[row]["input_ids"]),
            )
            batches += [window[first : first + BATCH] for first in range(0, len(window), BATCH)]
        order = [batches[index] for index in torch.randperm(len(batches))]
        return DataLoader(rows, batch_sampler=order, collate_fn=self.collate)

    def predict(self, words: list[list[str]]) -> Callable[[], dict[str, Any]]:
        """Finds the tag of each word; O for words beyond the longest text."""
        self.model.eval()
        rows = self._encode(words)
        order = list(range(len(rows)))
        if self.best:
            order.sort(key=lambda row: -len(rows[row]["input_ids"]))
        found: dict[int, list[int]] = {}
        with (
            torch.inference_mode(),
            torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16),
        ):
            for start in range(0, len(order), BATCH):
                chosen = order[start : start + BATCH]
                ids = [{"input_ids": rows[row]["input_ids"]} for row in chosen]
                batch = self.tokenizer.pad(ids, return_tensors="pt")
                best = self.model(**batch).logits.argmax(dim=-1).tolist()
                for row, tags in zip(chosen, best, strict=True):
                    found[row] = [tags[place] for place in rows[row]["firsts"]]
        return lambda: {
            "tags": [
                [*(self.tags[tag] for tag in found[row]), *["O"] * (len(of_row) - len(found[row]))]
                for row, of_row in enumerate(words)
            ]
        }


if __name__ == "__main__":
    protocol.serve(HuggingFaceTagger(), PACKAGES)
