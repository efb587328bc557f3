"""`Masking`: hides some tokens of a sequence, which a model then learns to guess.

Every draw is a pure function of a seed, a step, a row and a position. So training can resume at
any step, and the same row is hidden alike however rows are divided among batches and processes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kerasnlp_lab.errors import DataError, OptionError

__all__ = ["Hidden", "Masking", "MaskingVocabulary", "row_keys", "uniform"]


def row_keys(seed: int, step: int, rows: np.ndarray) -> np.ndarray:
    """Returns a key for the draws of each row, uint64 [rows], from any integers."""
    raise NotImplementedError


def uniform(keys: np.ndarray, kind: int, positions: np.ndarray | int = 0) -> np.ndarray:
    """Returns numbers from 0 to 1, without 1, float64."""
    raise NotImplementedError


@dataclass(frozen=True, eq=False)
class MaskingVocabulary:
    """Facts about the pieces of a vocabulary.

    Args:
        padding: The id of [PAD].
        start: The id of [CLS].
        separator: The id of [SEP].
        mask: The id of [MASK].
        may_be_hidden: Whether a piece may be hidden, bool [pieces].
        replacements: The ids that replace hidden tokens at random, int32.
        continues_word: Whether a piece begins with ##, bool [pieces].
    """

    padding: int
    start: int
    separator: int
    mask: int
    may_be_hidden: np.ndarray
    replacements: np.ndarray
    continues_word: np.ndarray

    @classmethod
    def of_pieces(cls, pieces: Sequence[str]) -> MaskingVocabulary:
        """Returns the facts about a vocabulary in the order of its ids."""
        raise NotImplementedError


class Hidden(NamedTuple):
    """Sequences of which some tokens are hidden.

    Args:
        ids: The ids that the model reads, int32 [tokens].
        places: The indexes of the hidden tokens, int64 [hidden], in ascending order.
        originals: The ids that stood there, int32 [hidden].
    """

    ids: np.ndarray
    places: np.ndarray
    originals: np.ndarray


@dataclass(frozen=True)
class Masking:
    """How tokens are hidden.

    Args:
        share: The share of tokens that are hidden.
        whole_words: Whether all pieces of a word are hidden together.
    """

    share: float = 0.15
    whole_words: bool = False

    def hide(
        self, ids: np.ndarray, lengths: np.ndarray, keys: np.ndarray, vocabulary: MaskingVocabulary
    ) -> Hidden:
        """Hides tokens of sequences, which stand end to end."""
        raise NotImplementedError
