"""Texts before they are tokenized: batches of them, and characters that UTF-8 cannot hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import tensorflow as tf

__all__ = ["in_batches", "replace_invalid_utf8", "replace_surrogates"]

Item = TypeVar("Item")


def in_batches(texts: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yields lists of `size` texts; the last list may be shorter."""
    rest = iter(texts)
    while batch := list(islice(rest, size)):
        yield batch


def replace_surrogates(text: str) -> str:
    """Replaces each half of a surrogate pair, which UTF-8 cannot encode, with U+FFFD.

    Such strings come from json.loads, and from command-line arguments that are not UTF-8.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def replace_invalid_utf8(texts: tf.Tensor) -> tf.Tensor:
    """Replaces bytes that are not valid UTF-8 with U+FFFD in strings, [batch]."""
    # Most texts are ASCII. Finding the others takes a tenth of the time of transcoding all.
    others = tf.where(~tf.strings.regex_full_match(texts, r"[\x00-\x7f]*"))
    found = tf.gather_nd(texts, others)
    valid = tf.strings.unicode_transcode(found, "UTF-8", "UTF-8", errors="replace")
    return tf.tensor_scatter_nd_update(texts, others, valid)
