"""`hub verify` runs intact modules of every kind on a fixed sentence."""

import re
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from kerasnlp_lab.hub import verify_modules
from tests.bert.bert_reference import bert_outputs
from tests.hub.installed import ENCODER, PREPROCESS, TFHUB, place_of
from tests.tiny_bert import TINY_VOCABULARY

# "I love transformers" in the tiny vocabulary, which has none of these words.
IDS = [TINY_VOCABULARY.index(piece) for piece in ("[CLS]", "[UNK]", "[UNK]", "[UNK]", "[SEP]")]


def by_handle():
    return {one.handle: one for one in verify_modules()}


def assert_encoder_answers(one, checkpoint):
    assert (one.whole, one.works, one.problem) == (True, True, "")
    _, pooled = bert_outputs(checkpoint, [IDS], np.ones((1, len(IDS))))
    *start, norm = (float(number) for number in re.findall(r"[-+]?\d+\.\d+", one.answer))
    np.testing.assert_allclose(start, pooled[0, :3], atol=2e-4)
    np.testing.assert_allclose(norm, np.linalg.norm(pooled[0]), atol=2e-4)


@pytest.mark.parametrize("modules", [pytest.param("installed", marks=pytest.mark.slow), "found"])
def test_whole_modules_answer_as_bert_does(modules, request, tiny_checkpoint):
    encoder, preprocess = request.getfixturevalue(modules)
    verified = by_handle()
    ours = {handle for handle in verified if not handle.startswith("tiny_")}  # of other tests
    assert ours == {ENCODER, PREPROCESS}
    assert (verified[ENCODER].folder, verified[PREPROCESS].folder) == (encoder, preprocess)
    assert verified[PREPROCESS].works and verified[PREPROCESS].whole
    assert verified[PREPROCESS].answer == f"ids {' '.join(map(str, IDS))}"
    assert_encoder_answers(verified[ENCODER], tiny_checkpoint)


@pytest.mark.slow  # tests/cli/test_hub.py verifies modules too
def test_modules_in_this_packages_cache_are_verified_too(
    hub_environment, tmp_path, tiny_modules, tiny_checkpoint
):
    shutil.copytree(tiny_modules, tmp_path / "cache" / "modules" / "my_bert-0a1b")
    verified = by_handle()
    assert set(verified) == {"my_bert-0a1b/encoder", "my_bert-0a1b/preprocess"}
    assert verified["my_bert-0a1b/preprocess"].answer == f"ids {' '.join(map(str, IDS))}"
    assert_encoder_answers(verified["my_bert-0a1b/encoder"], tiny_checkpoint)


def test_an_encoder_is_not_blamed_for_its_preprocessing(found):
    encoder, preprocess = found
    (preprocess / "saved_model.pb").write_bytes(b"")
    verified = by_handle()
    assert not verified[PREPROCESS].whole
    assert str(preprocess) not in verified[ENCODER].problem


def test_what_tf_hub_itself_cached(hub_cache, origins, tiny_archives):
    origins.files[TFHUB["preprocess"]] = tiny_archives["preprocess"]
    handle = f"{origins.url}{TFHUB['preprocess']}"
    folder = hub.resolve(handle)
    (one,) = verify_modules()
    assert (one.handle, str(one.folder), one.whole, one.works) == (handle, folder, True, True)
    assert one.answer == f"ids {' '.join(map(str, IDS))}"


def save_module(folder, **functions):
    module = tf.Module()
    module.weight = tf.Variable([1.0, 2.0])
    for name, function in functions.items():
        setattr(module, name, function)
    tf.saved_model.save(module, str(folder))


TEXTS = tf.TensorSpec([None], tf.string)
INPUTS = {
    name: tf.TensorSpec([None, None], tf.int32, name)
    for name in ("input_word_ids", "input_mask", "input_type_ids")
}


def test_a_module_that_cannot_be_called(hub_cache):
    save_module(hub_cache / place_of("https://tfhub.dev/a/b/1"))
    (one,) = verify_modules()
    assert (one.whole, one.works, one.answer) == (True, False, "")
    assert one.problem.startswith("whole, but cannot be called (")


def test_an_encoder_that_gives_no_numbers(hub_cache):
    broken = tf.function(
        lambda inputs: {"pooled_output": tf.fill([tf.shape(inputs["input_mask"])[0], 4], np.nan)},
        input_signature=[INPUTS],
    )
    save_module(hub_cache / place_of("https://tfhub.dev/a/b/1"), __call__=broken)
    (one,) = verify_modules()
    assert (one.whole, one.works) == (True, False)
    assert "pooled_output is not finite" in one.problem


def test_a_module_from_texts_to_vectors_is_asked_the_sentence(hub_cache):
    """nnlm and the Universal Sentence Encoder are such modules, and they are not broken."""
    lengths = tf.function(
        lambda texts: tf.stack([tf.cast(tf.strings.length(texts), tf.float32)] * 3, axis=1),
        input_signature=[TEXTS],
    )
    save_module(hub_cache / place_of("https://tfhub.dev/google/nnlm-en-dim50/2"), __call__=lengths)
    (one,) = verify_modules()
    assert one.problem == "" and one.works
    assert "19.0" in one.answer  # the number of letters in "I love transformers"
