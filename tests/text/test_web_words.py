"""Handles, hashtags and addresses, in Python and within a graph."""

import pytest
import tensorflow as tf

from kerasnlp_lab.text.web_words import continue_web_words, web_words_of

WORDS = {
    "@ada_l met @Bob99, #oslo!": ["@ada_l", "@Bob99", "#oslo"],
    "(@ada) \u201c#oslo\u201d RT:@b .@c": ["@ada", "#oslo", "@b", "@c"],
    "\U0001f600@Zo\u00eb #\u6771\u4eac2020 #\u0e01\u0e33": ["@Zo\u00eb", "#\u6771\u4eac2020",
                                                            "#\u0e01\u0e33"],
    "#one#two @a@b": ["#one", "#two", "@a", "@b"],
    "C# 5#a @ada.lovelace a@b @b-c": ["@ada", "@b"],
    "(see https://a.org/b?c=d#e.) www.oslo.no, ftp://x/": ["https://a.org/b?c=d#e", "www.oslo.no",
                                                           "ftp://x/"],
    "\u898bhttps://a.org/\u8def https://\u2026 http:// www. a.b://": ["https://a.org/"],
    "ada.l+x@mail.example.org. <bo@a.de>": ["ada.l+x@mail.example.org", "bo@a.de"],
    "@ ada # oslo @ @@ ##": [],
    "the\x00@ada\x00": ["@ada"],
    "": [],
}  # fmt: skip


@pytest.mark.parametrize("text", WORDS, ids=ascii)
def test_web_words_of_a_text(text):
    assert [text[first:end] for first, end in web_words_of(text)] == WORDS[text]


def test_the_graph_finds_the_same():
    """Each character is a token: those in a web word after its first one continue it."""
    encoded = [[character.encode() for character in text] for text in WORDS]
    starts = [sum(map(len, one[:n])) for one in encoded for n in range(len(one))]
    lengths = tf.constant([len(text) for text in WORDS], tf.int64)
    graph = tf.function(continue_web_words)
    found = graph(tf.constant([*map(str.encode, WORDS)]), lengths, tf.constant(starts, tf.int64))
    spans = {text: [*web_words_of(text)] for text in WORDS}
    assert found.numpy().tolist() == [
        any(first < place < end for first, end in spans[text])
        for text in WORDS
        for place in range(len(text))
    ]


def test_no_text_at_all():
    none = tf.zeros([0], tf.int64)
    assert continue_web_words(tf.zeros([0], tf.string), none, none).shape == [0]
