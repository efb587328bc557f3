"""The loss and the counts of pre-training."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.tasks.pretraining import PretrainingObjective


def batch(rows, seed=0):
    """Random logits and targets: three hidden tokens a row."""
    rng = np.random.default_rng(seed)
    logits = {
        "masked_words": rng.normal(size=(3 * rows, 7)).astype(np.float32),
        "next_sentence": rng.normal(size=(rows, 2)).astype(np.float32),
    }
    targets = {
        "masked_ids": rng.integers(0, 7, 3 * rows).astype(np.int32),
        "next_sentence": rng.choice(np.array([-1, 0, 1], np.int32), rows),
    }
    return logits, targets


def part(batch, rows):
    """The batch's values of some rows."""
    tokens = np.concatenate([np.arange(3 * row, 3 * row + 3) for row in rows])
    take = {"masked_words": tokens, "masked_ids": tokens, "next_sentence": rows}
    return [{name: value[take[name]] for name, value in one.items()} for one in batch]


def log_softmax(values):
    return values - np.log(np.exp(values).sum(-1, keepdims=True))


def test_the_loss_is_the_mean_of_words_plus_the_mean_of_pairs():
    logits, targets = batch(40)
    targets["next_sentence"] = np.abs(targets["next_sentence"])  # every row is a pair
    loss, weight = PretrainingObjective(True, hidden_per_sequence=3.0).losses(logits, targets)
    words = -log_softmax(logits["masked_words"])[np.arange(120), targets["masked_ids"]]
    pairs = -log_softmax(logits["next_sentence"])[np.arange(40), targets["next_sentence"]]
    assert float(loss / weight) == pytest.approx(words.mean() + pairs.mean(), abs=1e-5)
    alone, weight = PretrainingObjective().losses(logits, targets)
    assert float(alone / weight) == pytest.approx(words.mean(), abs=1e-5)


def test_sums_do_not_depend_on_how_rows_are_divided():
    objective, whole = PretrainingObjective(True, 3.0), batch(9)
    parts = [part(whole, rows) for rows in (np.arange(0, 2), np.arange(2, 9))]
    for function in (objective.losses, objective.tally):
        together = np.array(function(*whole))
        apart = sum(np.array(function(*one)) for one in parts)
        np.testing.assert_allclose(together, apart, rtol=1e-5)


def test_rows_without_a_pair_count_for_words_alone():
    logits, targets = batch(5)
    targets["next_sentence"][:] = -1
    objective = PretrainingObjective(True, 3.0)
    loss, weight = objective.losses(logits, targets)
    alone, _ = PretrainingObjective().losses(logits, targets)
    assert float(loss) == pytest.approx(float(alone)) and float(weight) == 15
    right, hidden, words, of, pairs_right, pairs = objective.tally(logits, targets).numpy()
    best = logits["masked_words"].argmax(-1)
    assert right == (best == targets["masked_ids"]).sum()
    assert (hidden, of, pairs_right, pairs) == (15, 15, 0, 0)
    assert words == pytest.approx(float(alone))


def test_a_batch_with_nothing_hidden_has_no_loss():
    logits = {"masked_words": tf.zeros([0, 7])}
    loss, weight = PretrainingObjective().losses(logits, {"masked_ids": tf.zeros([0], tf.int32)})
    assert (float(loss), float(weight)) == (0, 0)


@pytest.mark.parametrize("scale", [1.0, 200.0], ids=["usual", "large"])
def test_losses_and_gradients_are_those_of_tensorflow(scale):
    logits, targets = batch(20)
    words = tf.Variable(scale * logits["masked_words"])
    given = {"masked_words": words}
    with tf.GradientTape(persistent=True) as tape:
        own, _ = PretrainingObjective().losses(given, targets)
        expected = tf.reduce_sum(
            tf.nn.sparse_softmax_cross_entropy_with_logits(targets["masked_ids"], words)
        )
    assert float(own) == pytest.approx(float(expected), rel=1e-6)
    np.testing.assert_allclose(tape.gradient(own, words), tape.gradient(expected, words), atol=1e-6)
