"""What several test folders need: where the real data is, and a tiny BERT as TF Hub modules."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

import kerasnlp_lab  # noqa: F401  # before TensorFlow, which then computes by oneDNN
from tests.tiny_bert import write_tiny_checkpoint

# Whoever starts the tests in the background has Ctrl-C ignored, by their processes too.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]


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
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny_checkpoint"))


@pytest.fixture(scope="session")
def tiny_modules(tiny_checkpoint: Path, tmp_path_factory) -> Path:
    """The same BERT as TF Hub modules: a folder with preprocess/ and encoder/."""
    from kerasnlp_lab.bert import build_bert_modules

    folder = tmp_path_factory.mktemp("tiny_modules")
    build_bert_modules(tiny_checkpoint, folder, do_lower_case=True)
    return folder


@pytest.fixture(scope="session")
def tiny_hub_cache(tiny_checkpoint: Path, tmp_path_factory) -> tuple[str, dict[str, str]]:
    """A TF Hub cache in which small_bert's two handles are the tiny BERT, without dropout.

    Returns the model's name in the zoo and the environment that makes TF Hub find it.
    """
    import shutil

    from kerasnlp_lab.bert import build_bert_modules
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
