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
        raise NotImplementedError

    def validation(self) -> Iterator[list[str]]:
        """Yields the documents that are held out, as lists of sentences."""
        raise NotImplementedError


def hold_out(corpus: Corpus, share: float, seed: int) -> HeldOut:
    """Holds out a share of the documents, at least one, and leaves at least one.

    Each document has a random number, a pure function of the seed and of its own number; those
    with the least are held out. Raises OptionError for a share that is not between 0 and 1.
    """
    check_option("the share to hold out", share, 0 < share < 1, "between 0 and 1")
    raise NotImplementedError
