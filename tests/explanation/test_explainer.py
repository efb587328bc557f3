"""explain gives the model's own attention, a correct rollout, and contributions that add up."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert import reopen
from kerasnlp_lab.errors import DataError, OptionError, UnknownNameError
from kerasnlp_lab.explanation import explain
from kerasnlp_lab.hub.local import local_modules
from kerasnlp_lab.tasks import MultiLabel
from kerasnlp_lab.zoo import create_classifier, create_model, predict_logits
from tests.explanation.conftest import LABEL_NAMES, TRAIN_TEXTS

TEXT = "The cats ran, a dog sat!"


@pytest.fixture(params=["transformer", "bert"])
def classifier(request, explained):
    return explained[request.param]


@pytest.fixture(params=["transformer", "bert", "rnn_attention", "lstm"])
def any_classifier(request, explained):
    return explained[request.param]


def test_the_answer_equals_the_classifiers_own(any_classifier):
    found = explain(any_classifier, TEXT)
    probabilities = tf.nn.softmax(predict_logits(any_classifier, [TEXT]))[0].numpy()
    assert list(found.probabilities) == list(LABEL_NAMES)
    np.testing.assert_allclose(list(found.probabilities.values()), probabilities, atol=1e-5)
    assert found.label == LABEL_NAMES[probabilities.argmax()]


def test_a_transformers_attention_equals_that_of_its_blocks(transformer):
    found = explain(transformer, TEXT)
    ids = transformer.text(tf.constant([TEXT]))["token_ids"]
    network = transformer.network
    embedding = network.get_layer("embedding")
    x, mask = embedding(ids), embedding.compute_mask(ids)
    for layer, attention in enumerate(found.attention):
        x, scores = network.get_layer(f"block_{layer}")(x, mask=mask, return_attention_scores=True)
        np.testing.assert_allclose(attention, scores[0, :, :6, :6], atol=1e-6)
    assert found.attention.shape == (2, 2, 6, 6)
    assert found.attention_to_padding == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "precision", ["float32", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)]
)
def test_a_berts_attention_equals_that_of_its_encoder(tiny_checkpoint, precision):
    """The explanation always computes in float32."""
    options = {"max_length": 16, "precision": precision}
    bert = create_classifier(str(tiny_checkpoint), LABEL_NAMES, [], options=options)
    found = explain(bert, TEXT)
    encoder = reopen(local_modules(tiny_checkpoint).encoder, attention_scores=True)
    expected = encoder(bert.text(tf.constant([TEXT])))["attention_scores"]
    real = len(found.tokens)
    assert real == 11
    for attention, scores in zip(found.attention, expected, strict=True):
        np.testing.assert_allclose(attention, scores[0, :, :real, :real], atol=1e-5)


def test_the_attention_of_a_pool_is_one_row(rnn_attention):
    found = explain(rnn_attention, TEXT)
    network = rnn_attention.network
    ids = rnn_attention.text(tf.constant([TEXT]))["token_ids"]
    states = network.get_layer("states")(network.get_layer("embedding")(ids), mask=ids != 0)
    _, expected = network.get_layer("attention")(
        states, mask=ids != 0, return_attention_scores=True
    )
    assert found.attention.shape == (1, 1, 1, 6)
    np.testing.assert_allclose(found.attention[0, 0], expected[:, :6], atol=1e-6)
    np.testing.assert_array_equal(found.rollout, found.attention[0, 0])
    np.testing.assert_allclose(found.over_words(found.rollout).sum(), 1, atol=1e-6)
    read = [bool(word.tokens) for word in found.words]  # punctuation is not
    np.testing.assert_array_equal(found.pool_shares[read], found.rollout[0])
    assert found.pools and found.attention_to_padding == pytest.approx(0, abs=1e-6)
    assert np.ptp(found.pool_shares) > 0.01, "equal shares prove nothing"


def test_a_model_without_attention_has_contributions(lstm):
    found = explain(lstm, TEXT)
    assert found.attention.shape == (0, 0, 0, 6) and found.rollout.shape == (0, 6)
    assert found.pool_shares is None and found.attention_to_padding == 0
    read = [bool(word.tokens) for word in found.words]
    known = np.flatnonzero(read)[[0, 2, 3, 4, 5]]  # "cats" is no word of the vocabulary
    assert np.abs(found.word_contributions[known]).min() > 0


def test_a_model_without_masks_attends_to_padding():
    classifier = create_classifier("seed_transformer", LABEL_NAMES, ["the cat sat"])
    found = explain(classifier, "the cat sat")
    assert found.attention.shape == (1, 2, 3, 3)
    assert 0.9 < found.attention_to_padding < 1


def test_rollout_multiplies_attention_and_residual_connections(classifier):
    found = explain(classifier, TEXT)
    first, second = (
        layer.mean(axis=0) / 2 + np.eye(len(layer[0])) / 2 for layer in found.attention
    )
    np.testing.assert_allclose(found.rollout, second @ first, atol=1e-6)
    np.testing.assert_allclose(found.rollout.sum(axis=1), 1, atol=1e-5)


def test_contributions_add_up_and_equal_the_path_integral(any_classifier):
    """It compares with finite differences that move one token slightly along the path."""
    found = explain(any_classifier, TEXT, label="Business")
    assert found.completeness.error < 0.01
    assert found.completeness.total == pytest.approx(found.contributions.sum(), abs=1e-5)
    inside = any_classifier.look_inside()
    features = any_classifier.text(tf.constant([TEXT]))
    neutral = any_classifier.text.vocabulary().index(inside.neutral)
    ids = features[inside.ids].numpy()
    before = ids.copy()
    for index, token in enumerate(found.tokens):
        if token.word is not None:
            before[0, index] = neutral
    begin, end = (inside.embed(tf.constant(one)).numpy() for one in (before, ids))

    def output(shares):
        """Returns the logit minus the mean, with each token at its own point of the path."""
        words = begin + (end - begin) * np.float32(shares)[:, :, np.newaxis]
        copies = {name: tf.repeat(one, len(words), axis=0) for name, one in features.items()}
        logits = inside.run(copies, tf.constant(words))[0].numpy()
        return logits[:, 2] - logits.mean(axis=1)

    points = (np.arange(200) + 0.5) / 200
    for index in range(len(found.tokens)):
        shares = np.repeat(points[:, np.newaxis], ids.shape[1], axis=1)
        step = np.zeros_like(shares)
        step[:, index] = 0.005
        slopes = (output(shares + step) - output(shares - step)) / 0.01
        assert found.contributions[index] == pytest.approx(slopes.mean(), abs=2e-3)
    whole = output(np.ones((1, ids.shape[1])))[0] - output(np.zeros((1, ids.shape[1])))[0]
    assert found.completeness.expected == pytest.approx(whole, abs=1e-5)


def test_an_unknown_word_contributes_nothing(transformer):
    found = explain(transformer, "the zebra sat")
    assert found.word_contributions[1] == 0
    assert abs(found.word_contributions[0]) > 0


def test_word_pieces_are_joined(bert):
    found = explain(bert, "the cats, ran")
    assert found.units == ("[CLS]", "the", "cats", ",", "ran", "[SEP]")
    attention = found.attention[1, 0]  # [CLS] the cat ##s , ran [SEP]
    joined = found.over_words(attention)
    assert joined.shape == (6, 6)
    np.testing.assert_allclose(joined.sum(axis=1), 1, atol=1e-5)
    assert joined[1, 2] == pytest.approx(attention[1, 2] + attention[1, 3])
    assert joined[2, 1] == pytest.approx((attention[2, 1] + attention[3, 1]) / 2)
    assert found.word_contributions[1] == pytest.approx(found.contributions[2:4].sum())


def test_errors_say_why_an_answer_cannot_be_explained(transformer, tiny_checkpoint):
    with pytest.raises(UnknownNameError, match="did you mean 'Sports'"):
        explain(transformer, TEXT, label="sport")
    with pytest.raises(DataError, match="reads no word of this text"):
        explain(transformer, " ?! ")
    tfidf = create_classifier("tfidf_linear", LABEL_NAMES, ["the cat sat", "the dog sat"])
    with pytest.raises(OptionError, match="tfidf_linear has no attention"):
        explain(tfidf, TEXT)
    module = create_classifier(
        str(tiny_checkpoint), LABEL_NAMES, [], options={"encoder": "module", "max_length": 16}
    )
    with pytest.raises(OptionError, match="encoder must be 'reopened' to look inside"):
        explain(module, TEXT)


def test_one_of_several_labels_is_explained_by_its_own_logit(transformer):
    task = MultiLabel(LABEL_NAMES)
    keras.utils.set_random_seed(0)
    sizes = {name: getattr(transformer.options, name) for name in ("max_length", "vocab_size")}
    classifier = create_model("transformer", task, TRAIN_TEXTS, options=sizes)
    logits = predict_logits(classifier, [TEXT, "zz zz zz, zz zz zz!"])  # all unknown: neutral
    probable = explain(classifier, TEXT)
    assert probable.label == LABEL_NAMES[logits[0].argmax()]
    probabilities = list(probable.probabilities.values())
    np.testing.assert_allclose(probabilities, tf.sigmoid(logits[0]), atol=1e-5)
    for place, label in enumerate(LABEL_NAMES):
        found = explain(classifier, TEXT, label=label)
        rise = logits[0, place] - logits[1, place]
        assert found.completeness.expected == pytest.approx(float(rise), abs=1e-5)
        assert found.word_contributions.sum() == pytest.approx(float(rise), abs=0.02)
