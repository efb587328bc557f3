"""Class weights: their spellings, and their effect on the loss, on training and on the SVM."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_class_weight

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.errors import OptionError, UnknownNameError
from kerasnlp_lab.tasks.class_weights import class_weights
from kerasnlp_lab.tasks.losses import SmoothedCrossentropy
from kerasnlp_lab.training import train
from kerasnlp_lab.zoo import Recipe, create_classifier, predict_logits

NAMES = ("ham", "spam")
WORDS = "lunch home day see you cash prize now call free".split()
# The share of each word in the texts of each class.
SHARES = np.array([[0.14] * 5 + [0.06] * 5, [0.06] * 5 + [0.14] * 5])


def few_spam(rows, seed):
    """Returns texts of ten words. The last five are more frequent in the rare class."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(rows) % 10 == 0).astype(int)
    texts = [" ".join(rng.choice(WORDS, 6, p=SHARES[label])) for label in labels]
    return Split(texts, labels)


@pytest.fixture(scope="module")
def data():
    return TextDataset("few", NAMES, few_spam(300, 0), few_spam(100, 1), few_spam(100, 2))


def test_balanced_is_scikit_learns():
    labels = np.random.default_rng(0).choice(3, 500, p=[0.8, 0.15, 0.05])
    expected = compute_class_weight("balanced", classes=np.unique(labels), y=labels)
    found = class_weights("balanced", np.bincount(labels), ("a", "b", "c"))
    np.testing.assert_allclose(found, expected)
    # also by hand: rows / (classes * rows of the class)
    np.testing.assert_allclose(found, 500 / (3 * np.bincount(labels)))


@pytest.mark.parametrize(
    "spec, names, expected",
    [
        ("spam=6.5", NAMES, [1, 6.5]),
        ("ham=0.5,spam=6.5", NAMES, [0.5, 6.5]),
        ("spam=2, ham=3", NAMES, [3, 2]),
        ("c=1e-3", ("a", "b", "c"), [1, 1, 0.001]),
        ("a=b=2", ("a=b", "c"), [2, 1]),  # the last "=" counts
        ("Sci/Tech=2", ("World", "Sci/Tech"), [1, 2]),
        ("a,b=2", ("a,b", "c"), [2, 1]),
        ("c=3, a,b=2", ("a,b", "c"), [2, 3]),
        ("a=1,b=2", ("a=1,b", "c"), [2, 1]),
        ("a,,b=2,c=3", ("a,,b", "c"), [2, 3]),
        (",=2,==3", (",", "="), [2, 3]),
        (" a=2,a=3", (" a", "a"), [2, 3]),
        ("{$a}, {$b}=2", ("{$a}, {$b}", "none"), [2, 1]),
        ("none=2,balanced=3", ("balanced", "none"), [3, 2]),
    ],
)
def test_a_weight_a_class_and_1_for_the_others(spec, names, expected):
    assert class_weights(spec, np.array([1, 1]), names).tolist() == expected


def test_none_is_no_weights():
    assert class_weights("none", np.array([1, 1]), NAMES) is None


@pytest.mark.parametrize(
    "spec",
    ["", "spam", "spam=", "spam=much", "spam=0", "spam=-1", "spam=nan", "spam=inf", "6.5"]
    + ["spam=2,", "ham=1,,spam=2", "Balanced"],
)
def test_what_is_no_weight(spec):
    message = "class_weight must be none, balanced or CLASS=WEIGHT,..., got"
    with pytest.raises(OptionError, match=message):
        class_weights(spec, np.array([1, 1]), NAMES)


def test_weights_that_can_be_read_in_two_ways_are_refused():
    with pytest.raises(OptionError, match="can be read in two ways: .*'a=1,b': 2.* or .*'b': 2"):
        class_weights("a=1,b=2", np.array([1, 1, 1]), ("a=1,b", "a", "b"))


def test_an_unknown_class_beside_a_name_with_a_comma():
    with pytest.raises(UnknownNameError, match="no class is called 'q'"):
        class_weights("a,b=2,q=1", np.array([1, 1]), ("a,b", "c"))


def test_an_unknown_class_is_told_its_likely_name():
    with pytest.raises(UnknownNameError, match="no class is called 'spma'; did you mean 'spam'"):
        class_weights("spma=2", np.array([1, 1]), NAMES)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_weighted_as_numpy_weights_it(smoothing):
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    weights = np.array([0.5, 1.0, 6.5])
    targets = np.eye(3)[labels] * (1 - smoothing) + smoothing / 3
    losses = -(targets * log_softmax(logits, axis=1)).sum(axis=1)
    expected = (weights[labels] * losses).mean()
    loss = SmoothedCrossentropy(smoothing, weights)
    assert float(loss(labels, tf.constant(logits))) == pytest.approx(expected, rel=1e-5)
    again = SmoothedCrossentropy.from_config(loss.get_config())
    assert float(again(labels, tf.constant(logits))) == pytest.approx(expected, rel=1e-5)
    column = tf.constant(labels[:, np.newaxis])  # labels as a column, as Keras may pass them
    assert float(loss(column, tf.constant(logits))) == pytest.approx(expected, rel=1e-5)


def mean_spam(data, folder, class_weight):
    keras.utils.set_random_seed(0)
    sizes = {"max_length": 8, "vocab_size": 20, "embed_dim": 8, "ff_dim": 8}
    sizes |= {"dropout": 0.0, "token_dropout": 0.0}
    classifier = create_classifier("transformer", NAMES, data.train.texts, options=sizes)
    steps = {"epochs": 2, "batch_size": 20, "min_steps_per_epoch": 60, "learning_rate": 2e-2}
    recipe = Recipe(**steps, class_weight=class_weight)
    folder.mkdir()
    train(classifier, data, recipe, folder)
    logits = predict_logits(classifier, data.test.texts)
    return np.exp(log_softmax(logits, axis=1))[:, 1].mean()


def true_mean_spam(data, share):
    """Returns the mean probability of spam by Bayes' theorem, for a share of spam."""
    odds = []
    for text in data.test.texts:
        words = [WORDS.index(word) for word in text.split()]
        odds.append(share / (1 - share) * np.prod(SHARES[1, words] / SHARES[0, words]))
    return np.mean([one / (1 + one) for one in odds])


@pytest.mark.slow  # it trains twice
def test_training_with_weights_expects_the_rare_class_more(data, tmp_path):
    """With equal total weights the model predicts as if half of the rows had the rare class."""
    plain = mean_spam(data, tmp_path / "none", "none")
    balanced = mean_spam(data, tmp_path / "balanced", "balanced")
    tenth, half = true_mean_spam(data, 0.1), true_mean_spam(data, 0.5)
    assert half > 2 * tenth
    assert plain == pytest.approx(tenth, abs=0.03)
    assert balanced == pytest.approx(half, abs=0.03)


@pytest.mark.parametrize("class_weight", ["none", "balanced", "spam=30,ham=0.5"])
def test_tfidf_solves_with_them_as_scikit_learn_does(class_weight, data, tmp_path):
    classifier = create_classifier("tfidf_linear", NAMES, data.train.texts)
    result = train(classifier, data, Recipe(epochs=1, class_weight=class_weight), tmp_path)
    strength = result.history[result.best_epoch - 1]["C"]
    weights = {"none": None, "balanced": "balanced"}.get(class_weight, {0: 0.5, 1: 30.0})
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
    features = vectorizer.fit_transform(data.train.texts)
    linear = LinearSVC(C=strength, class_weight=weights, random_state=0)
    linear.fit(features, data.train.labels)
    expected = linear.decision_function(vectorizer.transform(data.test.texts))
    logits = predict_logits(classifier, data.test.texts)
    found = logits[:, 1] - logits[:, 0]
    factor = found @ expected / (expected @ expected)  # calibration multiplies all by one number
    assert factor > 0
    np.testing.assert_allclose(found, factor * expected, atol=0.02 * factor)
