"""Built modules have TF Hub's interface and match a NumPy BERT."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
import tensorflow_text  # noqa: F401  # registers the ops of preprocessing modules
from safetensors.numpy import load_file

from kerasnlp_lab.bert import build_bert_modules
from kerasnlp_lab.errors import HubError
from tests.bert.bert_reference import bert_outputs
from tests.bert.checkpoints import change_config, change_tensors
from tests.tiny_bert import TINY_VOCABULARY

TEXTS = ["the cat sat, the dog ran!", "oil", "a team match. goal' goal' goal", ""]


@pytest.fixture(scope="module")
def preprocess(tiny_modules):
    return hub.KerasLayer(str(tiny_modules / "preprocess"))


@pytest.fixture(scope="module")
def encoder(tiny_modules):
    return hub.KerasLayer(str(tiny_modules / "encoder"), trainable=True)


@pytest.fixture(scope="module")
def batch(preprocess):
    return {name: value[:, :16] for name, value in preprocess(tf.constant(TEXTS)).items()}


@pytest.fixture
def checkpoint(tiny_checkpoint, tmp_path):
    """A copy of the tiny checkpoint that a test can damage."""
    return shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint")


def test_encoder_equals_a_numpy_bert_on_a_padded_batch(tiny_checkpoint, encoder, batch):
    ids, mask = (batch[name].numpy() for name in ("input_word_ids", "input_mask"))
    assert 0 < mask.sum() < mask.size, "the batch must hold padding to prove anything"
    layers, pooled = bert_outputs(tiny_checkpoint, ids, mask)
    outputs = encoder(batch)
    real = mask > 0
    assert len(outputs["encoder_outputs"]) == len(layers)
    for found, expected in zip(outputs["encoder_outputs"], layers, strict=True):
        np.testing.assert_allclose(found.numpy()[real], expected[real], atol=1e-4)
    np.testing.assert_allclose(
        outputs["sequence_output"].numpy()[real], layers[-1][real], atol=1e-4
    )
    np.testing.assert_allclose(outputs["pooled_output"], pooled, atol=1e-4)
    np.testing.assert_array_equal(outputs["default"], outputs["pooled_output"])


def test_encoder_has_the_outputs_of_tf_hub(encoder, batch):
    assert set(encoder(batch)) == {"pooled_output", "sequence_output", "encoder_outputs", "default"}


def test_every_tensor_of_the_checkpoint_is_a_trainable_variable(tiny_checkpoint, encoder):
    tensors = load_file(tiny_checkpoint / "model.safetensors")
    variables = [variable.numpy() for variable in encoder.trainable_variables]
    assert sorted(v.size for v in variables) == sorted(t.size for t in tensors.values())
    # Sums survive transposes and reshapes, and differ between random tensors.
    sums = [
        sorted(float(np.abs(a).sum()) for a in arrays) for arrays in (variables, tensors.values())
    ]
    np.testing.assert_allclose(*sums, rtol=1e-5)


def test_preprocessing_gives_the_ids_of_the_vocabulary(preprocess):
    outputs = preprocess(tf.constant(["The CAT sat, jumped!"]))
    pieces = ["[CLS]", "the", "cat", "sat", ",", "[UNK]", "!", "[SEP]"]
    ids = [TINY_VOCABULARY.index(piece) for piece in pieces]
    width = outputs["input_word_ids"].shape[1]
    assert outputs["input_word_ids"].numpy().tolist() == [ids + [0] * (width - len(ids))]
    assert outputs["input_mask"].numpy().tolist() == [[1] * len(ids) + [0] * (width - len(ids))]
    assert not outputs["input_type_ids"].numpy().any()


def test_the_two_modules_fit_together(preprocess, encoder):
    """encoder(preprocess(texts)) works, as every TF Hub page shows it."""
    sequence_output = encoder(preprocess(tf.constant(TEXTS)))["sequence_output"]
    assert np.isfinite(sequence_output.numpy()).all()


@pytest.mark.slow  # tests/zoo/test_encoder_paths.py has a cased BERT
def test_without_lower_case_capitals_are_other_words(checkpoint, tmp_path):
    build_bert_modules(checkpoint, tmp_path / "cased", do_lower_case=False)
    preprocess = hub.KerasLayer(str(tmp_path / "cased" / "preprocess"))
    ids = preprocess(tf.constant(["The cat"]))["input_word_ids"].numpy()[0, :4]
    assert [TINY_VOCABULARY[i] for i in ids] == ["[CLS]", "[UNK]", "cat", "[SEP]"]
    encoder = hub.load(str(tmp_path / "cased" / "encoder"))
    assert not encoder.do_lower_case.numpy()


def test_a_missing_tensor_is_named(checkpoint, tmp_path):
    name = "encoder.layer.1.attention.self.key.bias"
    change_tensors(checkpoint, lambda tensors: tensors.pop(name))
    with pytest.raises(HubError, match=f"lack the tensor {name}"):
        build_bert_modules(checkpoint, tmp_path / "target", do_lower_case=True)


@pytest.mark.parametrize(
    "name, shape",
    [
        ("embeddings.word_embeddings.weight", (7, 16)),
        ("encoder.layer.0.output.LayerNorm.bias", (15,)),
        # The transposed shape has the right number of values.
        ("encoder.layer.0.intermediate.dense.weight", (16, 32)),
    ],
)
def test_a_wrong_shape_is_named(checkpoint, tmp_path, name, shape):
    change_tensors(checkpoint, lambda tensors: tensors.update({name: np.zeros(shape, np.float32)}))
    with pytest.raises(HubError, match=f"{name} has shape"):
        build_bert_modules(checkpoint, tmp_path / "target", do_lower_case=True)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"model_type": "roberta"}, "expected model_type 'bert' .* got 'roberta'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key'"),
        ({"hidden_act": "swish"}, "swish"),
        ({"layer_norm_eps": 1e-3}, "layer_norm_eps"),
    ],
)
def test_a_config_that_cannot_be_built_is_refused(checkpoint, tmp_path, change, message):
    change_config(checkpoint, **change)
    with pytest.raises(HubError, match=message):
        build_bert_modules(checkpoint, tmp_path / "target", do_lower_case=True)


def test_a_config_without_a_size_is_refused(checkpoint, tmp_path):
    config = json.loads((checkpoint / "config.json").read_text())
    del config["intermediate_size"]
    (checkpoint / "config.json").write_text(json.dumps(config))
    with pytest.raises(HubError, match="intermediate_size"):
        build_bert_modules(checkpoint, tmp_path / "target", do_lower_case=True)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocab.txt"])
def test_a_missing_file_is_named(checkpoint, tmp_path, name):
    (checkpoint / name).unlink()
    with pytest.raises(HubError, match=name):
        build_bert_modules(checkpoint, tmp_path / "target", do_lower_case=True)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_file_cut_short_is_named(checkpoint, tmp_path, name):
    whole = (checkpoint / name).read_bytes()
    (checkpoint / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(HubError, match=name):
        build_bert_modules(checkpoint, tmp_path / "target", do_lower_case=True)
