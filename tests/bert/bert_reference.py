"""BERT's forward pass in NumPy, written from the paper, for a checkpoint's own tensors.

This command makes the expected outputs of MiniLM, beside this file, from the publisher's files:
    python -m tests.bert.bert_reference FOLDER_WITH_CONFIG_AND_SAFETENSORS
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from scipy.special import erf, softmax

MINILM_IDS = [101, 1045, 2293, 19081, 102]  # [CLS] i love transformers [SEP]
MINILM_OUTPUTS = Path(__file__).with_name("minilm_i_love_transformers.npz")


def gelu(x):
    return x * (1 + erf(x / np.sqrt(2))) / 2


def gelu_tanh(x):
    """Returns the tanh approximation of GELU, as the original release computes it."""
    return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2


def relu(x):
    return np.maximum(x, 0)


def bert_outputs(checkpoint, ids, mask, activation=gelu):
    """Returns the outputs of every layer, [layers, batch, seq, hidden], and pooled_output."""
    config = json.loads((checkpoint / "config.json").read_text())
    tensors = load_file(checkpoint / "model.safetensors")
    heads = config["num_attention_heads"]

    def dense(x, name):
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    def layer_norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(centred.var(-1, keepdims=True) + 1e-12)
        return scaled * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    def by_head(x):  # [batch, seq, hidden] -> [batch, heads, seq, size]
        return x.reshape(*x.shape[:2], heads, -1).transpose(0, 2, 1, 3)

    def attention(x, name):
        query, key, value = (by_head(dense(x, f"{name}.{p}")) for p in ("query", "key", "value"))
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(query.shape[-1])
        scores = np.where(np.asarray(mask)[:, None, None, :] > 0, scores, -np.inf)
        return (softmax(scores, axis=-1) @ value).transpose(0, 2, 1, 3).reshape(x.shape)

    ids = np.asarray(ids)
    x = (
        tensors["embeddings.word_embeddings.weight"][ids]
        + tensors["embeddings.position_embeddings.weight"][: ids.shape[1]]
        + tensors["embeddings.token_type_embeddings.weight"][0]
    )
    x = layer_norm(x, "embeddings.LayerNorm")
    layers = []
    for layer in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{layer}"
        attended = dense(attention(x, f"{name}.attention.self"), f"{name}.attention.output.dense")
        x = layer_norm(x + attended, f"{name}.attention.output.LayerNorm")
        inner = activation(dense(x, f"{name}.intermediate.dense"))
        x = layer_norm(x + dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        layers.append(x)
    return np.stack(layers), np.tanh(dense(x[:, 0], "pooler.dense"))


if __name__ == "__main__":
    layers, pooled = bert_outputs(Path(sys.argv[1]), [MINILM_IDS], np.ones((1, 5)))
    np.savez_compressed(
        MINILM_OUTPUTS,
        sequence_output=layers[-1, 0].astype(np.float32),
        pooled_output=pooled[0].astype(np.float32),
    )
