"""Writes a BERT in Hugging Face's format again in all other published formats."""

import json
import shutil

import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file, save_file

LAYERS = 2  # of the tiny checkpoint
DISTILBERT_CONFIG = {
    "dim": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "hidden_dim": "intermediate_size",
    "activation": "hidden_act",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "initializer_range": "initializer_range",
    "vocab_size": "vocab_size",
    "max_position_embeddings": "max_position_embeddings",
}
DISTILBERT_LAYER = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}


class Intruder:
    """An object whose unpickling creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def change_config(folder, name="config.json", **changes):
    """Changes keys of a JSON file. None removes a key."""
    path = folder / name
    content = {**(json.loads(path.read_text()) if path.exists() else {}), **changes}
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))


def change_tensors(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


def without_pooler_tensors(tensors):
    return {name: value for name, value in tensors.items() if not name.startswith("pooler.")}


def as_masked_lm(source, target):
    """Writes a BertForPreTraining of 2019: prefix, gamma and beta, head, position buffer."""
    shutil.copytree(source, target)
    renamed = {}
    for name, value in load_file(source / "model.safetensors").items():
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        renamed["bert." + name.replace("LayerNorm.bias", "LayerNorm.beta")] = value
    words = renamed["bert.embeddings.word_embeddings.weight"]
    renamed["bert.embeddings.position_ids"] = np.arange(64)[np.newaxis]
    renamed["cls.predictions.bias"] = np.ones(len(words), np.float32)
    renamed["cls.predictions.decoder.weight"] = words.copy()
    renamed["cls.predictions.transform.dense.weight"] = np.ones((16, 16), np.float32)
    renamed["cls.predictions.transform.LayerNorm.gamma"] = np.ones(16, np.float32)
    renamed["cls.seq_relationship.weight"] = np.ones((2, 16), np.float32)
    save_file(renamed, target / "model.safetensors")


def as_distilbert(source, target, prefix="distilbert."):
    """Writes a DistilBERT with a masked LM head: its own names, no token types, no pooler.

    Source: transformers, models/distilbert/modeling_distilbert.py.
    """
    shutil.copytree(source, target)
    config = json.loads((source / "config.json").read_text())
    renamed_config = {ours: config[theirs] for ours, theirs in DISTILBERT_CONFIG.items()}
    extra = {"model_type": "distilbert", "sinusoidal_pos_embds": False, "qa_dropout": 0.1}
    (target / "config.json").write_text(json.dumps(renamed_config | extra))
    renamed = {}
    tensors = load_file(source / "model.safetensors")
    for name, value in without_pooler_tensors(tensors).items():
        if "token_type" in name:
            continue
        for layer in range(LAYERS):
            for bert, distilbert in DISTILBERT_LAYER.items():
                ours, theirs = f"encoder.layer.{layer}.{bert}", f"transformer.layer.{layer}."
                if name.startswith(f"{ours}."):
                    name = theirs + distilbert + name.removeprefix(ours)
        renamed[prefix + name] = value
    if prefix:
        renamed["vocab_transform.weight"] = np.ones((16, 16), np.float32)
        renamed["vocab_layer_norm.weight"] = np.ones(16, np.float32)
    save_file(renamed, target / "model.safetensors")


def as_distilbert_without_a_head(source, target):
    as_distilbert(source, target, prefix="")


def without_pooler(source, target):
    """Writes a BERT like sentence-transformers and `BertModel(add_pooling_layer=False)`."""
    shutil.copytree(source, target)
    tensors = without_pooler_tensors(load_file(source / "model.safetensors"))
    save_file(tensors, target / "model.safetensors")


def with_tokenizer_json(source, target, **normalizer):
    """Replaces vocab.txt by the tokenizers library's tokenizer.json."""
    shutil.copytree(source, target)
    pieces = (target / "vocab.txt").read_text().split("\n")[:-1]
    (target / "vocab.txt").unlink()
    special = [{"id": i, "content": p, "special": True} for i, p in enumerate(pieces[:5])]
    content = {
        "version": "1.0",
        "truncation": None,
        "added_tokens": special,
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
            **normalizer,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            # The lines are not in the order of the ids; the numbers give the order.
            "vocab": {piece: i for i, piece in reversed(list(enumerate(pieces)))},
        },
    }
    (target / "tokenizer.json").write_text(json.dumps(content))


def in_half_precision(source, target):
    """Stores values in float16, which holds them exactly."""
    shutil.copytree(source, target)
    tensors = load_file(source / "model.safetensors")
    save_file({n: v.astype(np.float16) for n, v in tensors.items()}, target / "model.safetensors")


def as_release(source, target):
    """Writes the original release: bert_config.json, vocab.txt and a TensorFlow 1 checkpoint.

    Source: https://github.com/google-research/bert, modeling.py and optimization.py.
    """
    target.mkdir()
    shutil.copy(source / "vocab.txt", target)
    config = json.loads((source / "config.json").read_text())
    del config["model_type"]
    (target / "bert_config.json").write_text(json.dumps(config))
    values = {"global_step": np.int64(7)}
    for name, value in load_file(source / "model.safetensors").items():
        values["bert/" + release_name(name)] = value.T if is_kernel(name) else value
    values["cls/predictions/output_bias"] = np.ones(config["vocab_size"], np.float32)
    values["cls/predictions/transform/LayerNorm/gamma"] = np.ones(16, np.float32)
    values["cls/seq_relationship/output_weights"] = np.ones((2, 16), np.float32)
    slots = {f"{n}/{s}": 9 * np.ones_like(v) for n, v in values.items() for s in ADAM if v.ndim}
    write_checkpoint(values | slots, target / "bert_model.ckpt")


ADAM = ("adam_m", "adam_v")


def is_kernel(name):
    return name.endswith(("dense.weight", "query.weight", "key.weight", "value.weight"))


def release_name(name):
    name = name.replace("layer.", "layer_").replace("_embeddings.weight", "_embeddings")
    name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
    name = name.replace("LayerNorm.bias", "LayerNorm.beta")
    return name.replace(".weight", ".kernel").replace(".", "/")


def write_checkpoint(values, prefix):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        for name, value in values.items():
            v1.get_variable(name, initializer=value)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(prefix), write_meta_graph=False)
