"""All vectorizers turn any bytes into valid UTF-8, exactly as TensorFlow transcodes them."""

import random

import tensorflow as tf

from kerasnlp_lab.text.raw_texts import replace_invalid_utf8

SPECIAL = [b"\n", b"\0a", b"", b"\xef\xbf\xbd", b"\xed\xa0\x80", b"\xef\xbb\xbfx", b"\x7f", b"\r\n"]


def any_bytes(rng):
    """Returns random bytes, ASCII, encoded characters of any plane, or special cases."""
    size = rng.randrange(12)
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(size)
    if kind == 1:
        return bytes(rng.randrange(128) for _ in range(size))
    if kind == 2:
        ranges = (0x80, 0x3000, 0x110000)
        text = "".join(chr(rng.randrange(rng.choice(ranges))) for _ in range(size))
        return text.encode("utf-8", "surrogatepass")
    return rng.choice(SPECIAL) * rng.randrange(1, 3)


def test_replacing_invalid_utf8_equals_transcoding_all_texts():
    rng = random.Random(0)
    texts = tf.constant([any_bytes(rng) for _ in range(20_000)])
    expected = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    signature = [tf.TensorSpec([None], tf.string)]
    found = tf.function(replace_invalid_utf8, input_signature=signature)(texts)
    assert (expected != texts).numpy().sum() > 4_000
    assert (found == expected).numpy().all()


def test_replacing_invalid_utf8_in_no_texts():
    assert replace_invalid_utf8(tf.constant([], tf.string)).shape == (0,)
