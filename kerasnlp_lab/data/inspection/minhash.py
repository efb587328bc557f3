"""MinHash and locality-sensitive hashing: finds pairs of similar texts.

Broder 1997, "On the resemblance and containment of documents". Texts are similar if they share
most of their runs of five characters. Only pairs that may be similar are compared.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from datasketch import MinHash

from kerasnlp_lab.data.normal_form import normalized

__all__ = ["candidate_pairs", "jaccard", "shingles", "signatures"]

SHINGLE = 5
PERMUTATIONS = 128
RECALL = 0.999  # of pairs just at the threshold
NEIGHBOURS = 4  # texts of a bucket that each is compared with: the first, and those before it
MARGIN = 0.15  # four standard deviations of the similarity that two signatures show
UPDATE_HASHES = 8192
PAIRS_AT_ONCE = 1 << 16


def shingles(text: str) -> frozenset[str]:
    """Returns a normalized text's runs of five characters; a shorter text is one run."""
    text = normalized(text)
    if len(text) <= SHINGLE:
        return frozenset((text,))
    return frozenset(text[start : start + SHINGLE] for start in range(len(text) - SHINGLE + 1))


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
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    width = min(SHINGLE, len(codes))
    places = len(codes) - width + 1
    hashes = np.full(places, 0xCBF29CE484222325, np.uint64)
    for offset in range(width):
        hashes = (hashes ^ codes[offset : offset + places]) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(32)
    return np.unique(hashes.astype(np.uint32))


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
