"""Fixtures for the tests of module installation: servers, and a BERT in each format."""

import shutil
import tarfile

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.hub.origins import Origins
from tests.tiny_bert import TINY_VOCABULARY


@pytest.fixture
def origins():
    with Origins() as server:
        yield server


@pytest.fixture
def hub_environment(origins, tmp_path, monkeypatch):
    """Makes this process ask only `origins`, and store its modules in a temporary folder."""
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    environment = origins.environment(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


@pytest.fixture(scope="session")
def tiny_archives(tiny_modules, tmp_path_factory):
    """The tiny BERT as tfhub.dev's .tar.gz archives, by name."""
    folder = tmp_path_factory.mktemp("archives")
    for name in ("preprocess", "encoder"):
        with tarfile.open(folder / name, "w:gz") as tar:
            tar.add(tiny_modules / name, arcname=".")
    return {name: (folder / name).read_bytes() for name in ("preprocess", "encoder")}


@pytest.fixture(scope="session")
def small_checkpoint(tiny_checkpoint, tmp_path_factory):
    """A BERT with the smallest small_bert's sizes, a padded tiny vocabulary, random weights."""
    from tests.bert.checkpoints import change_config

    folder = tmp_path_factory.mktemp("small") / "checkpoint"
    shutil.copytree(tiny_checkpoint, folder)
    sizes = {"hidden_size": 128, "intermediate_size": 512, "max_position_embeddings": 512}
    change_config(folder, **sizes, vocab_size=30522)
    with (folder / "vocab.txt").open("a") as file:
        file.writelines(f"[unused{i}]\n" for i in range(30522 - len(TINY_VOCABULARY)))
    larger = {16: 128, 32: 512, 64: 512, len(TINY_VOCABULARY): 30522}
    rng = np.random.default_rng(1)
    tensors = {
        name: rng.normal(0, 0.1, [larger.get(size, size) for size in value.shape])
        for name, value in load_file(folder / "model.safetensors").items()
    }
    save_file({n: v.astype(np.float32) for n, v in tensors.items()}, folder / "model.safetensors")
    return folder


@pytest.fixture(scope="session")
def small_release(small_checkpoint, tmp_path_factory):
    """The same BERT in Google's release format."""
    from tests.bert.checkpoints import as_release

    folder = tmp_path_factory.mktemp("release") / "uncased_L-2_H-128_A-2"
    as_release(small_checkpoint, folder)
    return folder


@pytest.fixture
def hub_cache(hub_environment, tmp_path):
    (tmp_path / "tfhub").mkdir()
    return tmp_path / "tfhub"


@pytest.fixture
def installed(hub_cache, tiny_modules):
    """The folders of encoder and preprocessing after `install`, with manifests."""
    from kerasnlp_lab.hub import install
    from tests.hub.installed import ENCODER, PREPROCESS, place_of

    install(ENCODER, tiny_modules)
    return hub_cache / place_of(ENCODER), hub_cache / place_of(PREPROCESS)


@pytest.fixture
def found(hub_cache, tiny_modules):
    """The folders of encoder and preprocessing in TF Hub's own form, without manifests."""
    from tests.hub.installed import ENCODER, PREPROCESS, place_of

    for name, address in (("encoder", ENCODER), ("preprocess", PREPROCESS)):
        shutil.copytree(tiny_modules / name, hub_cache / place_of(address))
    return hub_cache / place_of(ENCODER), hub_cache / place_of(PREPROCESS)
