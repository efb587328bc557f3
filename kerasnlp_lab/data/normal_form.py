"""`normalized`: texts that count as the same, and keys that find them fast."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable

import numpy as np

from kerasnlp_lab.data.pairs import PAIR_SEPARATOR

__all__ = ["group_texts", "normalized", "text_key"]


def normalized(text: str) -> str:
    """Returns a text with case, white space and composed characters made uniform.

    A pair of texts stays a pair, so that it equals only pairs of the same two texts.
    """
    uniform = unicodedata.normalize("NFC", text.casefold())
    return PAIR_SEPARATOR.join(" ".join(one.split()) for one in uniform.split(PAIR_SEPARATOR))


def text_key(text: str) -> bytes:
    """Returns a hash of 16 bytes that only texts of the same normal form share."""
    content = normalized(text).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=16).digest()


def group_texts(texts: Iterable[str]) -> np.ndarray:
    """Returns the group of same texts that each text is in, int64 of shape [texts].

    Groups are numbered from 0 in the order of their first texts.
    """
    numbers: dict[bytes, int] = {}
    keys = (text_key(text) for text in texts)
    return np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), np.int64)
