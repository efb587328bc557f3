"""When two texts count as the same: `normalized`, and keys that find such texts fast."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable

import numpy as np

__all__ = ["group_texts", "normalized", "text_key"]


def normalized(text: str) -> str:
    """Returns a text without differences of case, white space and composed characters."""
    return " ".join(unicodedata.normalize("NFC", text.casefold()).split())


def text_key(text: str) -> bytes:
    """Returns 16 bytes that two texts share if, and only if, they are the same."""
    content = normalized(text).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=16).digest()


def group_texts(texts: Iterable[str]) -> np.ndarray:
    """Returns for each text the number of its group of same texts, int64 of shape [texts].

    Groups are numbered from 0 as they come.
    """
    numbers: dict[bytes, int] = {}
    keys = (text_key(text) for text in texts)
    return np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), np.int64)
