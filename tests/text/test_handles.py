"""Handles and hashtags, in Python and within a graph."""

import pytest
import tensorflow as tf

from kerasnlp_lab.text.handles import continue_handles, handles_of

HANDLES = {
    "@ada_l met @Bob99, #oslo!": ["@ada_l", "@Bob99", "#oslo"],
    "(@ada) \u201c#oslo\u201d RT:@b .@c": ["@ada", "#oslo", "@b", "@c"],
    "\U0001f600@Zo\u00eb #\u6771\u4eac2020 #\u0e01\u0e33": ["@Zo\u00eb", "#\u6771\u4eac2020",
                                                            "#\u0e01\u0e33"],
    "#one#two @a@b": ["#one", "#two", "@a", "@b"],
    "ada@example.org C# 5#a @ada.lovelace": ["@ada"],
    "@ ada # oslo @ @@ ##": [],
    "the\x00@ada\x00": ["@ada"],
    "": [],
}  # fmt: skip


@pytest.mark.parametrize("text", HANDLES, ids=ascii)
def test_handles_of_a_text(text):
    assert [text[first:end] for first, end in handles_of(text)] == HANDLES[text]


def test_the_graph_finds_the_same():
    """Each character is a token: those in a handle after its first one continue it."""
    encoded = [[character.encode() for character in text] for text in HANDLES]
    starts = [sum(map(len, one[:n])) for one in encoded for n in range(len(one))]
    lengths = tf.constant([len(text) for text in HANDLES], tf.int64)
    graph = tf.function(continue_handles)
    found = graph(tf.constant([*map(str.encode, HANDLES)]), lengths, tf.constant(starts, tf.int64))
    spans = {text: [*handles_of(text)] for text in HANDLES}
    assert found.numpy().tolist() == [
        any(first < place < end for first, end in spans[text])
        for text in HANDLES
        for place in range(len(text))
    ]


def test_no_text_at_all():
    none = tf.zeros([0], tf.int64)
    assert continue_handles(tf.zeros([0], tf.string), none, none).shape == [0]
