"""`hub build`, and training on the built modules."""

import json
import pickle
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub

from tests.bert.bert_reference import bert_outputs, gelu_tanh
from tests.bert.checkpoints import Intruder, as_release
from tests.cli.command import run
from tests.cli.test_mistakes import assert_mistake
from tests.tiny_bert import write_tiny_checkpoint

IDS = np.array([[2, 5, 7, 9, 3]])


@pytest.fixture(scope="module")
def one_layer(tmp_path_factory):
    """A BERT of one layer, which is quicker to build."""
    return write_tiny_checkpoint(tmp_path_factory.mktemp("one_layer"), layers=1)


@pytest.fixture(scope="module")
def built(one_layer, tmp_path_factory):
    """The modules built from an original release, and the output of `hub build`."""
    folder = tmp_path_factory.mktemp("hub")
    as_release(one_layer, folder / "release")
    result = run("hub", "build", "--from", folder / "release", "--to", folder / "modules")
    assert result.code == 0, result.err
    return folder / "modules", result


@pytest.mark.slow  # tests/bert/test_build.py builds modules
def test_hub_build_makes_the_two_modules(built, one_layer):
    folder, result = built
    assert result.out.splitlines() == [
        str(folder / "preprocess"),
        str(folder / "encoder"),
        f"use it as a model: kerasnlp-lab train --model {folder} ...",
    ]
    encoder = tensorflow_hub.KerasLayer(str(folder / "encoder"))
    ids = tf.constant(IDS, tf.int32)
    batch = {"input_word_ids": ids, "input_mask": ids * 0 + 1, "input_type_ids": ids * 0}
    layers, pooled = bert_outputs(one_layer, IDS, np.ones_like(IDS), gelu_tanh)
    np.testing.assert_allclose(encoder(batch)["sequence_output"], layers[-1], atol=1e-4)
    np.testing.assert_allclose(encoder(batch)["pooled_output"], pooled, atol=1e-4)


@pytest.mark.slow  # tests/zoo/test_encoder_paths.py trains on one
def test_train_on_a_folder_reopened(built, tmp_path):
    result = run(
        *("train", "--model", built[0], "--dataset", "news_sample", "--encoder", "reopened"),
        *("--option", "max_length=16", "--option", "frozen_layers=1", "--layer-decay", "0.9"),
        *("--epochs", "1", "--batch-size", "64", "--output", tmp_path / "run"),
    )
    assert result.code == 0, result.err
    assert f"report: {tmp_path / 'run' / 'report.html'}" in result.out
    description = json.loads((tmp_path / "run" / "model" / "classifier.json").read_text())
    assert description["model"] == str(built[0].resolve())
    options = description["options"]
    assert (options["encoder"], options["frozen_layers"]) == ("reopened", 1)
    recipe = json.loads((tmp_path / "run" / "config.json").read_text())["recipe"]
    assert recipe["layer_decay"] == 0.9
    asked = run("predict", tmp_path / "run", "the dog ran")
    assert asked.code == 0, asked.err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--encoder", "reopend"], "encoder must be 'module' or 'reopened', got 'reopend'"),
        (
            ["--encoder", "module", "--frozen-layers", "1"],
            "frozen_layers must be 0 unless encoder=reopened, got 1",
        ),
        (["--encoder", "reopened", "--layer-decay", "2"], "layer_decay must be above 0"),
    ],
)
def test_train_with_an_encoder_that_cannot_be(tiny_modules, arguments, message, tmp_path):
    output = ("--output", tmp_path / "run")
    result = run("train", "--model", tiny_modules, "--dataset", "news_sample", *arguments, *output)
    assert_mistake(result, message)
    assert not (tmp_path / "run").exists()


def test_a_misspelt_encoder_is_told_before_anything_is_built(
    tiny_checkpoint, tmp_path, monkeypatch
):
    monkeypatch.setenv("KERASNLP_LAB_CACHE", str(tmp_path / "cache"))
    result = run(
        *("train", "--model", tiny_checkpoint, "--dataset", "news_sample"),
        *("--encoder", "modul", "--output", tmp_path / "run"),
    )
    assert_mistake(result, "encoder must be 'module' or 'reopened', got 'modul'")
    assert not (tmp_path / "run").exists() and not (tmp_path / "cache").exists()


def test_hub_build_over_something(one_layer, tiny_modules):
    before = sorted(path.name for path in tiny_modules.iterdir())
    result = run("hub", "build", "--from", one_layer, "--to", tiny_modules)
    assert_mistake(result, f"{tiny_modules} already exists")
    assert sorted(path.name for path in tiny_modules.iterdir()) == before


@pytest.mark.slow  # tests/bert/test_checkpoint.py has pickles
def test_hub_build_of_a_pickle(tiny_checkpoint, tmp_path):
    """It is refused with a reason, and never unpickled."""
    shutil.copytree(tiny_checkpoint, tmp_path / "bert")
    (tmp_path / "bert" / "model.safetensors").unlink()
    attack = pickle.dumps(Intruder(tmp_path / "was here"))
    (tmp_path / "bert" / "pytorch_model.bin").write_bytes(attack)
    result = run("hub", "build", "--from", tmp_path / "bert", "--to", tmp_path / "modules")
    assert_mistake(result, "pytorch_model.bin is a pickle, which could run code and is never read")
    assert [path.name for path in tmp_path.iterdir()] == ["bert"]
