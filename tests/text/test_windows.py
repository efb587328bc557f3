"""Windows of long texts: they cover all tokens, begin with words, and overlap."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.text.windows import cut_into_windows


def windows_of(lengths, continues, room):
    found = cut_into_windows(tf.constant(lengths, tf.int64), tf.constant(continues, tf.bool), room)
    return [one.numpy() for one in found]


@pytest.mark.parametrize("room", [1, 5, 8, 14, 32, 126])
def test_every_token_is_read_once_from_the_middle_of_a_window(room):
    rng = np.random.default_rng(room)
    lengths = np.array([0, room, room + 1, 0, 3 * room, 1, 17 * room + 3, *rng.integers(0, 99, 9)])
    first = np.cumsum(lengths) - lengths
    continues = rng.random(lengths.sum()) < 0.5
    continues[first[lengths > 0]] = False
    tokens, sizes, places = windows_of(lengths, continues, room)
    assert sizes.max() <= room
    assert tokens[places].tolist() == list(range(lengths.sum()))
    ends = np.cumsum(sizes)
    text_of = np.repeat(np.arange(len(lengths)), lengths)
    window = np.searchsorted(ends, places, side="right")  # from which each token is read
    for number, (begin, end) in enumerate(zip(ends - sizes, ends, strict=True)):
        own = tokens[begin:end]
        assert own.tolist() == list(range(own[0], own[0] + len(own))) if len(own) else True
        assert len(set(text_of[own])) <= 1
        read = np.flatnonzero(window == number)
        if room < 8 or not len(read):
            continue
        # There is text around what is read, unless the text begins or ends there.
        around = room // 8 - 1
        assert read[0] - own[0] >= around or own[0] in first
        assert own[-1] - read[-1] >= around or own[-1] + 1 in [*first, lengths.sum()]


def test_a_window_begins_with_a_word_and_ends_between_words():
    continues = np.arange(400) % 4 > 0
    tokens, sizes, places = windows_of([400], continues, 64)
    begins = np.cumsum(sizes) - sizes
    assert not continues[tokens[begins]].any()
    window = np.searchsorted(np.cumsum(sizes), places, side="right")
    changes = np.flatnonzero(np.diff(window)) + 1
    assert len(changes) == len(sizes) - 1
    assert not continues[changes].any()


def test_no_text():
    assert [len(one) for one in windows_of([], [], 8)] == [0, 0, 0]
