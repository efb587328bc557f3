"""MinHash and locality-sensitive hashing: finds pairs of similar texts.

Broder 1997, "On the resemblance and containment of documents". Texts are similar if they share
most of their runs of five characters, or of two Chinese or Japanese ones, which say as much.
Only pairs that may be similar are compared.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from datasketch import MinHash

from kerasnlp_lab.data.normal_form import normalized

__all__ = ["candidate_pairs", "jaccard", "shingles", "signatures"]

SHINGLE = 5
IDEOGRAPHS = 2  # in a run that starts with one
IDEOGRAPH_BLOCKS = (
    (0x2E80, 0x312F),
    (0x3190, 0x4DBF),
    (0x4E00, 0xA4CF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFF),
)
PERMUTATIONS = 128
RECALL = 0.999  # of pairs just at the threshold
NEIGHBOURS = 4  # texts of a bucket that each is compared with: the first, and those before it
MARGIN = 0.15  # four standard deviations of the similarity that two signatures show
UPDATE_HASHES = 8192
PAIRS_AT_ONCE = 1 << 16


def shingles(text: str) -> frozenset[str]:
    """Returns a normalized text's runs of characters; a shorter text is one run.

    A run has two characters if the first is an ideograph or a kana, and otherwise five.
    """
    text = normalized(text)
    short = _are_ideographs(_codes(text)).tolist() or [False]
    widths = [min(IDEOGRAPHS if one else SHINGLE, len(text)) for one in short]
    runs = ((start, start + width) for start, width in enumerate(widths))
    return frozenset(text[start:end] for start, end in runs if end <= len(text))


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """Returns the share of two sets' members that are in both."""
    common = len(first & second)
    return common / (len(first) + len(second) - common)


def signatures(texts: Iterable[str]) -> np.ndarray:
    """Returns a MinHash of each text's shingles, uint32 of shape [texts, 128]."""
    empty = MinHash(PERMUTATIONS, hashfunc=int)
    rows = []
    for text in texts:
        minhash = empty.copy()
        hashes = _shingle_hashes(normalized(text))
        for start in range(0, len(hashes), UPDATE_HASHES):
            minhash.update_batch(hashes[start : start + UPDATE_HASHES].tolist())
        rows.append(minhash.hashvalues.astype(np.uint32))
    return np.array(rows, np.uint32).reshape(-1, PERMUTATIONS)


def _shingle_hashes(text: str) -> np.ndarray:
    """Returns a hash of each shingle, uint32 of shape [shingles]."""
    codes = _codes(text)
    hashes, short = _run_hashes(codes, SHINGLE), _are_ideographs(codes)
    if short.any():
        hashes, others = hashes[~short[: len(hashes)]], _run_hashes(codes, IDEOGRAPHS)
        hashes = np.concatenate([hashes, others[short[: len(others)]]])
    return np.unique(hashes)


def _codes(text: str) -> np.ndarray:
    """Returns the code points of a text, uint64 of shape [characters]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)


def _are_ideographs(codes: np.ndarray) -> np.ndarray:
    """Returns which characters are of a Chinese, Japanese or Yi block, bool of shape [characters].

    Their punctuation is in the same blocks.
    """
    found = np.zeros(codes.shape, bool)
    for first, last in IDEOGRAPH_BLOCKS:
        found |= (codes >= first) & (codes <= last)
    return found


def _run_hashes(codes: np.ndarray, width: int) -> np.ndarray:
    """Returns a hash of each run of so many characters, or of all, uint32 of shape [runs]."""
    width = min(width, len(codes))
    places = len(codes) - width + 1
    hashes = np.full(places, 0xCBF29CE484222325, np.uint64)
    for offset in range(width):
        hashes = (hashes ^ codes[offset : offset + places]) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(32)
    return hashes.astype(np.uint32)


def candidate_pairs(found: np.ndarray, threshold: float) -> np.ndarray:
    """Returns the pairs of texts to compare, int64 of shape [pairs, 2], the first below the second.

    Two texts are compared if a band of their signatures agrees. In a bucket of many texts,
    each is compared with the first few and with the few before it, so that the work is
    proportional to the rows.

    Args:
        found: The result of `signatures`.
        threshold: The Jaccard similarity of the pairs to find.
    """
    size = _band_size(threshold)
    count = len(found)
    codes = [
        _bucket_pairs(np.ascontiguousarray(found[:, start : start + size]), count)
        for start in range(0, PERMUTATIONS - size + 1, size)
    ]
    pairs = np.unique(np.concatenate(codes))
    first, second = pairs // max(count, 1), pairs % max(count, 1)
    near = [np.zeros(0, bool)]
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        agree = (found[first[part]] == found[second[part]]).mean(axis=1)
        near.append(agree >= threshold - MARGIN)
    kept = np.concatenate(near)
    return np.stack([first[kept], second[kept]], axis=1)


def _band_size(threshold: float) -> int:
    """Returns the number of values in a band: the most that still misses few pairs."""
    sizes = range(1, PERMUTATIONS + 1)
    reach = [s for s in sizes if 1 - (1 - threshold**s) ** (PERMUTATIONS // s) >= RECALL]
    return max(reach, default=1)


def _bucket_pairs(band: np.ndarray, count: int) -> np.ndarray:
    """Returns pairs of texts with one band of the same values, each as first * count + second."""
    keys = band.view(np.dtype((np.void, band.shape[1] * band.itemsize))).ravel()
    buckets = np.unique(keys, return_inverse=True)[1].ravel()
    order = np.argsort(buckets, kind="stable")  # [texts], ascending within a bucket
    buckets = buckets[order]
    positions = np.arange(count)
    begins = np.searchsorted(buckets, buckets)
    codes = []
    for step in range(NEIGHBOURS):
        for others in (positions - step - 1, begins + step):
            pair = (others >= begins) & (others < positions)
            codes.append(order[others[pair]] * count + order[positions[pair]])
    return np.unique(np.concatenate(codes))
