"""Stores PyTorch's BertModel outputs for MiniLM's published weights, for test_bert_vectors.py.

This command writes bert_vectors.npz, beside this file, from the publisher's config.json,
vocab.txt and model.safetensors. It needs torch and transformers, which nothing else here does:
    python -m tests.bert.make_bert_vectors FOLDER_WITH_THE_THREE
"""

import csv
import itertools
import sys
from pathlib import Path

import numpy as np
import torch
import transformers

HERE = Path(__file__).parent
NEWS = HERE.parents[1] / "kerasnlp_lab" / "data" / "news_sample" / "test.csv"
VECTORS = HERE / "bert_vectors.npz"

# Lengths around each power of two, where padding and blocked kernels fail, and some in between.
LENGTHS = [2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 100, 127, 128, 129, 200]
LENGTHS += [255, 256, 300, 384, 400, 511, 512]
PADDED_BATCH = [6, 12, 48, 90]
TWO_SEGMENTS = 80
ATTENTION_PIECES = 16

# To keep the file small, only every third component of the means over positions is stored. Through
# LayerNorm each of them depends on all components of the layer before.
LAYER_MEANS_STEP = 3


def main(checkpoint):
    tokenizer = transformers.BertTokenizerFast(str(checkpoint / "vocab.txt"), do_lower_case=True)
    model, report = transformers.BertModel.from_pretrained(
        checkpoint, attn_implementation="eager", dtype=torch.float32, output_loading_info=True
    )
    if report["missing_keys"]:  # missing weights would silently be random
        sys.exit(f"the checkpoint lacks {report['missing_keys']}")
    model.eval()
    with NEWS.open(encoding="utf-8", newline="") as file:
        news = list(csv.DictReader(file))

    def input_ids(start, length):
        """Returns word pieces of the news, starting with one story, between [CLS] and [SEP]."""
        stories = [f"{row['title']}. {row['description']}" for row in news[start:] + news[:start]]
        return tokenizer(" ".join(stories), truncation=True, max_length=length)["input_ids"]

    lengths = [[length] for length in LENGTHS] + [PADDED_BATCH, [TWO_SEGMENTS]]
    starts = itertools.count(0, 4)  # every input starts with another story
    batches = [[input_ids(next(starts), length) for length in batch] for batch in lengths]
    assert [[len(ids) for ids in batch] for batch in batches] == lengths
    rows = []
    for number, batch in enumerate(batches):
        type_ids = [[0] * len(ids) for ids in batch]
        if number == len(batches) - 1:
            type_ids = [[0] * (TWO_SEGMENTS // 2) + [1] * (TWO_SEGMENTS // 2)]
        rows += [{"batch": number, **row} for row in answers(model, batch, type_ids)]
    stored = {
        "batch": np.array([row["batch"] for row in rows], np.uint8),
        "length": np.array([len(row["input_ids"]) for row in rows], np.uint16),
        "input_ids": np.array([padded(row["input_ids"], max(LENGTHS)) for row in rows], np.uint16),
        "type_ids": np.array([padded(row["type_ids"], max(LENGTHS)) for row in rows], np.uint8),
        "layer_means_step": np.uint8(LAYER_MEANS_STEP),
    }
    for name in ("pooled_output", "sequence_output", "layer_means"):
        stored[name] = np.array([row[name] for row in rows], np.float32)
    stored |= attention(model, tokenizer, [row["title"] for row in news])
    np.savez_compressed(VECTORS, **stored)
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    print(f"{VECTORS}: {len(rows)} inputs, {VECTORS.stat().st_size:,} bytes, {versions}")


def answers(model, batch, type_ids):
    """Yields the stored values of each input in a batch."""
    width = max(map(len, batch))
    mask = [[1] * len(ids) for ids in batch]
    with torch.no_grad():
        outputs = model(
            input_ids=torch.tensor([padded(ids, width) for ids in batch]),
            attention_mask=torch.tensor([padded(ones, width) for ones in mask]),
            token_type_ids=torch.tensor([padded(types, width) for types in type_ids]),
            output_hidden_states=True,
        )
    layers = torch.stack(outputs.hidden_states[1:]).numpy()  # [0] is the embeddings
    for row, ids in enumerate(batch):
        length = len(ids)
        yield {
            "input_ids": ids,
            "type_ids": type_ids[row],
            "pooled_output": outputs.pooler_output[row].numpy(),
            "sequence_output": outputs.last_hidden_state[row].numpy()[[0, length // 2, length - 1]],
            "layer_means": layers[:, row, :length, ::LAYER_MEANS_STEP].mean(axis=1),
        }


def attention(model, tokenizer, titles):
    """Returns the attention probabilities of head 0 in the first and the last layer."""
    inputs = (tokenizer(title, return_tensors="pt") for title in titles)
    sentence = next(i for i in inputs if i["input_ids"].shape[1] == ATTENTION_PIECES)
    with torch.no_grad():
        layers = model(**sentence, output_attentions=True).attentions
    return {
        "attention_input_ids": sentence["input_ids"][0].numpy().astype(np.uint16),
        "attention_first_layer": layers[0][0, 0].numpy(),
        "attention_last_layer": layers[-1][0, 0].numpy(),
    }


def padded(values, width):
    return values + [0] * (width - len(values))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
