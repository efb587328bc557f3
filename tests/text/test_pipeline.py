"""The input pipeline: the order of the rows, the rows of a batch, and little padding."""

import os

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.errors import KerasnlpLabError
from kerasnlp_lab.text import (
    Share,
    TfidfVectorizer,
    WordVectorizer,
    evaluation_batches,
    tokenize,
    training_batches,
)
from kerasnlp_lab.text.order import evaluation_order
from kerasnlp_lab.text.pipeline import token_batches
from tests.text.corpus import texts_of_lengths
from tests.text.padding import padding_share

ROWS, BATCH_SIZE, STEPS = 1003, 16, 62
LENGTHS = np.random.default_rng(0).lognormal(3, 0.7, ROWS).astype(int).clip(1, 200)
TEXTS = texts_of_lengths(LENGTHS)
# The labels are row numbers, so that they identify the rows in a batch.
ROW_NUMBERS = np.arange(ROWS)


@pytest.fixture(scope="module")
def vectorizer():
    vectorizer = WordVectorizer(max_length=200, vocab_size=5000)
    vectorizer.adapt(TEXTS)
    return vectorizer


@pytest.fixture(scope="module")
def tokens(vectorizer):
    return tokenize(vectorizer, TEXTS)


@pytest.fixture(scope="module")
def batches(vectorizer, tokens):
    """Returns three passes with seed 5."""
    return training(vectorizer, tokens, passes=3, seed=5)


@pytest.fixture(scope="module")
def of_one_class(vectorizer, tokens):
    return training(vectorizer, tokens, passes=1, seed=5, labels=np.zeros(ROWS, np.int64))[0]


def training(vectorizer, tokens, passes, *, labels=None, **arguments):
    labels = np.arange(len(tokens)) if labels is None else labels
    arguments = {"batch_size": BATCH_SIZE, **arguments}
    dataset, steps = training_batches(vectorizer, tokens, labels, **arguments)
    taken = list(dataset.take(steps * passes).as_numpy_iterator())
    return [taken[start : start + steps] for start in range(0, len(taken), steps)]


def rows_of(batches):
    return [rows.tolist() for _, rows in batches]


def test_tokenize_keeps_texts_apart(vectorizer, tokens):
    assert len(tokens) == ROWS
    np.testing.assert_array_equal(tokens.lengths, LENGTHS)
    some = [0, 1, 500, ROWS - 1]
    for row, text_ids in zip(some, tokens.read(some), strict=True):
        alone = vectorizer(tf.constant([TEXTS[row]]))["token_ids"].numpy()[0]
        np.testing.assert_array_equal(text_ids, alone[: LENGTHS[row]])


def test_tokenize_many_batches_of_texts_and_bytes(vectorizer):
    texts = [*TEXTS * 3, b"broken \xff w1", ""]  # more than one call tokenizes
    tokens = tokenize(vectorizer, texts)
    np.testing.assert_array_equal(tokens.lengths, [*LENGTHS.tolist() * 3, 3, 0])
    first, again = tokens.read([ROWS, 2 * ROWS])
    np.testing.assert_array_equal(first, again)


def test_token_ids_end_to_end(tokens):
    for rows in ([5, 4, 5, 6, 7, ROWS - 1], [3], []):
        ids, lengths = tokens.read_flat(np.array(rows, int))
        np.testing.assert_array_equal(lengths, LENGTHS[rows])
        assert ids.dtype == np.int32
        assert ids.tolist() == [i for row in tokens.read(np.array(rows, int)) for i in row]
        found = tokens.read_in_graph(tf.constant(rows, tf.int32))
        ragged = tf.RaggedTensor.from_row_lengths(*found)
        assert ragged.to_list() == [row.tolist() for row in tokens.read(np.array(rows, int))]


def test_a_batch_has_the_features_of_its_texts(vectorizer, batches):
    for features, rows in batches[0][:5]:
        expected = vectorizer(tf.constant([TEXTS[row] for row in rows]))
        np.testing.assert_array_equal(features["token_ids"], expected["token_ids"])


def test_every_batch_is_full_and_no_row_comes_twice_in_a_pass(batches):
    for one_pass in batches:
        assert len(one_pass) == STEPS
        assert {len(rows) for _, rows in one_pass} == {BATCH_SIZE}
        rows = np.concatenate(rows_of(one_pass))
        assert len(set(rows)) == len(rows) == ROWS - ROWS % BATCH_SIZE


def test_each_pass_leaves_out_other_rows(batches):
    left_out = [frozenset(range(ROWS)) - set(np.concatenate(rows_of(p))) for p in batches]
    assert len(set(left_out)) == 3


def test_order_is_a_function_of_seed_and_pass(vectorizer, tokens, batches):
    again = training(vectorizer, tokens, passes=2, seed=5)
    assert [rows_of(p) for p in again] == [rows_of(p) for p in batches[:2]]
    assert rows_of(batches[0]) != rows_of(batches[1])
    assert rows_of(batches[0]) != rows_of(training(vectorizer, tokens, passes=1, seed=6)[0])


def test_order_does_not_depend_on_global_randomness(vectorizer, tokens, batches):
    tf.random.set_seed(99)
    np.random.seed(99)
    assert rows_of(training(vectorizer, tokens, passes=1, seed=5)[0]) == rows_of(batches[0])


@pytest.mark.parametrize("first_step", [1, 7, 10, 23])
def test_batches_from_a_step_on_equal_those_of_the_whole_sequence(
    vectorizer, tokens, batches, first_step
):
    whole = [batch for batches_of_pass in batches for batch in batches_of_pass]
    continued = training(vectorizer, tokens, passes=1, seed=5, first_step=first_step)[0]
    assert rows_of(continued[:5]) == rows_of(whole[first_step : first_step + 5])


def test_shares_of_a_batch_are_its_parts_in_order(vectorizer, tokens):
    """Two processes with one replica, or one with two, read the same as a single replica."""
    whole = training(vectorizer, tokens, passes=1, seed=5)[0][:3]
    for processes in (1, 2):
        here = 2 // processes
        read = [
            training(vectorizer, tokens, passes=2, seed=5, share=Share(first, here, 2))
            for first in range(0, 2, here)
        ]
        parts = [[batch for one in passes for batch in one][: 3 * here] for passes in read]
        for step, batch in enumerate(whole):
            of_step = [part[step * here + n] for part in parts for n in range(here)]
            assert sum(rows_of(of_step), []) == rows_of([batch])[0]


def test_rows_are_batched_with_others_in_each_pass(batches):
    def companions(one_pass, row):
        return next(set(rows) for rows in rows_of(one_pass) if row in rows) - {row}

    present = set.intersection(*(set(np.concatenate(rows_of(p))) for p in batches))
    shared = [len(companions(batches[0], r) & companions(batches[1], r)) for r in sorted(present)]
    assert np.mean(shared) < 5  # of 15


def test_short_and_long_batches_are_mixed(of_one_class):
    widths = np.array([features["token_ids"].shape[1] for features, _ in of_one_class])
    correlation = np.corrcoef(widths, np.arange(STEPS))[0, 1]
    assert abs(correlation) < 0.4


def test_padding_is_much_less_than_in_random_batches(of_one_class):
    shuffled = np.random.default_rng(1).permutation(ROWS)[: STEPS * BATCH_SIZE].reshape(STEPS, -1)
    random_lengths = LENGTHS[shuffled]
    random_widths = -(-random_lengths.max(axis=1) // 8) * 8
    at_random = padding_share(random_widths, random_lengths)
    ids = [features["token_ids"] for features, _ in of_one_class]
    ours = padding_share([i.shape[1] for i in ids], [(i != 0).sum(axis=1) for i in ids])
    assert at_random > 0.5
    assert ours < at_random / 3


def test_fewer_rows_than_a_batch(vectorizer):
    tokens = tokenize(vectorizer, TEXTS[:3])
    passes = training(vectorizer, tokens, passes=2, seed=0)
    assert [sorted(rows) for p in passes for rows in rows_of(p)] == [[0, 1, 2]] * 2


def test_evaluation_batches_cover_every_row_once(vectorizer, tokens):
    batches = list(
        evaluation_batches(vectorizer, tokens, ROW_NUMBERS, batch_size=64).as_numpy_iterator()
    )
    order = evaluation_order(tokens.lengths, 64)
    assert rows_of(batches) == [rows.tolist() for rows in order]
    assert sorted(np.concatenate(order)) == list(range(ROWS))
    assert [len(rows) for rows in order] == [64] * 15 + [43]
    for features, rows in batches:
        lengths = (features["token_ids"] != 0).sum(axis=1)
        np.testing.assert_array_equal(lengths, LENGTHS[rows])
    lengths = np.concatenate([LENGTHS[rows] for rows in order])
    assert (np.diff(lengths) <= 0).all()


def test_token_batches_have_texts_of_similar_length(vectorizer, tokens, monkeypatch):
    monkeypatch.setattr("kerasnlp_lab.text.pipeline.TEXTS_IN_MEMORY", 600)
    batches = list(token_batches(vectorizer, TEXTS, batch_size=64))
    assert [len(rows) for rows, _, _ in batches] == [64] * 9 + [24] + [64] * 6 + [19]
    assert sorted(np.concatenate([rows for rows, _, _ in batches])) == list(range(ROWS))
    for rows, ids, lengths in batches:
        expected = tokens.read_flat(rows)
        np.testing.assert_array_equal(ids, expected[0])
        np.testing.assert_array_equal(lengths, expected[1])
    for some in (batches[:10], batches[10:]):
        assert (np.diff(np.concatenate([lengths for _, _, lengths in some])) <= 0).all()
    assert list(token_batches(vectorizer, [], batch_size=64)) == []


def test_labels_stay_with_their_texts(vectorizer, tokens):
    labels = LENGTHS % 4
    dataset, steps = training_batches(vectorizer, tokens, labels, batch_size=BATCH_SIZE, seed=1)
    evaluation = evaluation_batches(vectorizer, tokens, labels, batch_size=BATCH_SIZE)
    for some in (dataset.take(steps), evaluation):
        for features, batch_labels in some.as_numpy_iterator():
            assert batch_labels.dtype == np.int64
            lengths = (features["token_ids"] != 0).sum(axis=1)
            np.testing.assert_array_equal(batch_labels, lengths % 4)


def test_batches_of_ngrams():
    texts = TEXTS[:100]
    vectorizer = TfidfVectorizer()
    vectorizer.adapt(texts)
    tokens = tokenize(vectorizer, texts)
    for features, rows in training(vectorizer, tokens, passes=1, seed=0)[0]:
        expected = vectorizer(tf.constant([texts[row] for row in rows]))
        np.testing.assert_array_equal(features["ngram_ids"], expected["ngram_ids"])
        np.testing.assert_allclose(features["ngram_weights"], expected["ngram_weights"], atol=1e-6)


def test_no_rows_to_evaluate(vectorizer):
    tokens = tokenize(vectorizer, [])
    assert (len(tokens), tokens.lengths.tolist()) == (0, [])
    assert evaluation_order(tokens.lengths, 8) == []
    none = evaluation_batches(vectorizer, tokens, np.zeros(0, np.int64), batch_size=8)
    assert list(none) == []


def test_no_rows_to_train_on(vectorizer):
    with pytest.raises(KerasnlpLabError, match="row"):
        training_batches(
            vectorizer, tokenize(vectorizer, []), np.zeros(0, np.int64), batch_size=8, seed=0
        )


def test_texts_without_words(vectorizer):
    tokens = tokenize(vectorizer, ["", "?!", "  "])
    evaluation = evaluation_batches(vectorizer, tokens, np.arange(3), batch_size=2)
    widths = [features["token_ids"].shape for features, _ in evaluation]
    assert widths == [(2, 8), (1, 8)]
    (((features, rows),),) = training(vectorizer, tokens, passes=1, seed=0, batch_size=3)
    np.testing.assert_array_equal(features["token_ids"], np.zeros((3, 8)))
    assert sorted(rows) == [0, 1, 2]


def test_predictions_leave_no_open_file():
    """Each call once left a file open, which killed a server that predicts from a run."""
    from kerasnlp_lab.zoo import create_classifier, predict_logits

    classifier = create_classifier("seed_transformer", ["bad", "good"], ["so so"])
    predict_logits(classifier, ["so"])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        predict_logits(classifier, ["so", "so so"])
    assert len(os.listdir("/proc/self/fd")) == before
