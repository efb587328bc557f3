"""The output layers of pre-training are read in every published form, and written again."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow_hub as hub
from safetensors.numpy import load_file, save_file

from kerasnlp_lab.bert import read_checkpoint
from kerasnlp_lab.bert.build import build_bert_modules
from kerasnlp_lab.bert.checkpoint_writing import write_checkpoint
from kerasnlp_lab.bert.config import head_shapes
from kerasnlp_lab.bert.new_weights import new_checkpoint
from kerasnlp_lab.errors import HubError, RunError, UnknownNameError
from kerasnlp_lab.hub.bert_configs import config_named
from kerasnlp_lab.hub.catalogue import encoders
from tests.bert import checkpoints
from tests.bert.bert_reference import gelu
from tests.bert.checkpoints import change_config, change_tensors
from tests.bert.test_checkpoint import TYPES, assert_equal_outputs, batch
from tests.tiny_bert import TINY_VOCABULARY, write_tiny_checkpoint

WORDS = "bert.embeddings.word_embeddings.weight"
DECODER = "cls.predictions.decoder.weight"
DISTILBERT = {
    "cls.predictions.transform.dense.": "vocab_transform.",
    "cls.predictions.transform.LayerNorm.": "vocab_layer_norm.",
    "cls.predictions.bias": "vocab_projector.bias",
}


@pytest.fixture
def folder(tmp_path):
    """A tiny BertForPreTraining that a test can change."""
    return write_tiny_checkpoint(tmp_path / "tiny", heads_of_pretraining=True)


def heads_in(folder):
    tensors = load_file(folder / "model.safetensors")
    return {name: value for name, value in tensors.items() if name.startswith("cls.")}


def of_2019(tensors):
    for name in [name for name in tensors if "LayerNorm" in name]:
        old = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        tensors[old.replace("LayerNorm.bias", "LayerNorm.beta")] = tensors.pop(name)
    tensors[DECODER] = tensors[WORDS].copy()


def with_the_decoders_bias_alone(tensors):
    tensors["cls.predictions.decoder.bias"] = tensors.pop("cls.predictions.bias")


def with_both_biases(tensors):
    tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"].copy()


def within_a_wrapper(tensors):
    for name in list(tensors):
        tensors[f"module.{name}"] = tensors.pop(name)


def in_half_precision(tensors):
    for name, value in tensors.items():
        tensors[name] = value.astype(np.float16)


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: None,
        of_2019,
        with_the_decoders_bias_alone,
        with_both_biases,
        within_a_wrapper,
        in_half_precision,
    ],
    ids=["plain", "2019", "decoder.bias", "both biases", "wrapper", "float16"],
)
def test_hugging_faces_forms(change, folder):
    expected = heads_in(folder)
    change_tensors(folder, change)
    heads = read_checkpoint(folder).heads
    assert heads.keys() == expected.keys()
    for name, value in heads.items():
        assert value.dtype == np.float32
        tolerance = 2e-3 if change is in_half_precision else 0
        np.testing.assert_allclose(value, expected[name], atol=tolerance, err_msg=name)


def test_the_original_release(folder, tmp_path):
    """Its names are those of google-research/bert, run_pretraining.py."""
    release = tmp_path / "release"
    release.mkdir()
    shutil.copy(folder / "vocab.txt", release)
    shutil.copy(folder / "config.json", release / "bert_config.json")
    change_config(release, "bert_config.json", model_type=None)
    values = {"global_step": np.int64(7)}
    for name, value in load_file(folder / "model.safetensors").items():
        named = checkpoints.release_name(name)
        named = named.replace("cls/predictions/bias", "cls/predictions/output_bias")
        named = named.replace("seq_relationship/kernel", "seq_relationship/output_weights")
        named = named.replace("seq_relationship/bias", "seq_relationship/output_bias")
        values[named] = value.T if checkpoints.is_kernel(name) else value
    slots = {f"{n}/{s}": 9 * np.ones_like(v) for n, v in values.items() for s in checkpoints.ADAM}
    checkpoints.write_checkpoint(values | slots, release / "bert_model.ckpt")
    read, expected = read_checkpoint(release), read_checkpoint(folder)
    assert read.config == dataclasses.replace(expected.config, activation="gelu_tanh")
    assert_same_tensors(read, expected)


def test_distilbert(folder, tmp_path):
    expected = heads_in(folder)
    plain = shutil.copytree(folder, tmp_path / "plain")
    change_tensors(plain, lambda tensors: [tensors.pop(name) for name in expected])
    bare = {n.removeprefix("bert."): v for n, v in load_file(plain / "model.safetensors").items()}
    save_file(bare, plain / "model.safetensors")
    checkpoints.as_distilbert(plain, tmp_path / "distilbert")

    def add_heads(tensors):
        tensors["vocab_projector.weight"] = bare["embeddings.word_embeddings.weight"].copy()
        for name, value in expected.items():
            for ours, theirs in DISTILBERT.items():
                if name.startswith(ours):
                    tensors[theirs + name.removeprefix(ours)] = value

    change_tensors(tmp_path / "distilbert", add_heads)
    heads = read_checkpoint(tmp_path / "distilbert").heads
    assert len(heads) == 5
    for name, value in heads.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_an_encoder_has_none(tiny_checkpoint, folder):
    assert read_checkpoint(tiny_checkpoint).heads == {}
    assert read_checkpoint(folder, heads=False).heads == {}


def test_a_matrix_of_its_own_is_refused_by_name(folder):
    change_tensors(folder, lambda t: t.update({DECODER: t[WORDS] + 1}))
    with pytest.raises(HubError, match=f"matrix of its own .*{DECODER}"):
        read_checkpoint(folder)
    read_checkpoint(folder, heads=False)  # its encoder can be used all the same


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.ones(3, np.float32), "shape .3,., which does not fit the .29,."),
        (np.full(29, np.nan, np.float32), "not a number"),
        (np.ones(29, np.int8), "is int8: quantized"),
    ],
    ids=["shape", "nan", "int8"],
)
def test_damaged_heads(folder, value, reason):
    change_tensors(folder, lambda tensors: tensors.update({"cls.predictions.bias": value}))
    with pytest.raises(HubError, match=f"cls.predictions.bias .*{reason}"):
        read_checkpoint(folder)


# Writing.


def assert_same_tensors(one, other):
    for part in ("tensors", "heads"):
        left, right = getattr(one, part), getattr(other, part)
        assert left.keys() == right.keys()
        for name, value in left.items():
            np.testing.assert_array_equal(value, right[name], err_msg=name)


@pytest.mark.parametrize("lower", [True, False], ids=["uncased", "cased"])
@pytest.mark.parametrize("strip", [True, False], ids=["strip", "keep"])
@pytest.mark.parametrize(
    ("wanted", "architecture"),
    [
        (("masked words", "next sentence"), "BertForPreTraining"),
        (("masked words",), "BertForMaskedLM"),
        ((), "BertModel"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(len(value)),
)
def test_a_written_checkpoint_is_read_as_it_was(
    folder, tmp_path, lower, strip, wanted, architecture
):
    read = read_checkpoint(folder, do_lower_case=lower, strip_accents=strip)
    names = {name for head in wanted for name in head_shapes(read.config)[head]}
    heads = {name: value for name, value in read.heads.items() if name in names}
    read = dataclasses.replace(read, heads=heads)
    write_checkpoint(read, tmp_path / "written")
    again = read_checkpoint(tmp_path / "written")
    assert_same_tensors(again, read)
    for name in ("config", "vocabulary", "do_lower_case", "strip_accents"):
        assert getattr(again, name) == getattr(read, name)
    config = json.loads((tmp_path / "written" / "config.json").read_text())
    assert config["architectures"] == [architecture]
    with pytest.raises(RunError, match="already exists"):
        write_checkpoint(read, tmp_path / "written")


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh", "relu"])
def test_the_activation_is_written(folder, tmp_path, activation):
    read = read_checkpoint(folder)
    config = dataclasses.replace(read.config, activation=activation, hidden_dropout_prob=0.3)
    write_checkpoint(dataclasses.replace(read, config=config), tmp_path / "written")
    assert read_checkpoint(tmp_path / "written").config == config


@pytest.mark.slow  # what is built from is compared above
def test_modules_of_a_written_checkpoint(folder, tmp_path):
    write_checkpoint(read_checkpoint(folder), tmp_path / "written")
    build_bert_modules(tmp_path / "written", tmp_path / "built")
    tensors = load_file(folder / "model.safetensors")
    bare = {name.removeprefix("bert."): value for name, value in tensors.items()}
    save_file(bare, folder / "model.safetensors")  # as the NumPy BERT reads it
    encoder = hub.KerasLayer(str(tmp_path / "built" / "encoder"))
    assert_equal_outputs(encoder(batch(0 * TYPES)), folder, gelu)


# New ones.


def test_a_new_checkpoint():
    config = config_named("small_bert/bert_en_uncased_L-2_H-128_A-2")
    new = new_checkpoint(config, TINY_VOCABULARY, do_lower_case=True, strip_accents=False, seed=1)
    assert new.config == dataclasses.replace(config, vocab_size=len(TINY_VOCABULARY))
    assert new.vocabulary == tuple(TINY_VOCABULARY)
    assert (new.do_lower_case, new.strip_accents) == (True, False)
    again = new_checkpoint(config, TINY_VOCABULARY, do_lower_case=True, strip_accents=False, seed=1)
    assert_same_tensors(again, new)
    other = new_checkpoint(config, TINY_VOCABULARY, do_lower_case=True, strip_accents=False, seed=2)
    for name, value in (new.tensors | new.heads).items():
        if name.endswith("bias"):
            assert not value.any(), name
        elif "LayerNorm" in name:
            assert (value == 1).all(), name
        else:
            assert np.abs(value).max() <= 0.04, name
            assert 0.014 < value.std() < 0.021, name  # 0.88 of 0.02
            assert abs(value.mean()) < 0.004, name
            assert not np.array_equal(value, (other.tensors | other.heads)[name])


@pytest.mark.parametrize(
    "entry", [one for one in encoders() if one.architecture == "bert"], ids=lambda one: one.name
)
def test_configs_of_the_catalogue(entry):
    """The vocabulary follows from the number of parameters, and is one of five well-known ones."""
    config = config_named(entry.name)
    assert config.parameters == entry.parameters
    assert config.vocab_size in (30522, 28996, 119547, 21128)
    assert config.num_attention_heads == entry.heads
    if entry.handle:
        assert config_named(entry.handle) == config


def test_configs_of_folders_and_files(folder, tmp_path):
    expected = read_checkpoint(folder).config
    assert config_named(str(folder)) == expected
    assert config_named(str(folder / "config.json")) == expected
    original = shutil.copy(folder / "config.json", tmp_path / "bert_config.json")
    assert config_named(str(original)).activation == "gelu_tanh"


@pytest.mark.parametrize(
    ("name", "error", "reason"),
    [
        ("small_bert/bert_en_uncased_L-4_H-128_A-3", UnknownNameError, "did you mean"),
        ("albert_en_base", HubError, "expected a BERT, but albert_en_base is albert"),
        ("https://tfhub.dev/google/albert_base/3", HubError, "expected a BERT"),
        (".", HubError, "has no config.json"),
    ],
)
def test_configs_that_there_are_not(name, error, reason):
    with pytest.raises(error, match=reason):
        config_named(name)
