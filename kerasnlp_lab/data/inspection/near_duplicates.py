"""Near duplicates: texts that share most of their runs of characters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from kerasnlp_lab.data.inspection.finding import Finding
from kerasnlp_lab.data.inspection.minhash import candidate_pairs, jaccard, shingles, signatures
from kerasnlp_lab.data.inspection.rows import SPLITS, Rows
from kerasnlp_lab.data.pairs import split_pair

__all__ = ["find_near_duplicates"]

KEPT_SHINGLES = 4096


def find_near_duplicates(rows: Rows, groups: np.ndarray, threshold: float) -> list[Finding]:
    """Returns near duplicates, and rows whose text is nearly in an earlier split.

    Same texts count as one here: of each group, the first row stands for all.

    Args:
        rows: The table.
        groups: The rows' groups of same texts, numbered from 0 as they come, int64 [rows].
        threshold: The Jaccard similarity of two texts' shingles from which they are near.
    """
    firsts = np.unique(groups, return_index=True)[1]  # [texts]
    lowest = np.full(len(firsts), len(SPLITS))  # [texts], the earliest split that a text is in
    np.minimum.at(lowest, groups, rows.splits)
    search = _Search(lowest.tolist())

    @lru_cache(KEPT_SHINGLES)
    def parts(text: int) -> list[frozenset[str]]:
        found = rows.text(int(firsts[text]))
        return [shingles(one) for one in (split_pair(found) if rows.data.pair else (found,))]

    found = signatures(rows.texts_of(firsts))
    for first, second in candidate_pairs(found, threshold).tolist():
        if search.wants(first, second):
            both = zip(parts(first), parts(second), strict=True)
            similarity = min(jaccard(one, other) for one, other in both)  # of a pair, both texts
            if similarity >= threshold:
                search.add(first, second, similarity)
    return [*_repeated(rows, firsts, search), *_across_splits(rows, groups, lowest, search)]


class _Search:
    """The near texts found so far: what groups they make, and one near text of each.

    Args:
        lowest: The earliest split that each text is in, by the places in `SPLITS`.
    """

    def __init__(self, lowest: list[int]):
        self.lowest = lowest
        self.parent = list(range(len(lowest)))
        self.nearest: dict[int, tuple[float, int]] = {}
        self.earlier: dict[int, tuple[float, int]] = {}

    def wants(self, first: int, second: int) -> bool:
        """Whether comparing two texts can tell anything new."""
        later = self._later(first, second)
        news = later is not None and later not in self.earlier
        return news or self.root(first) != self.root(second)

    def add(self, first: int, second: int, similarity: float) -> None:
        """Notes that two texts are near."""
        for text, other in ((first, second), (second, first)):
            if similarity > self.nearest.get(text, (0.0, 0))[0]:
                self.nearest[text] = similarity, other
        later = self._later(first, second)
        if later is not None:
            self.earlier.setdefault(later, (similarity, first + second - later))
        low, high = sorted((self.root(first), self.root(second)))
        self.parent[high] = low

    def root(self, text: int) -> int:
        """Returns the first text of a text's group."""
        while self.parent[text] != text:
            self.parent[text] = self.parent[self.parent[text]]
            text = self.parent[text]
        return text

    def _later(self, first: int, second: int) -> int | None:
        """Returns which of two texts is in later splits only, if one is."""
        if self.lowest[first] == self.lowest[second]:
            return None
        return first if self.lowest[first] > self.lowest[second] else second


def _repeated(rows: Rows, firsts: np.ndarray, search: _Search) -> Iterator[Finding]:
    """Yields each text that is near to another, but for the first of its group."""
    for text in sorted(search.nearest):
        root = search.root(text)
        if root != text:
            similarity, other = search.nearest[text]
            detail = f"{similarity:.2f} like {rows.where(firsts[other])}"
            if root != other:
                detail += f", in the group of {rows.where(firsts[root])}"
            yield rows.finding("near_duplicate", firsts[text], detail)


def _across_splits(
    rows: Rows, groups: np.ndarray, lowest: np.ndarray, search: _Search
) -> Iterator[Finding]:
    """Yields the rows near to one of an earlier split; same texts in two splits are not near."""
    in_lowest = rows.splits == lowest[groups]
    examples = dict(zip(groups[in_lowest][::-1], np.flatnonzero(in_lowest)[::-1], strict=True))
    for row in np.flatnonzero(in_lowest & np.isin(groups, list(search.earlier))).tolist():
        similarity, other = search.earlier[groups[row]]
        split, lower = SPLITS[rows.splits[row]], SPLITS[lowest[other]]
        detail = f"in {split}; {similarity:.2f} like one in {lower} at "
        yield rows.finding("near_in_two_splits", row, detail + rows.where(examples[other]))
