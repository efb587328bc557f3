"""Hugging Face's BertForMaskedLM, trained as its example run_mlm.py does."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import protocol
import torch
from torch.utils.data import DataLoader
from transformers import (
    AutoTokenizer,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    get_linear_schedule_with_warmup,
    logging,
    set_seed,
)

PACKAGES = ["torch", "transformers", "tokenizers"]
WEIGHT_DECAY, CLIP = 0.01, 1.0
IGNORED = -100  # the label of a token that is not hidden
EVALUATION_BATCH = 32


class HuggingFacePretraining:
    """Trains on documents (lists of sentences), and finds the loss of masked rows."""

    def prepare(
        self,
        threads: int,
        folder: str,
        length: int,
        line_by_line: bool = False,
        bfloat16: bool = False,
    ) -> None:
        """Opens a folder.

        Args:
            threads: PyTorch's.
            folder: With config.json, model.safetensors, vocab.txt, tokenizer_config.json.
            length: Of a sequence.
            line_by_line: Whether a document is a sequence, padded to its batch; else sequences
                are blocks of all documents joined, run_mlm's default.
            bfloat16: Whether training computes under bfloat16's autocast; else in float32.
        """
        torch.set_num_threads(threads)
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.folder, self.length = folder, length
        self.line_by_line, self.bfloat16 = line_by_line, bfloat16
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.collate = DataCollatorForLanguageModeling(self.tokenizer)

    def start(self, seed: int, steps: int, learning_rate: float, batch: int) -> None:
        """Opens the model, with a new output layer and the Trainer's own optimizer and schedule."""
        set_seed(seed)
        self.model, self.batch = BertForMaskedLM.from_pretrained(self.folder), batch
        parameters = self.model.parameters()
        self.optimizer = torch.optim.AdamW(
            parameters, lr=learning_rate, weight_decay=WEIGHT_DECAY, fused=True
        )
        self.schedule = get_linear_schedule_with_warmup(self.optimizer, steps // 10, steps)

    def train(self, documents: list[list[str]], steps: int | None = None) -> dict[str, Any]:
        """Takes so many steps, or those of one pass. Timed are the steps."""
        began = time.perf_counter()
        rows = self._rows([" ".join(sentences) for sentences in documents])
        prepared = time.perf_counter()
        loader = DataLoader(rows, self.batch, shuffle=True, collate_fn=self.collate)
        passes = itertools.repeat(loader, 1 if steps is None else steps)
        batches = itertools.islice(itertools.chain.from_iterable(passes), steps)
        tokens = sequences = taken = 0
        self.model.train()
        for batch in batches:
            tokens += int(batch["attention_mask"].sum())
            sequences, taken = sequences + len(batch["input_ids"]), taken + 1
            self._step(batch)
        return {
            "seconds": time.perf_counter() - prepared,
            "preparing": prepared - began,
            "tokens": tokens,
            "sequences": sequences,
            "steps": taken,
        }

    def _step(self, batch: Any) -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            loss = self.model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad()

    def _rows(self, texts: list[str]) -> list[dict[str, list[int]]]:
        if self.line_by_line:
            encoded = self.tokenizer(
                texts, truncation=True, max_length=self.length, return_special_tokens_mask=True
            )
            parts: Iterator[dict[str, list[int]]] = (
                {name: values[row] for name, values in encoded.items()} for row in range(len(texts))
            )
            return list(parts)
        # run_mlm's group_texts
        encoded = self.tokenizer(texts, return_special_tokens_mask=True)
        joined = {name: list(itertools.chain(*values)) for name, values in encoded.items()}
        whole = len(joined["input_ids"]) // self.length * self.length
        return [
            {name: values[begin : begin + self.length] for name, values in joined.items()}
            for begin in range(0, whole, self.length)
        ]

    def loss(self, rows: list[dict[str, list[int]]]) -> dict[str, float]:
        """Returns the mean loss of all hidden tokens of masked rows; see pretrain.py."""
        self.model.eval()
        total, count = 0.0, 0
        for begin in range(0, len(rows), EVALUATION_BATCH):
            some = rows[begin : begin + EVALUATION_BATCH]
            batch = self.tokenizer.pad(
                [{"input_ids": row["ids"]} for row in some], return_tensors="pt"
            )
            labels = torch.full_like(batch["input_ids"], IGNORED)
            for number, row in enumerate(some):
                labels[number, row["places"]] = torch.tensor(row["originals"])
            hidden = sum(len(row["places"]) for row in some)
            with torch.inference_mode():
                total += self.model(**batch, labels=labels).loss.item() * hidden
            count += hidden
        return {"loss": total / count}


if __name__ == "__main__":
    protocol.serve(HuggingFacePretraining(), PACKAGES)
