"""Which tokens of a long text a model reads: the head, the tail, both, or all in windows."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.text import PieceVectorizer, WordVectorizer
from kerasnlp_lab.text.features import WINDOW_OF
from kerasnlp_lab.text.rows import Rows
from kerasnlp_lab.text.vectorizer import LONG_TEXTS
from kerasnlp_lab.text.windows import some_windows

TEXTS = ["", "a b c", " ".join("abcdefgh"), " ".join("abcdefghijklmnopqrstuvwxyz"), "b a"]
ROOM = 8


def read(ids, long_texts):
    """Returns the ids that are read of a text, in plain Python."""
    if len(ids) <= ROOM or long_texts == "windows":
        return ids
    head = {"head": ROOM, "tail": 0, "head_tail": ROOM // 4}[long_texts]
    return ids[:head] + ids[len(ids) - (ROOM - head) :]


def words(long_texts="head", most=4):
    vectorizer = WordVectorizer(ROOM, 50, long_texts=long_texts, windows_in_training=most)
    vectorizer.adapt(TEXTS)
    return vectorizer


@pytest.fixture(scope="module")
def whole():
    vectorizer = WordVectorizer(1000, 50)
    vectorizer.adapt(TEXTS)
    return vectorizer.tokenize(tf.constant(TEXTS)).to_list()


@pytest.mark.parametrize("long_texts", LONG_TEXTS)
def test_the_ids_that_are_read(long_texts, whole):
    found = words(long_texts).tokenize(tf.constant(TEXTS)).to_list()
    assert found == [read(ids, long_texts) for ids in whole]


@pytest.mark.parametrize("long_texts", LONG_TEXTS)
def test_the_choice_is_kept_in_a_configuration(long_texts, whole):
    again = WordVectorizer.from_config(words(long_texts).get_config())
    assert again.tokenize(tf.constant(TEXTS)).to_list() == [read(one, long_texts) for one in whole]


def test_a_text_that_fits_is_one_window_and_a_longer_one_overlaps_itself(whole):
    vectorizer = WordVectorizer(32, 200, long_texts="windows")
    texts = [*TEXTS, " ".join(f"word{number}" for number in range(104))]
    vectorizer.adapt(texts)
    features = vectorizer(tf.constant(texts))
    window_of = features[WINDOW_OF].numpy().tolist()
    assert window_of[:5] == [0, 1, 2, 3, 4]
    assert set(window_of[5:]) == {5} and len(window_of) == 9  # 4 windows of 32 for 104 words
    rows = [[one for one in row if one] for row in features["token_ids"].numpy().tolist()]
    text = vectorizer.tokenize(tf.constant(texts)).to_list()[5]
    end = 0
    for row in rows[5:]:
        start = next(at for at in range(end + 1) if text[at : at + len(row)] == row)
        assert start == 0 or end - start >= 2  # 2 / 16 of a window of 32
        end = start + len(row)
    assert end == len(text)


def test_a_window_begins_with_a_word():
    vectorizer = PieceVectorizer(32, 40, long_texts="windows")
    text = " ".join(f"{a}{b}" for a in "abcdef" for b in "uvwxyz")
    vectorizer.adapt([text])
    names = vectorizer.vocabulary()
    ids = vectorizer(tf.constant([text]))["token_ids"].numpy()
    assert len(ids) > 1
    assert not any(names[row[0]].startswith("##") for row in ids)
    assert any(names[one].startswith("##") for one in ids.flat)


def test_no_text():
    features = words("windows")(tf.constant([], tf.string))
    assert features["token_ids"].shape == (0, 8) and features[WINDOW_OF].shape == (0,)


# Training


def rows_of(texts, index, vectorizer):
    ids, lengths = vectorizer.ids_and_lengths(tf.constant(texts))
    return Rows(tf.constant(index, tf.int64), ids, lengths, None)


def test_a_step_reads_some_windows_of_a_text_drawn_by_seed_step_and_row():
    vectorizer, text = words("windows", most=3), " ".join(TEXTS[3] for _ in range(9))

    def drawn(texts, index, seed=0, step=0):
        rows = rows_of(texts, index, vectorizer)
        return vectorizer.pack_rows(rows, seed, tf.constant(step, tf.int64))

    both = drawn([text, "a b", text], [5, 6, 7])
    assert both[WINDOW_OF].numpy().tolist() == [0, 0, 0, 1, 2, 2, 2]
    alone = drawn([text], [7])["token_ids"].numpy()
    np.testing.assert_array_equal(alone, both["token_ids"].numpy()[4:])
    for name in ("seed", "step"):
        others = [drawn([text], [7], **{name: value})["token_ids"] for value in range(1, 9)]
        assert any(not np.array_equal(alone, one) for one in others)
    every = drawn([text], [7], step=-1)  # validation rows
    assert len(every[WINDOW_OF]) == -(-9 * 26 // 8)


def test_each_window_is_drawn_equally_often():
    counts = tf.constant([10, 2, 4], tf.int64)
    times = np.zeros(16)
    last = some_windows(counts, 4, tf.constant([np.nextafter(1, 0)] * 3, tf.float64)).numpy()
    assert last[3:].tolist() == [9, 10, 11, 12, 13, 14, 15]  # a sum that is rounded up to 4
    starts = (np.arange(200) + 0.5) / 200
    for start in starts:
        chosen = some_windows(counts, 4, tf.constant([start] * 3, tf.float64)).numpy()
        assert chosen.tolist() == sorted(set(chosen))
        assert chosen[4:].tolist() == [10, 11, 12, 13, 14, 15]  # all of the texts with few
        times[chosen] += 1
    np.testing.assert_allclose(times[:10], 0.4 * len(starts))


def test_without_windows_a_batch_is_as_ever():
    vectorizer = words()
    rows = rows_of(TEXTS, [0, 1, 2, 3, 4], vectorizer)
    found = vectorizer.pack_rows(rows, 0, tf.constant(0, tf.int64))
    assert set(found) == {"token_ids"}
    np.testing.assert_array_equal(found["token_ids"], vectorizer(tf.constant(TEXTS))["token_ids"])
