"""`hold_out`: the documents of a corpus that a pre-training is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kerasnlp_lab.data.corpus.corpus import Corpus
from kerasnlp_lab.errors import check_option

__all__ = ["HeldOut", "hold_out"]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A corpus in two parts. Each iteration reads the files again.

    Args:
        corpus: The corpus.
        held: Which documents are held out, bool of shape [documents]. If the corpus is one
            document, it is none: its last sentences are held out.
        share: The share of documents, or of the only document's sentences, to hold out.
    """

    corpus: Corpus
    held: np.ndarray
    share: float

    def training(self) -> Iterator[list[str]]:
        """Yields the documents to train on, as lists of sentences."""
        return self._part(held=False)

    def validation(self) -> Iterator[list[str]]:
        """Yields the documents that are held out, as lists of sentences."""
        return self._part(held=True)

    def _part(self, held: bool) -> Iterator[list[str]]:
        if self.corpus.size > 1:
            yield from self.corpus.documents(lambda number: self.held[number] == held)
            return
        (document,) = self.corpus.documents()
        sentences = document if len(document) > 1 else self.corpus.sentences(document[0])
        kept = len(sentences) - _count(self.share, len(sentences))
        yield sentences[kept:] if held else sentences[:kept]


def hold_out(corpus: Corpus, share: float, seed: int, *, least: int = 1) -> HeldOut:
    """Holds out a share of the documents, at least one, and leaves at least one.

    Each document has a random number, a pure function of the seed and of the document's number;
    those with the lowest are held out.

    Args:
        corpus: The corpus.
        share: The share, between 0 and 1.
        seed: Which documents those are, from 0 to 2**32 - 1.
        least: How many are held out at least, unless they are more than half of all.

    Raises:
        OptionError: The share or the seed is out of range.
    """
    check_option("the share to hold out", share, 0 < share < 1, "between 0 and 1")
    check_option("seed", seed, 0 <= seed < 2**32, "from 0 to 2**32 - 1")
    held = np.zeros(corpus.size, bool)
    if corpus.size > 1:
        count = max(_count(share, corpus.size), min(least, corpus.size // 2))
        drawn = np.random.PCG64(seed).random_raw(corpus.size)
        held[np.argpartition(drawn, count - 1)[:count]] = True
    return HeldOut(corpus, held, share)


def _count(share: float, size: int) -> int:
    """Returns how many of `size` are held out: from 1 to all but one."""
    return min(max(round(share * size), 1), size - 1)
