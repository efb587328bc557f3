"""Stores the outputs of PyTorch's BertForPreTraining, for test_pretraining_network.py.

This command writes pretraining_vectors.npz, beside this file: logits and losses of the tiny BERTs
of `tiny_bert`, whose weights NumPy draws. It needs torch and transformers:
    python -m tests.bert.make_pretraining_vectors
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers

from tests.tiny_bert import TINY_VOCABULARY, write_tiny_checkpoint

VECTORS = Path(__file__).with_name("pretraining_vectors.npz")
ACTIVATIONS = ("gelu", "gelu_new", "relu")
LENGTHS = (24, 3, 11, 17)  # of a padded batch; each has a second segment but the shortest
NEXT_SENTENCE = (0, 1, 1, 0)
HIDDEN = 4  # every fourth position
IGNORED = -100  # by PyTorch's loss


def main():
    random = np.random.default_rng(7)
    place, length = np.arange(max(LENGTHS))[None], np.array(LENGTHS)[:, None]
    shape = (len(LENGTHS), max(LENGTHS))
    real = place < length
    stored = {
        "input_word_ids": random.integers(1, len(TINY_VOCABULARY), shape) * real,
        "input_mask": real,
        "input_type_ids": real & (place >= length // 2) & (length > 3),
        "next_sentence": np.array(NEXT_SENTENCE),
    }
    is_hidden = real & (place % HIDDEN == 1)
    originals = random.integers(0, len(TINY_VOCABULARY), shape)
    stored["masked_positions"] = np.flatnonzero(is_hidden)
    stored["masked_ids"] = originals[is_hidden]
    stored = {name: value.astype(np.int32) for name, value in stored.items()}
    labels = torch.tensor(np.where(is_hidden, originals, IGNORED))
    for activation in ACTIVATIONS:
        with tempfile.TemporaryDirectory() as folder:
            write_tiny_checkpoint(Path(folder), activation=activation, heads_of_pretraining=True)
            model, report = transformers.BertForPreTraining.from_pretrained(
                folder, output_loading_info=True
            )
        if report["missing_keys"] or report["unexpected_keys"]:
            sys.exit(f"the checkpoint does not fit: {report}")
        model.eval()
        with torch.no_grad():
            outputs = model(
                input_ids=torch.tensor(stored["input_word_ids"]),
                attention_mask=torch.tensor(stored["input_mask"]),
                token_type_ids=torch.tensor(stored["input_type_ids"]),
                labels=labels,
                next_sentence_label=torch.tensor(stored["next_sentence"]).long(),
            )
        logits = outputs.prediction_logits
        masked = torch.nn.functional.cross_entropy(
            logits[torch.tensor(is_hidden)], labels[is_hidden]
        )
        stored[f"{activation} masked_words"] = logits.numpy()[is_hidden]
        stored[f"{activation} next_sentence"] = outputs.seq_relationship_logits.numpy()
        stored[f"{activation} losses"] = np.array([masked, outputs.loss - masked], np.float32)
    np.savez_compressed(VECTORS, **stored)
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    print(f"{VECTORS}: {VECTORS.stat().st_size:,} bytes, {versions}")


if __name__ == "__main__":
    main()
