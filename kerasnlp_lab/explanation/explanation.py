"""`Explanation`: an explained answer, with attention and the words' contributions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from kerasnlp_lab.text.offsets import Token, Word

__all__ = ["Completeness", "Explanation", "Part"]


@dataclass(frozen=True)
class Completeness:
    """How well the contributions add up to the rise of the output that they explain.

    Args:
        total: The sum of all contributions.
        expected: The output for the text minus the output for a text of neutral tokens.
        steps: The number of points on the path between the two that were computed.
    """

    total: float
    expected: float
    steps: int

    @property
    def error(self) -> float:
        """The difference of the two, as a share of the expected rise."""
        return abs(self.total - self.expected) / max(abs(self.expected), 1e-9)

    def __str__(self) -> str:
        return (
            f"contributions add up to {self.total:+.4f}, the output rises by {self.expected:+.4f}: "
            f"{self.error:.2%} apart, with {self.steps} steps"
        )


class Part(NamedTuple):
    """One of the texts of an `Explanation`.

    Args:
        name: The name of this text of a pair; "" for a single text.
        text: The text.
        start: The offset at which it begins in the explanation's ``text``.
        words: The indices of its words in the explanation's ``words``.
    """

    name: str
    text: str
    start: int
    words: range


@dataclass(frozen=True, eq=False)
class Explanation:
    """A classifier's answer to a text, explained.

    Args:
        text: The text; of a pair both texts, with a line end between them.
        label: The class that is explained.
        probabilities: The probability of every class, by name.
        words: The words of the text.
        tokens: The tokens that the model read.
        attention: The attention in every layer and head, float32
            [layers, heads, tokens (from), tokens (to)]. That of a pool is [1, 1, 1, tokens], and
            a model without attention has no layers.
        rollout: How much of each token reaches each position of the last layer through all
            layers, float32 [tokens (at), tokens (of)]; of a pool [1, tokens], and without
            attention [0, tokens].
        contributions: The contribution of each token to the class, float32 [tokens].
        completeness: How well the contributions add up.
        pair: The names of the two texts of a pair; None for a single text.
        second_start: The offset in ``text`` at which the second text begins; None if there is none.
        window: For a model that reads long texts in windows, the one that decided: its number,
            from 1, and how many there are. Words, tokens, attention and contributions are then
            those of this window, and the probabilities those of the whole text.
        pools: Whether the attention is that of one pool over the text, and not of each token.

    Source: attention rollout, Abnar and Zuidema 2020, https://arxiv.org/abs/2005.00928;
    integrated gradients, Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365.
    """

    text: str
    label: str
    probabilities: dict[str, float]
    words: tuple[Word, ...]
    tokens: tuple[Token, ...]
    attention: np.ndarray
    rollout: np.ndarray
    contributions: np.ndarray
    completeness: Completeness
    pair: tuple[str, str] | None = None
    second_start: int | None = None
    window: tuple[int, int] | None = None
    pools: bool = False

    @property
    def parts(self) -> list[Part]:
        """The two texts of a pair, or the one text."""
        if self.pair is None or self.second_start is None:
            return [Part("", self.text, 0, range(len(self.words)))]
        start = self.second_start
        border = sum(word.start < start for word in self.words)
        words = range(border), range(border, len(self.words))
        return [
            Part(self.pair[0], self.text[: start - 1], 0, words[0]),
            Part(self.pair[1], self.text[start:], start, words[1]),
        ]

    @cached_property
    def units(self) -> tuple[str, ...]:
        """The rows and columns of `over_words`: the words that the model read, [CLS] and [SEP]."""
        return tuple(
            self.tokens[first].text if word is None else self.words[word].text
            for word, first in zip(self._unit_words, self._unit_starts, strict=True)
        )

    @property
    def attention_to_padding(self) -> float:
        """The mean share of a token's attention that goes to padding; 0 in a model with masks."""
        if not self.attention.size:
            return 0.0
        return float(max(0.0, 1.0 - self.attention.sum(axis=-1).mean()))

    @property
    def pool_shares(self) -> np.ndarray | None:
        """The share of the pool that each word has, float32 [words]; None without a pool."""
        return self._of_words(self.rollout[0]) if self.pools else None

    @property
    def word_contributions(self) -> np.ndarray:
        """The contribution of each word, float32 [words]; 0 for words that the model skips."""
        return self._of_words(self.contributions)

    def _of_words(self, of_tokens: np.ndarray) -> np.ndarray:
        """Returns the sum of each word's tokens, float32 [words]."""
        totals = np.zeros(len(self.words), np.float32)
        for token, value in zip(self.tokens, of_tokens, strict=True):
            if token.word is not None:
                totals[token.word] += value
        return totals

    def over_words(self, matrix: np.ndarray) -> np.ndarray:
        """Joins word pieces: sums the shares that go to them, averages those that come from them.

        Args:
            matrix: Shares between tokens, [..., tokens (from), tokens (to)], or those of a pool,
                [..., 1, tokens (to)].

        Returns:
            Shares between `units`, [..., units (from), units (to)]. The sum of a row stays.
        """
        starts = self._unit_starts
        sums = np.add.reduceat(matrix, starts, axis=-1)
        if self.pools:
            return sums
        sums = np.add.reduceat(sums, starts, axis=-2)
        counts = np.diff([*starts, len(self.tokens)])
        return sums / counts[:, np.newaxis]

    @cached_property
    def _unit_starts(self) -> list[int]:
        """The index of each unit's first token."""
        words = [token.word for token in self.tokens]
        return [
            index
            for index, word in enumerate(words)
            if index == 0 or word is None or word != words[index - 1]
        ]

    @property
    def _unit_words(self) -> list[int | None]:
        return [self.tokens[start].word for start in self._unit_starts]
