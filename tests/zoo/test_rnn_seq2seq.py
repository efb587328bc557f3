"""rnn_seq2seq: teacher forcing, greedy and beam search, masks, and which tasks fit."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import load_dataset
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.lab import ExperimentConfig
from kerasnlp_lab.tasks import Classification, Generation
from kerasnlp_lab.tasks.generation import END, NEVER_WRITTEN, PADDING, TARGET_IDS
from kerasnlp_lab.zoo import create_model, find_model, load_classifier, model_names, predict_logits

TEXTS = ["ab", "ba ab", "A"]
TASK = Generation(("a", "b"), 2)
SMALL = {"embed_dim": 4, "units": 4, "max_output_length": 3}


def new(**options):
    keras.utils.set_random_seed(1)
    classifier = create_model("rnn_seq2seq", TASK, TEXTS, options={**SMALL, **options})
    # With their first values all outputs are nearly as probable.
    for weight in classifier.network.weights:
        weight.assign(3 * weight)
    return classifier


@pytest.fixture(scope="module")
def classifier():
    return new(beam_size=1)


@pytest.fixture(scope="module")
def saved(classifier, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "model"
    classifier.save(folder)
    return folder


def log_shares(classifier, text, written):
    """The log probabilities of the symbols after `written`, as teacher forcing has them."""
    features = classifier.text(tf.constant([text]))
    before = tf.constant([[PADDING, *written]])
    logits = classifier.network({**features, TARGET_IDS: before}).numpy()[0, -1]
    logits[list(NEVER_WRITTEN)] = -np.inf
    return logits - np.log(np.exp(logits).sum())


def mean_share(classifier, text, symbols):
    shares = [log_shares(classifier, text, symbols[:n])[one] for n, one in enumerate(symbols)]
    return float(np.mean(shares))


def written_by(classifier, text):
    logits = predict_logits(classifier, [text])[0]
    return [int(one) for one in logits[:, 0] if one != PADDING], logits[:, 1]


def test_a_beam_of_one_takes_the_most_probable_symbol_each_time(classifier):
    for text in TEXTS:
        symbols, shares = written_by(classifier, text)
        expected = []
        while END not in expected and len(expected) < 4:
            expected.append(int(log_shares(classifier, text, expected).argmax()))
        assert symbols == expected
        assert shares[: len(symbols)].mean() == pytest.approx(
            mean_share(classifier, text, symbols), abs=1e-5
        )


def test_a_wide_beam_finds_the_best_of_all_texts(saved, classifier):
    wide = load_classifier(saved, options={"beam_size": 40})
    letters = (3, 4)
    every = [
        [*letters_of, END] for n in range(4) for letters_of in itertools.product(letters, repeat=n)
    ] + [list(one) for one in itertools.product(letters, repeat=4)]
    for text in TEXTS:
        best = max(every, key=lambda one: mean_share(classifier, text, one))
        symbols, shares = written_by(wide, text)
        assert mean_share(classifier, text, symbols) == pytest.approx(
            mean_share(classifier, text, best), abs=1e-5
        )
        assert shares[len(symbols) :].tolist() == [0.0] * (4 - len(symbols))


def test_a_longer_neighbour_changes_nothing(classifier):
    alone = predict_logits(classifier, ["ab"])
    together = predict_logits(classifier, ["ab", "ab " * 20])
    np.testing.assert_allclose(alone[0], together[0], atol=1e-5)


def test_alignment_reads_no_padding(classifier):
    features = classifier.text(tf.constant(["ab", "ba ab"]))
    before = tf.zeros([2, 3], tf.int32)
    weights = classifier.network.alignment({**features, TARGET_IDS: before}).numpy()
    assert weights.shape == (2, 3, 8)
    assert not weights[0, :, 2:].any()
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)


def test_odd_texts_are_answered(classifier):
    logits = predict_logits(classifier, ["", b"\xff", "\u4e00" * 300])
    assert logits.shape == (3, 4, 2)
    assert np.isfinite(logits).all()
    assert predict_logits(classifier, []).shape == (0, 4, 2)


def test_words_are_read_too():
    model = new(tokens="words")
    assert model.text.vocabulary()[2:] == ["ab", "ba", "a"]
    assert np.isfinite(predict_logits(model, TEXTS)).all()


def test_a_keras_file_holds_it(classifier, tmp_path):
    classifier.model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    texts = tf.constant(TEXTS)
    np.testing.assert_allclose(loaded(texts), classifier.model(texts), atol=1e-6)


def test_the_length_of_outputs(saved):
    assert create_model("rnn_seq2seq", Generation(("a",), 7), TEXTS).network.most == 12
    longer = load_classifier(saved, options={"max_output_length": 9})
    assert predict_logits(longer, ["ab"]).shape == (1, 10, 2)
    with pytest.raises(OptionError, match="max_output_length must be 2 or more, the length of the"):
        create_model("rnn_seq2seq", TASK, TEXTS, options={"max_output_length": 1})


def test_the_card_states_the_number_of_parameters():
    data = load_dataset("dates")
    network = create_model("rnn_seq2seq", Generation.for_data(data), data.train.texts).network
    count = sum(int(np.prod(weight.shape)) for weight in network.weights)
    assert find_model("rnn_seq2seq").card.parameters == f"{count:,} on dates"


@pytest.mark.parametrize("name", [one for one in model_names() if one != "rnn_seq2seq"])
def test_other_models_do_not_write(name):
    with pytest.raises(OptionError, match="cannot write texts, .* use rnn_seq2seq"):
        ExperimentConfig(name, task="generation")


@pytest.mark.parametrize("task", ["classification", "multi_label", "entities"])
def test_other_tasks_are_refused(task):
    with pytest.raises(OptionError, match="task must be generation for rnn_seq2seq"):
        ExperimentConfig("rnn_seq2seq", task=task)
    with pytest.raises(OptionError, match="task must be generation"):
        create_model("rnn_seq2seq", Classification(("a", "b")), TEXTS)


@pytest.mark.parametrize(
    "options",
    [{"units": 0}, {"beam_size": 0}, {"tokens": "pieces"}, {"dropout": 1.0}, {"vocab_size": 2}],
    ids=str,
)
def test_options_out_of_range(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        create_model("rnn_seq2seq", TASK, TEXTS, options=options)
