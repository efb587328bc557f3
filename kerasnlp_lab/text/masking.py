"""`Masking`: hides some tokens of a sequence, which a model then learns to guess.

Every draw is a pure function of a seed, a step, a row and a position. So training can resume at
any step, and the same row is hidden alike however rows are divided among batches and processes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from kerasnlp_lab.errors import DataError, OptionError

__all__ = ["Hidden", "Masking", "MaskingVocabulary", "row_keys", "uniform"]

NAMED = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")
# Also [UNK] and [unused12]. BERT splits texts at brackets, so these are no words of a text.
SPECIAL = re.compile(r"\[.+\]", re.DOTALL)

MASKED, CHANGED = 0.8, 0.9  # below the first [MASK], below the second a random piece

# Kinds of draws; `pretraining_batches` has more.
COUNT, ORDER, CHANGE, PIECE = range(4)

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio
_STEPS = [
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
    (np.uint64(31), np.uint64(1)),
]


def _absorb(states: np.ndarray, values: np.ndarray | int) -> np.ndarray:
    """Returns new states from old ones and values, uint64, by the steps of SplitMix64.

    Source: Steele, Lea and Flood 2014, https://doi.org/10.1145/2660193.2660195.
    """
    values = np.atleast_1d(np.asarray(values, np.int64)).view(np.uint64)  # of an int, no overflow
    new = states + (values + np.uint64(1)) * _GOLDEN
    for shift, factor in _STEPS:
        new ^= new >> shift
        new *= factor
    return new


def row_keys(seed: int, step: int, rows: np.ndarray) -> np.ndarray:
    """Returns a key for the draws of each row in a step, uint64 [rows], from any integers."""
    return _absorb(_absorb(_absorb(np.zeros(1, np.uint64), seed), step), rows)


class Draws(NamedTuple):
    """Where numbers are drawn: the row of each among the keys, and its position in the row."""

    rows: np.ndarray
    positions: np.ndarray


def draw_bits(keys: np.ndarray, kind: int, draws: Draws | None = None) -> np.ndarray:
    """Draws 64 bits at a time, uint64 [draws].

    Args:
        keys: From `row_keys`, uint64 [rows].
        kind: A number for the purpose. Draws of two kinds are independent.
        draws: Where numbers are drawn; None for one number a row.
    """
    states = _absorb(keys, kind)
    return states if draws is None else _absorb(states[draws.rows], draws.positions)


def uniform(keys: np.ndarray, kind: int, draws: Draws | None = None) -> np.ndarray:
    """Draws numbers from 0 to 1, without 1, float64 [draws], from the same arguments."""
    return (draw_bits(keys, kind, draws) >> np.uint64(11)) * 2.0**-53


@dataclass(frozen=True, eq=False)
class MaskingVocabulary:
    """Facts about the pieces of a vocabulary.

    Special pieces, which stand in square brackets, are never hidden and never replace a hidden
    one. BERT hides [UNK] too, from which a model learns to guess that a word is unknown; Hugging
    Face does not.

    Args:
        padding, start, separator, mask: The ids of [PAD], [CLS], [SEP] and [MASK].
        is_special: Whether a piece is special, bool [pieces].
        continues_word: Whether a piece begins with ##, bool [pieces].
    """

    padding: int
    start: int
    separator: int
    mask: int
    is_special: np.ndarray
    continues_word: np.ndarray

    @cached_property
    def replacements(self) -> np.ndarray:
        """The ids that may replace a hidden token at random, int64."""
        return np.flatnonzero(~self.is_special)

    @classmethod
    def of_pieces(cls, pieces: Sequence[str]) -> MaskingVocabulary:
        """Returns the facts about a vocabulary, whose pieces are in the order of their ids.

        Raises:
            DataError: A special piece is missing, or all pieces are special.
        """
        ids = {piece: number for number, piece in enumerate(pieces)}
        missing = [name for name in NAMED if name not in ids]
        if missing:
            raise DataError(
                f"pre-training needs the pieces {', '.join(NAMED)}, but the vocabulary of "
                f"{len(pieces)} pieces has no {' and no '.join(missing)}: add what is missing, or "
                "learn a vocabulary from your texts"
            )
        special = np.array([SPECIAL.fullmatch(piece) is not None for piece in pieces])
        if special.all():
            raise DataError(
                f"all {len(pieces)} pieces of the vocabulary are special ones such as [MASK], so "
                "there is nothing to learn: use a vocabulary with pieces of words"
            )
        continues = np.array([piece.startswith("##") for piece in pieces])
        padding, start, separator, mask = (ids[name] for name in NAMED)
        return cls(padding, start, separator, mask, special, continues)


class Hidden(NamedTuple):
    """Sequences, end to end, of which some tokens are hidden.

    Args:
        ids: The ids that the model reads, int32 [tokens].
        places: The indexes of the hidden tokens, int64 [hidden], ascending.
        originals: The ids that stood there, int32 [hidden].
    """

    ids: np.ndarray
    places: np.ndarray
    originals: np.ndarray


@dataclass(frozen=True)
class Masking:
    """How tokens are hidden: 80% become [MASK], 10% a random piece, 10% stay as they are.

    A sequence hides `share` of the tokens that may be hidden, rounded up or down at random so that
    the average is exact, but always at least one. So a sequence of fewer than 1 / `share` tokens
    hides more. With `whole_words` the same is true of words. All words have the same chance, so
    `share` of the tokens are hidden too.

    Args:
        share: The share of tokens to hide, above 0 and below 1.
        whole_words: Whether a piece and those after it that begin with ## are hidden together.

    Raises:
        OptionError: The share is out of range.

    Source: Devlin et al. 2019, section 3.1, https://arxiv.org/abs/1810.04805; drawn anew in each
    pass as in Liu et al. 2019, section 4.1, https://arxiv.org/abs/1907.11692; whole words as in
    https://github.com/google-research/bert, which hides long words less often, however.
    """

    share: float = 0.15
    whole_words: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise OptionError(
                f"the share of tokens to hide has to be above 0 and below 1, not {self.share}: "
                "0.15 is usual"
            )

    def hide(
        self, ids: np.ndarray, lengths: np.ndarray, keys: np.ndarray, vocabulary: MaskingVocabulary
    ) -> Hidden:
        """Hides some tokens of sequences.

        Args:
            ids: The token ids of all sequences, end to end, int32 [tokens].
            lengths: The number of tokens in each sequence, integers [sequences].
            keys: The key of each sequence, from `row_keys`, uint64 [sequences].
            vocabulary: The facts about the pieces.
        """
        begins = np.cumsum(lengths) - lengths
        rows = np.repeat(np.arange(len(lengths)), lengths)
        positions = np.arange(len(ids)) - begins[rows]
        may_be_hidden = ~vocabulary.is_special[ids]
        places = np.flatnonzero(may_be_hidden)
        if self.whole_words:
            follows = vocabulary.continues_word[ids[places]] & (positions[places] > 0)
            follows &= may_be_hidden[places - 1]
            words = places[~follows]  # the first piece of each
            chosen = self._choose(keys, Draws(rows[words], positions[words]))
            places = places[chosen[np.cumsum(~follows) - 1]]
        else:
            places = places[self._choose(keys, Draws(rows[places], positions[places]))]
        draws = Draws(rows[places], positions[places])
        pieces = vocabulary.replacements
        random = pieces[(uniform(keys, PIECE, draws) * len(pieces)).astype(np.int64)]
        change = uniform(keys, CHANGE, draws)
        originals = ids[places]
        changed = np.where(change < MASKED, vocabulary.mask, random)
        new_ids = np.array(ids, np.int32)
        new_ids[places] = np.where(change < CHANGED, changed, originals)
        return Hidden(new_ids, places, originals)

    def _choose(self, keys: np.ndarray, words: Draws) -> np.ndarray:
        """Returns whether to hide each word, bool [words]; rows are in ascending order."""
        counts = np.bincount(words.rows, minlength=len(keys))
        wanted = np.floor(self.share * counts + uniform(keys, COUNT)).astype(np.int64)
        wanted = np.maximum(wanted, 1)
        # The words of each row in random order. Positions break ties, alike in all batches.
        drawn = (draw_bits(keys, ORDER, words) >> np.uint64(36)).astype(np.int64)
        order = np.argsort(words.rows << 44 | drawn << 16 | words.positions)
        ranks = np.arange(len(order)) - (np.cumsum(counts) - counts)[words.rows]
        chosen = np.zeros(len(order), bool)
        chosen[order[ranks < wanted[words.rows]]] = True
        return chosen
