"""Batches from shards have every row, in the same order for any readers, in bounded memory."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.data.sharded_split import parse_records
from kerasnlp_lab.errors import DataError, OptionError
from kerasnlp_lab.text import Share, WordVectorizer
from kerasnlp_lab.text.shard_batches import shard_batches, shard_rows
from tests.data.sharded import sharded
from tests.text.corpus import texts_of_lengths
from tests.text.test_pipeline import padding_share

ROWS, SHARDS, BATCH_SIZE = 1003, 12, 8
LENGTHS = np.random.default_rng(0).lognormal(3, 0.7, ROWS).astype(int).clip(1, 200)
TEXTS = texts_of_lengths(LENGTHS)
# 4 streams of 3 shards with 83 or 84 rows; blocks of 200 rows and of 48; windows of 100
STEPS, BUFFER = 3 * 83 // 2, 800


@pytest.fixture(scope="module")
def vectorizer():
    vectorizer = WordVectorizer(max_length=200, vocab_size=5000)
    vectorizer.adapt(TEXTS)
    return vectorizer


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    return sharded(TEXTS, tmp_path_factory.mktemp("shards") / "s", SHARDS).train


def batches_of(vectorizer, split, count, **arguments):
    arguments = {"batch_size": BATCH_SIZE, "seed": 5, "buffer_rows": BUFFER, **arguments}
    dataset, steps = shard_batches(vectorizer, split, **arguments)
    return list(dataset.take(count).as_numpy_iterator()), steps


@pytest.fixture(scope="module")
def batches(vectorizer, split):
    """Returns three passes with seed 5. The label of a row is its number."""
    found, steps = batches_of(vectorizer, split, 3 * STEPS)
    assert steps == STEPS
    return found


def rows_of(batches):
    return np.array([labels for _, labels in batches])


def test_a_pass_has_every_row_once_except_those_left_over(batches):
    rows = rows_of(batches).reshape(3, -1)
    for in_pass in rows:
        assert len(np.unique(in_pass)) == len(in_pass) == STEPS * BATCH_SIZE > ROWS - 12
    left_over = [set(range(ROWS)) - set(in_pass) for in_pass in rows]
    assert not set.intersection(*left_over)


@pytest.mark.parametrize("shards", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_other_rows_are_left_over_even_with_one_shard_in_a_stream(shards, vectorizer, tmp_path):
    split = sharded(TEXTS[:103], tmp_path / "s", shards).train
    found, steps = batches_of(vectorizer, split, 20 * 12, batch_size=8)
    assert steps == 12
    times = np.bincount(rows_of(found).ravel(), minlength=103)
    # 1,920 of 2,060: binomial with 20 draws and p = 0.93
    assert times.min() >= 14 and times.max() <= 20


def test_a_batch_has_the_features_of_its_texts(vectorizer, batches):
    for features, labels in batches[::20]:
        width = features["token_ids"].shape[1]
        expected = vectorizer(tf.constant([TEXTS[row] for row in labels]))["token_ids"].numpy()
        np.testing.assert_array_equal(features["token_ids"], expected)
        assert width == -(-LENGTHS[labels].max() // 8) * 8


def test_the_order_is_random_and_depends_on_the_seed(vectorizer, split, batches):
    rows = rows_of(batches)
    first, second = rows[:STEPS].ravel(), rows[STEPS : 2 * STEPS].ravel()
    in_files = [TEXTS.index(text) for text in split.texts]
    place = np.empty(ROWS)
    place[in_files] = np.arange(ROWS)
    for one, other in (
        (np.argsort(first), np.argsort(second[np.isin(second, first)])),
        (np.arange(len(first)), place[first]),
    ):
        size = min(len(one), len(other))
        assert abs(np.corrcoef(one[:size], other[:size])[0, 1]) < 0.2
    again, other = (batches_of(vectorizer, split, STEPS, seed=seed)[0] for seed in (5, 6))
    np.testing.assert_array_equal(rows_of(again), rows[:STEPS])
    assert not np.array_equal(rows_of(other), rows[:STEPS])
    # Few pairs of rows from one batch are together again in the next pass.
    company = [
        {frozenset((a, b)) for batch in some for a in batch for b in batch if a < b}
        for some in (rows[:STEPS], rows[STEPS : 2 * STEPS])
    ]
    assert len(company[0] & company[1]) < 0.1 * len(company[0])


@pytest.mark.parametrize(
    "first_step",
    # within and at the edges of a window (50 batches), a block (100), a pass (124), the third pass
    [
        *(1, STEPS + 7),
        *(pytest.param(step, marks=pytest.mark.slow) for step in (50, 99, 100, STEPS - 1)),
        pytest.param(2 * STEPS + 120, marks=pytest.mark.slow),
    ],
)
def test_it_resumes_at_any_step(first_step, vectorizer, split, batches):
    count = min(30, len(batches) - first_step)
    found, steps = batches_of(vectorizer, split, count, first_step=first_step)
    assert (steps, len(found)) == (STEPS, count)
    for (features, labels), (expected, rows) in zip(found, batches[first_step:], strict=False):
        np.testing.assert_array_equal(labels, rows)
        np.testing.assert_array_equal(features["token_ids"], expected["token_ids"])


@pytest.mark.parametrize(
    "replicas, of, first_step",
    [
        (2, 4, 77),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((1, 2, 0), (1, 4, 77))),
        pytest.param(4, 4, 0, marks=pytest.mark.slow),
    ],
)
def test_shares_make_up_the_global_batch(replicas, of, first_step, vectorizer, split, batches):
    count = 60  # more than a window; from 77 also the next block and pass
    parts = []
    for first in range(0, of, replicas):
        share = Share(first, replicas, of)
        found, steps = batches_of(
            vectorizer, split, count * replicas, share=share, first_step=first_step
        )
        assert steps == STEPS
        parts.append(rows_of(found).reshape(count, -1))
        for features, labels in found[::7]:
            assert features["token_ids"].shape[1] == -(-LENGTHS[labels].max() // 8) * 8
    expected = rows_of(batches[first_step:][:count])
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), expected)


def files_of(split, rows):
    """Returns the files with these rows."""
    in_files = [TEXTS.index(text) for text in split.texts]
    which = np.repeat(np.arange(len(split.files)), split.rows)
    return {split.files[which[in_files.index(row)]] for row in rows}


def test_a_share_opens_only_its_own_files(vectorizer, tmp_path):
    split = sharded(TEXTS, tmp_path / "s", SHARDS).train
    share = Share(1, 1, 2)
    expected, _ = batches_of(vectorizer, split, STEPS, share=share)
    own = files_of(split, rows_of(expected).ravel())
    assert len(own) == SHARDS / 2
    for file in set(split.files) - own:
        file.unlink()
    found, _ = batches_of(vectorizer, split, STEPS, share=share)
    np.testing.assert_array_equal(rows_of(found), rows_of(expected))
    with pytest.raises(tf.errors.NotFoundError):
        batches_of(vectorizer, split, STEPS)


def test_shards_before_the_first_step_are_not_opened(vectorizer, tmp_path):
    split = sharded(TEXTS, tmp_path / "s", SHARDS).train
    expected, _ = batches_of(vectorizer, split, STEPS)
    needed = files_of(split, rows_of(expected[100:]).ravel())  # the last block's
    assert 4 <= len(needed) <= 8
    for file in set(split.files) - needed:
        file.unlink()
    found, _ = batches_of(vectorizer, split, STEPS - 100, first_step=100)
    np.testing.assert_array_equal(rows_of(found), rows_of(expected[100:]))


@pytest.mark.parametrize("step", [pytest.param(0, marks=pytest.mark.slow), 110, STEPS + 60])
def test_shard_rows_finds_the_rows_of_a_step(step, vectorizer, split, batches):
    order = {"batch_size": BATCH_SIZE, "seed": 5, "buffer_rows": BUFFER}
    labels = []
    for place in shard_rows(vectorizer, split, step=step, **order):
        file, record = place.rsplit(", record ", 1)
        found = tf.data.TFRecordDataset(file).skip(int(record) - 1).take(1)
        labels.append(int(parse_records(next(iter(found.batch(1))))[1][0]))
    assert labels == batches[step][1].tolist()


def test_batches_have_all_classes_and_little_padding(vectorizer, tmp_path):
    """Half of the texts have one class and are longer than all others."""
    labels = np.arange(6400) % 2
    lengths = (
        np.random.default_rng(1).lognormal(3, 0.7, 6400).astype(int).clip(1, 100) + 100 * labels
    )
    split = sharded(texts_of_lengths(lengths), tmp_path / "s", 8, labels).train
    for batch_size in (32, 16):  # 4 or 2 rows from each stream
        found, _ = batches_of(vectorizer, split, 6400 // batch_size, batch_size=batch_size)
        # Random batches have 0.09 with 32 rows and 0.13 with 16; sorting by length alone gives 0.5.
        assert np.std([labels.mean() for _, labels in found]) < 0.08
        shuffled = np.random.default_rng(0).permutation(6400).reshape(-1, batch_size)
        for label in (0, 1):
            ours = [(ids["token_ids"][own == label] != 0).sum(axis=1) for ids, own in found]
            random = [lengths[batch[labels[batch] == label]] for batch in shuffled]
            random, ours = (
                padding_share([max(one) for one in some], some) for some in (random, ours)
            )
            assert ours < 0.5 * random


@pytest.mark.parametrize(
    "shards, batch_size, of, advice",
    [
        (4, 6, 4, "set --batch-size to 8$"),
        (6, 8, 4, "write the data with 'kerasnlp-lab data shard --shards 8'$"),
        (3, 5, 2, "set --batch-size to 6 and write the data with .* --shards 4'$"),
    ],
)
def test_replicas_that_cannot_share(shards, batch_size, of, advice, vectorizer, tmp_path):
    split = sharded(TEXTS[:40], tmp_path / "s", shards).train
    message = f"a batch of {batch_size} rows from {shards} shards cannot be shared equally by {of}"
    with pytest.raises(OptionError, match=f"{message} devices; {advice}"):
        shard_batches(vectorizer, split, batch_size=batch_size, seed=0, share=Share(0, 1, of))


def test_too_few_rows_for_a_batch(vectorizer, tmp_path):
    split = sharded(TEXTS[:40], tmp_path / "s", 4).train
    with pytest.raises(DataError, match="40 rows in 4 shards are too few for a batch of 44 rows"):
        shard_batches(vectorizer, split, batch_size=44, seed=0)
    found, steps = batches_of(vectorizer, split, 3, batch_size=40)
    assert steps == 1
    assert [sorted(labels) for _, labels in found] == [list(range(40))] * 3
    assert len({tuple(labels) for _, labels in found}) == 3


@pytest.mark.slow  # it reads and writes 100 MB
def test_memory_does_not_grow_with_the_rows(tmp_path):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.text.shard_memory", tmp_path, "2000"]
    # Freed memory returns to the system at once, so that it does not count in the peak.
    returned = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}
    returned |= {"MALLOC_TRIM_THRESHOLD_": "131072"}
    result = subprocess.run(
        command, capture_output=True, text=True, cwd=root, env={**os.environ, **returned}
    )
    assert result.returncode == 0, result.stderr
    few, many = map(int, result.stdout.split())  # kB; the texts are 10 MB and 100 MB
    assert many - few < 50_000
