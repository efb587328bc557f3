"""`reopen` trusts the description in a module that we built, if the module is unchanged."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from kerasnlp_lab.bert import reopen
from kerasnlp_lab.bert.module_description import (
    DESCRIPTION,
    MANIFEST,
    describe_if_ours,
    read_described_module,
)


@pytest.fixture
def encoder(tiny_modules, tmp_path, monkeypatch):
    """A copy of the tiny encoder in the package's own cache."""
    monkeypatch.setenv("KERASNLP_LAB_CACHE", str(tmp_path / "cache"))
    return shutil.copytree(tiny_modules / "encoder", tmp_path / "cache" / "modules" / "tiny")


def assert_equal(one, other):
    assert one.bert_config == other.bert_config
    assert [weight.name for weight in one.weights] == [weight.name for weight in other.weights]
    for found, expected in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_note_gives_what_calling_the_module_gives(encoder, monkeypatch):
    assert read_described_module(encoder) is not None
    with monkeypatch.context() as patched:
        patched.setattr("kerasnlp_lab.bert.reopening.load_hub_layer", None)  # must not be called
        quick = reopen(encoder, layers=1)
    (encoder / DESCRIPTION).unlink()
    assert_equal(reopen(encoder, layers=1), quick)


def test_a_module_of_an_older_version_gets_its_note_once_it_was_opened(encoder):
    before = (encoder / DESCRIPTION).read_text()
    (encoder / DESCRIPTION).unlink()
    reopen(encoder)
    assert (encoder / DESCRIPTION).read_text() == before


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
def test_an_altered_module_is_not_trusted(encoder, name):
    content = (encoder / name).read_bytes()
    (encoder / name).write_bytes(content + b"\0")
    assert read_described_module(encoder) is None


@pytest.mark.slow  # it builds an encoder
def test_other_weights_than_those_described_are_read_the_slow_way(
    encoder, tiny_checkpoint, tmp_path
):
    from kerasnlp_lab.bert.build import write_encoder
    from kerasnlp_lab.bert.checkpoint import read_checkpoint

    read = read_checkpoint(tiny_checkpoint)
    tensors = {name: 0.5 * value for name, value in read.tensors.items()}
    write_encoder(dataclasses.replace(read, tensors=tensors), tmp_path / "other")
    for path in (tmp_path / "other" / "variables").iterdir():
        shutil.copy(path, encoder / "variables")
    assert read_described_module(encoder) is None
    assert_equal(reopen(encoder), reopen(tmp_path / "other"))
    assert read_described_module(encoder) is not None  # the description is correct again


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.pop("config"),
        lambda content: content["config"].pop("activation"),
        lambda content: content["config"].update(hidden_size=8),
        lambda content: content["sha256"].pop("saved_model.pb"),
        lambda content: content.update(sha256=[]),
    ],
)
def test_a_note_that_makes_no_sense_is_not_trusted(encoder, spoil):
    content = json.loads((encoder / DESCRIPTION).read_text())
    spoil(content)
    (encoder / DESCRIPTION).write_text(json.dumps(content))
    assert read_described_module(encoder) is None


def test_half_a_note_is_not_trusted(encoder):
    content = (encoder / DESCRIPTION).read_text()
    (encoder / DESCRIPTION).write_text(content[: len(content) // 2])
    assert read_described_module(encoder) is None


def test_nothing_is_written_into_a_folder_that_is_not_ours(encoder, tmp_path):
    config, _ = read_described_module(encoder)
    theirs = shutil.copytree(encoder, tmp_path / "theirs")
    (theirs / DESCRIPTION).unlink()
    before = sorted(theirs.rglob("*"))
    describe_if_ours(theirs, config)
    assert sorted(theirs.rglob("*")) == before


def test_a_module_that_install_put_into_tf_hubs_cache_is_ours(encoder, tmp_path):
    config, _ = read_described_module(encoder)
    installed = shutil.copytree(encoder, tmp_path / ("0" * 40))
    (installed / DESCRIPTION).unlink()
    describe_if_ours(installed, config)
    assert not (installed / DESCRIPTION).exists()  # TF Hub's own download has no manifest
    (installed / MANIFEST).write_text("{}")
    describe_if_ours(installed, config)
    assert read_described_module(installed) is not None


def test_a_note_that_cannot_be_written_is_no_error(encoder):
    config, _ = read_described_module(encoder)
    (encoder / DESCRIPTION).unlink()
    (encoder / "assets.extra").rmdir()
    (encoder / "assets.extra").write_text("a file where the folder would be")
    describe_if_ours(encoder, config)
    assert read_described_module(encoder) is None
