"""`RealPositions` converts between a padded batch and its real positions."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.bert.real_positions import RealPositions

LENGTHS, SEQ, HEADS, SIZE = [3, 5, 1, 4], 5, 2, 3
MASK = (np.arange(SEQ) < np.array(LENGTHS)[:, np.newaxis]).astype(np.int32)
REAL = MASK.astype(bool)


@pytest.fixture(params=[True, False], ids=["differentiable", "not"])
def positions(request):
    return RealPositions(tf.constant(MASK), differentiable=request.param)


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_rows_are_the_texts_one_after_another(positions):
    ids = np.arange(MASK.size, dtype=np.int32).reshape(MASK.shape)
    np.testing.assert_array_equal(positions.select(tf.constant(ids)), ids[REAL])
    padded = numbers(*MASK.shape, 6)
    np.testing.assert_array_equal(positions.gather(tf.constant(padded)), padded[REAL])
    assert positions.position.numpy().tolist() == [i for n in LENGTHS for i in range(n)]


def test_rows_come_back_to_their_places(positions):
    rows = numbers(sum(LENGTHS), 6)
    spread = positions.spread(tf.constant(rows))
    assert spread.shape == (*MASK.shape, 6)
    np.testing.assert_array_equal(spread.numpy()[REAL], rows)
    firsts = np.cumsum([0, *LENGTHS[:-1]])
    np.testing.assert_array_equal(positions.first(tf.constant(rows)), rows[firsts])


def test_heads_are_split_and_joined(positions):
    joined = numbers(sum(LENGTHS), 3 * HEADS * SIZE)
    (split,) = map(np.stack, positions.split_heads(tf.constant(joined), HEADS, SIZE))
    assert split.shape == (3, len(LENGTHS), HEADS, SEQ, SIZE)
    expected = joined.reshape(-1, 3, HEADS, SIZE).transpose(1, 2, 0, 3)  # [3, heads, rows, size]
    np.testing.assert_array_equal(split.transpose(0, 2, 1, 3, 4)[:, :, REAL], expected)
    values = positions.join_heads([tf.constant(split[2])])
    np.testing.assert_array_equal(values, joined[:, 2 * HEADS * SIZE :])


@pytest.mark.parametrize(
    "way, shape",
    [
        ("gather", (*MASK.shape, 6)),
        ("spread", (sum(LENGTHS), 6)),
        ("first", (sum(LENGTHS), 6)),
        ("split_heads", (sum(LENGTHS), 3 * HEADS * SIZE)),
        ("join_heads", (len(LENGTHS), HEADS, SEQ, SIZE)),
    ],
)
def test_gradients_are_those_of_tensorflow(way, shape):
    """This holds if padding is never read, as in the encoder."""
    x = tf.constant(numbers(*shape))
    given = (HEADS, SIZE) if way == "split_heads" else ()
    gradients = []
    for differentiable in (True, False):
        positions = RealPositions(tf.constant(MASK), differentiable=differentiable)
        with tf.GradientTape() as tape:
            tape.watch(x)
            found = getattr(positions, way)([x] if way == "join_heads" else x, *given)
            result = tf.stack(found[0] if way == "split_heads" else found)
            weights = numbers(*result.shape)
            if way == "spread":
                weights *= MASK[:, :, np.newaxis]
            elif way == "split_heads":
                weights *= MASK[:, np.newaxis, :, np.newaxis]
            loss = tf.reduce_sum(result * weights)
        gradients.append(tf.convert_to_tensor(tape.gradient(loss, x)))
    assert np.abs(gradients[0]).max() > 0
    np.testing.assert_allclose(*gradients, rtol=1e-6)


def test_a_text_without_a_token_has_its_first_position():
    positions = RealPositions(tf.constant([[0, 0], [1, 1]]), differentiable=False)
    assert positions.position.numpy().tolist() == [0, 0, 1]
