"""`PretrainingBatches`: batches of sequences with hidden tokens, and of pairs of sentences."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text.masking import Masking, MaskingVocabulary, row_keys, uniform
from kerasnlp_lab.text.sequences import SENTENCE_START, TokenSequences

__all__ = ["FOLLOWS", "NO_PAIR", "RANDOM", "PretrainingBatches"]

FOLLOWS, RANDOM, NO_PAIR = 0, 1, -1
"""The classes of next-sentence prediction: B follows A, B is random, there is no B."""

Arrays = dict[str, np.ndarray]


class PretrainingBatches:
    """Makes batches for masked language modelling and next-sentence prediction.

    Args:
        sequences: The tokenized corpus; `sequences.pairs` says whether there are pairs.
        vocabulary: The special ids, and which pieces may be hidden.
        masking: How tokens are hidden.
        seed: Determines, with the step, what is hidden and which pairs are drawn.

    Raises:
        DataError: There are pairs to draw, but one document, or no document of two sentences.
    """

    def __init__(
        self,
        sequences: TokenSequences,
        vocabulary: MaskingVocabulary,
        masking: Masking = Masking(),
        *,
        seed: int,
    ):
        self.sequences = sequences
        self._vocabulary = vocabulary
        self._masking = masking
        self._seed = seed

    def make(self, step: int, rows: np.ndarray) -> tuple[Arrays, Arrays]:
        """Returns the features and targets of some rows, as `load` does, in NumPy."""
        raise NotImplementedError

    def load(
        self, step: tf.Tensor, rows: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """Returns the features and targets of some rows, within a graph.

        Args:
            step: The step, int64 []; `NO_STEP` for rows outside training.
            rows: The numbers of the rows, integers [batch].

        Returns:
            Features: input_word_ids, input_mask and input_type_ids, int32 [batch, seq], where seq
            is the longest sequence of the batch; masked_positions, int32 [hidden], the places of
            the hidden tokens in [batch * seq], ascending. Targets: masked_ids, int32 [hidden], the
            ids that stood there; next_sentence, int32 [batch]: `FOLLOWS`, `RANDOM` or `NO_PAIR`.
        """
        raise NotImplementedError
