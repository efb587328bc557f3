"""A BERT classifier in ONNX Runtime: float32, fused by its own tools, batches of similar length."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import protocol
import torch
from onnxruntime.transformers import optimizer
from transformers import AutoTokenizer, BertForSequenceClassification, logging

PACKAGES = ["onnxruntime", "onnx", "torch", "transformers", "tokenizers"]
BATCH, LENGTH = 32, 128
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class OnnxBert:
    """Predicts."""

    def prepare(self, threads: int, folder: str) -> None:
        """Exports a folder with BertForSequenceClassification's files, and opens the export."""
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        with tempfile.TemporaryDirectory() as name:
            path = Path(name, "model.onnx")
            eager = {"attn_implementation": "eager"}  # whose graph can be fused
            _export(BertForSequenceClassification.from_pretrained(folder, **eager), path)
            self.session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )

    def predict(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        """Finds the classes of texts, longest first."""
        encoded = self.tokenizer(texts, truncation=True, max_length=LENGTH)["input_ids"]
        longest_first = sorted(range(len(texts)), key=lambda row: -len(encoded[row]))
        labels = [0] * len(texts)
        for start in range(0, len(texts), BATCH):
            rows = longest_first[start : start + BATCH]
            ids = [encoded[row] for row in rows]
            batch = dict(self.tokenizer.pad({"input_ids": ids}, return_tensors="np"))
            batch["token_type_ids"] = np.zeros_like(batch["input_ids"])
            logits = self.session.run(["logits"], {name: batch[name] for name in INPUTS})[0]
            for row, label in zip(rows, logits.argmax(axis=-1).tolist(), strict=True):
                labels[row] = label
        return lambda: {"labels": labels}


def _export(model: BertForSequenceClassification, path: Path) -> None:
    """Writes a model with batch and length left open, its attention, GELU and LayerNorm fused.

    ONNX Runtime's optimizer knows attention in the graphs of PyTorch's older exporter alone.
    """
    free = {0: "batch", 1: "length"}
    torch.onnx.export(
        model.eval(),
        tuple(torch.ones(2, 16, dtype=torch.int64) for _ in INPUTS),
        str(path),
        input_names=list(INPUTS),
        output_names=["logits"],
        dynamic_axes=dict.fromkeys(INPUTS, free),
        dynamo=False,
    )
    config = model.config
    fused = optimizer.optimize_model(
        str(path),
        model_type="bert",
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        opt_level=0,
    )
    if fused.get_fused_operator_statistics()["Attention"] != config.num_hidden_layers:
        raise SystemExit("ONNX Runtime did not fuse the attention of every layer: not its best")
    fused.save_model_to_file(str(path))


if __name__ == "__main__":
    protocol.serve(OnnxBert(), PACKAGES)
