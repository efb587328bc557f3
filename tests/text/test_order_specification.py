"""The fast order of training batches equals that of `order_specification`."""

import numpy as np
import pytest

from kerasnlp_lab.text import Share, WordVectorizer, order
from kerasnlp_lab.text.order_specification import (
    length_ranks,
    shard_batches_of_pass,
    training_batches_of_pass,
)
from kerasnlp_lab.text.shard_batches import shard_batches
from tests.data.sharded import sharded
from tests.text.corpus import texts_of_lengths

ROWS = 603
LENGTHS = np.random.default_rng(0).lognormal(2, 0.7, ROWS).astype(int).clip(1, 60)  # many are equal
LABELS = np.random.default_rng(1).choice(3, ROWS, p=[0.6, 0.3, 0.1])
TEXTS = texts_of_lengths(LENGTHS)
PASSES = 2


def test_length_ranks():
    np.testing.assert_array_equal(
        order.length_ranks(LENGTHS, LABELS), length_ranks(LENGTHS, LABELS), strict=True
    )


@pytest.mark.parametrize(
    "rows, batch_size, seed, first_step",
    [
        (ROWS, 8, 5, 0),  # 75 batches in two windows; 3 rows are left over
        (ROWS, 4, 0, 151),  # 150 batches in three windows; starts in the second pass
        (ROWS, 7, 1, 60),
        (50, 50, 2, 0),
        (49, 1, 3, 0),
    ],
)
def test_training_order(rows, batch_size, seed, first_step):
    lengths, labels = LENGTHS[:rows], LABELS[:rows]
    options = {"batch_size": batch_size, "seed": seed}
    expected = np.concatenate(
        [
            training_batches_of_pass(lengths, labels, pass_number=number, **options)
            for number in range(PASSES)
        ]
    )[first_step:]
    batches = order.training_order(lengths, labels, first_step=first_step, **options)
    batches = np.stack(list(batches.take(len(expected)).as_numpy_iterator()))
    np.testing.assert_array_equal(batches, expected, strict=True)


@pytest.fixture(scope="module")
def vectorizer():
    vectorizer = WordVectorizer(max_length=60, vocab_size=5000)
    vectorizer.adapt(TEXTS)
    return vectorizer


@pytest.mark.parametrize(
    "shards, batch_size, seed, buffer_rows, replicas, first_step",
    [
        # one stream of one shard; blocks of one window: 50 batches of 150
        pytest.param(1, 4, 1, 1, 1, 0, marks=pytest.mark.slow),
        (6, 4, 5, 800, 2, 77),  # two streams of three shards; starts in the second of 3 windows
        # four streams of one shard; starts in the second block
        pytest.param(4, 8, 0, 400, 2, 67, marks=pytest.mark.slow),
        (3, 2, 7, 250, 1, 407),  # one stream of three shards; starts in the second block
    ],
)
def test_shard_batches(
    shards, batch_size, seed, buffer_rows, replicas, first_step, vectorizer, tmp_path
):
    split = sharded(TEXTS, tmp_path / "shards", shards, LABELS).train
    places = [TEXTS.index(text) for text in split.texts]
    options = {"batch_size": batch_size, "seed": seed, "buffer_rows": buffer_rows}
    expected = np.concatenate(
        [
            shard_batches_of_pass(
                split.rows, LENGTHS[places], LABELS[places], pass_number=number, **options
            )
            for number in range(PASSES)
        ]
    )[first_step:]
    parts = []
    for first in range(replicas):
        dataset, steps = shard_batches(
            vectorizer,
            split,
            share=Share(first, 1, replicas),
            first_step=first_step,
            make_batch=lambda rows, step: (rows.index, rows.targets, step),
            **options,
        )
        assert first_step + len(expected) == PASSES * steps
        batches = dataset.take(len(expected)).as_numpy_iterator()
        rows, labels, numbers = map(np.stack, zip(*batches, strict=True))
        np.testing.assert_array_equal(labels, LABELS[places][rows])
        assert numbers.tolist() == list(range(first_step, PASSES * steps))
        parts.append(rows)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), expected, strict=True)
