"""What several test folders need: where the real data is, and a tiny BERT as TF Hub modules."""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
from safetensors.numpy import save_file

ROOT = Path(__file__).parents[1]

TINY_VOCABULARY = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] the a cat dog sat ran oil stock team game goal match chip "
    "code web war vote ##s ##ed ##ing . , ' !"
).split()


@pytest.fixture(autouse=True)
def seeded() -> None:
    """A test that fails fails again."""
    from kerasnlp_lab._keras import keras

    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session", autouse=True)
def own_features(tmp_path_factory):
    """Features of frozen encoders that tests make do not go into the user's own cache."""
    folder = tmp_path_factory.mktemp("features_cache")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("kerasnlp_lab.training.frozen_features.cache_dir", lambda: folder)
        yield


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with real AG News and SMS spam."""
    configured = os.environ.get("KERASNLP_LAB_TEST_DATA")
    folder = Path(configured) if configured else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data not found: set KERASNLP_LAB_TEST_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def ag_news_csv(test_data: Path) -> Path:
    """The folder with AG News' own train.csv and test.csv."""
    folder = test_data / "ag_news_csv"
    if not folder.is_dir():
        pytest.skip(f"no ag_news_csv in {test_data}")
    return folder


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory) -> Path:
    """A BERT of 2 layers and hidden size 16 with random weights, in Hugging Face's form."""
    hidden, inner, layers, positions = 16, 32, 2, 64
    config = {
        "model_type": "bert",
        "vocab_size": len(TINY_VOCABULARY),
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "intermediate_size": inner,
        "max_position_embeddings": positions,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
    }
    rng = np.random.default_rng(0)
    tensors = {}

    def add(name: str, *shape: int) -> None:
        tensors[name] = rng.normal(0, 0.3, shape).astype(np.float32)

    def add_dense(name: str, inputs: int, outputs: int) -> None:
        add(f"{name}.weight", outputs, inputs)
        add(f"{name}.bias", outputs)

    def add_norm(name: str) -> None:
        add(f"{name}.weight", hidden)
        add(f"{name}.bias", hidden)

    add("embeddings.word_embeddings.weight", len(TINY_VOCABULARY), hidden)
    add("embeddings.position_embeddings.weight", positions, hidden)
    add("embeddings.token_type_embeddings.weight", 2, hidden)
    add_norm("embeddings.LayerNorm")
    for layer in range(layers):
        prefix = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            add_dense(f"{prefix}.attention.self.{part}", hidden, hidden)
        add_dense(f"{prefix}.attention.output.dense", hidden, hidden)
        add_norm(f"{prefix}.attention.output.LayerNorm")
        add_dense(f"{prefix}.intermediate.dense", hidden, inner)
        add_dense(f"{prefix}.output.dense", inner, hidden)
        add_norm(f"{prefix}.output.LayerNorm")
    add_dense("pooler.dense", hidden, hidden)

    folder = tmp_path_factory.mktemp("tiny_checkpoint")
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(TINY_VOCABULARY) + "\n")
    save_file(tensors, folder / "model.safetensors")
    return folder


@pytest.fixture(scope="session")
def tiny_modules(tiny_checkpoint: Path, tmp_path_factory) -> Path:
    """The same BERT as TF Hub modules: a folder with preprocess/ and encoder/."""
    from kerasnlp_lab.hub import build_bert_modules

    folder = tmp_path_factory.mktemp("tiny_modules")
    build_bert_modules(tiny_checkpoint, folder, do_lower_case=True)
    return folder


@pytest.fixture(scope="session")
def tiny_hub_cache(tiny_checkpoint: Path, tmp_path_factory) -> tuple[str, dict[str, str]]:
    """A TF Hub cache in which small_bert's two handles are the tiny BERT, without dropout.

    Returns the model's name in the zoo and the environment that makes TF Hub find it.
    """
    import shutil

    from kerasnlp_lab.hub import build_bert_modules
    from tests.hub.tfhub_cache import SMALL_BERT, fill_tfhub_cache

    checkpoint = tmp_path_factory.mktemp("no_dropout") / "checkpoint"
    shutil.copytree(tiny_checkpoint, checkpoint)
    config = json.loads((checkpoint / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (checkpoint / "config.json").write_text(json.dumps(config))
    modules = tmp_path_factory.mktemp("modules")
    build_bert_modules(checkpoint, modules, do_lower_case=True)
    cache = tmp_path_factory.mktemp("tfhub_cache")
    fill_tfhub_cache(cache, modules)
    return SMALL_BERT, {"TFHUB_CACHE_DIR": str(cache)}
