"""`PretrainingBatches`: batches of sequences with hidden tokens, and of pairs of texts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text.masking import Masking, MaskingVocabulary, row_keys, uniform
from kerasnlp_lab.text.sequences import SENTENCE_START, TokenSequences

__all__ = ["FOLLOWS", "NO_PAIR", "RANDOM", "PretrainingBatches"]

FOLLOWS, RANDOM, NO_PAIR = 0, 1, -1
"""The classes of next-sentence prediction: B follows A, B is random, there is no B."""

SPLIT, CLASS, OTHER = range(4, 7)  # kinds of draws, beside those of `masking`
CANDIDATES = 8  # rows, among which a random B is found

Arrays = dict[str, np.ndarray]
Tensors = dict[str, tf.Tensor]


class _Text(NamedTuple):
    """Sentences of one row for each of some sequences: where they begin in some ids, and end."""

    begins: np.ndarray
    ends: np.ndarray


class PretrainingBatches:
    """Makes batches for masked language modelling and next-sentence prediction.

    Without pairs, a sequence is [CLS], a row and [SEP]. With pairs it is [CLS] A [SEP] B [SEP]. A
    is the beginning of a row, up to a random sentence. B is the rest of the row, or in half of the
    sequences the end of a row in another document; then the model does not see the rest in this
    pass. A row of one sentence is [CLS] A [SEP]. Everything is drawn anew in each pass.

    Unlike BERT's, a random B looks like the rest of a row: it starts after a row's first sentence,
    ends with the row, and is about as long as the rest that it replaces (the best of some adjacent
    rows). So lengths hardly tell which B is random. It is cut only where no candidate fits.

    Args:
        sequences: The tokenized corpus; `sequences.pairs` says whether there are pairs.
        vocabulary: The special ids, and which pieces may be hidden.
        masking: How tokens are hidden.
        seed: Determines, with the step and the row, which tokens are hidden and what B is.

    Raises:
        DataError: There are pairs to draw, but all rows are of one document, or no row has two
            sentences.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805, and `create_pretraining_data.py`
    in https://github.com/google-research/bert.
    """

    def __init__(
        self,
        sequences: TokenSequences,
        vocabulary: MaskingVocabulary,
        masking: Masking,
        *,
        seed: int,
    ):
        if sequences.pairs:
            _check_pairs(sequences)
        self.sequences = sequences
        self._vocabulary = vocabulary
        self._masking = masking
        self._seed = seed

    def load(self, step: tf.Tensor, rows: tf.Tensor) -> tuple[Tensors, Tensors]:
        """Returns the features and targets of some rows, within a graph.

        Args:
            step: The number of the step, int64 []; `NO_STEP` for rows outside training.
            rows: The numbers of the rows, int32 [batch].

        Returns:
            Features: input_word_ids, input_mask and input_type_ids, int32 [batch, seq], where seq
            is the length of the longest sequence in the batch; masked_positions, int32 [hidden],
            the places of the hidden tokens among [batch * seq], ascending. Targets: masked_ids,
            int32 [hidden], the ids that stood there; next_sentence, int32 [batch], `FOLLOWS`,
            `RANDOM` or `NO_PAIR`. There may be no hidden token, if all are special.
        """

        def flat(step: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
            features, targets = self.make(int(step), rows)
            return [*features.values(), *targets.values()]

        found = tf.numpy_function(flat, [step, rows], [tf.int32] * 6)
        shapes = [[rows.shape[0], None]] * 3 + [[None], [None], [rows.shape[0]]]
        words, mask, types, positions, ids, classes = map(tf.ensure_shape, found, shapes)
        features = {
            "input_word_ids": words,
            "input_mask": mask,
            "input_type_ids": types,
            "masked_positions": positions,
        }
        return features, {"masked_ids": ids, "next_sentence": classes}

    def make(self, step: int, rows: np.ndarray) -> tuple[Arrays, Arrays]:
        """Returns the same as NumPy arrays."""
        rows = np.asarray(rows)
        keys = row_keys(self._seed, step, rows)
        ids, lengths = self.sequences.read_flat(rows)
        ends = np.cumsum(lengths)
        first = _Text(ends - lengths, ends)
        second = _Text(ends, ends)
        classes = np.full(len(rows), NO_PAIR, np.int32)
        if self.sequences.pairs:
            ids, first, second = self._draw_pairs(rows, keys, ids, first, classes)
        tokens, types, lengths = self._join(ids & ~SENTENCE_START, first, second)
        hidden = self._masking.hide(tokens, lengths, keys, self._vocabulary)
        width = int(lengths.max(initial=0))
        starts = np.cumsum(lengths) - lengths
        cells = np.arange(len(tokens)) + np.repeat(np.arange(len(rows)) * width - starts, lengths)

        def padded(values: np.ndarray | int, padding: int = 0) -> np.ndarray:
            grid = np.full(len(rows) * width, padding, np.int32)
            grid[cells] = values
            return grid.reshape(len(rows), width)

        features = {
            "input_word_ids": padded(hidden.ids, self._vocabulary.padding),
            "input_mask": padded(1),
            "input_type_ids": padded(types),
            "masked_positions": cells[hidden.places].astype(np.int32),
        }
        return features, {"masked_ids": hidden.originals, "next_sentence": classes}

    def _join(
        self, ids: np.ndarray, first: _Text, second: _Text
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns [CLS] A [SEP] B [SEP], without B where it is empty.

        Returns:
            Ids and segments end to end, int32 [tokens], and lengths, int64 [batch].
        """
        start, separator = len(ids), len(ids) + 1
        ids = np.append(
            ids, np.array([self._vocabulary.start, self._vocabulary.separator], np.int32)
        )
        one = np.ones_like(first.begins)
        pair = np.minimum(second.ends - second.begins, 1)
        begins = [start * one, first.begins, separator * one, second.begins, separator * one]
        sizes = [one, first.ends - first.begins, one, second.ends - second.begins, pair]
        begin, size = np.stack(begins, 1).ravel(), np.stack(sizes, 1).ravel()
        offsets = np.repeat(begin - np.cumsum(size) + size, size)
        types = np.repeat(np.tile(np.array([0, 0, 0, 1, 1], np.int32), len(one)), size)
        return ids[offsets + np.arange(len(offsets))], types, size.reshape(-1, 5).sum(1)

    def _draw_pairs(
        self,
        rows: np.ndarray,
        keys: np.ndarray,
        ids: np.ndarray,
        whole: _Text,
        classes: np.ndarray,
    ) -> tuple[np.ndarray, _Text, _Text]:
        """Draws A and B of each row, and fills in the classes.

        Returns:
            The ids with those of candidates behind them, and where A and B are there.
        """
        starts = np.flatnonzero(ids >= SENTENCE_START)
        before = np.searchsorted(starts, whole.begins)  # sentences in earlier rows
        counts = np.diff(before, append=len(starts))
        paired = np.flatnonzero(counts > 1)
        split = whole.ends.copy()
        drawn = 1 + (uniform(keys, SPLIT) * (counts - 1)).astype(np.int64)
        split[paired] = starts[(before + drawn)[paired]]
        begins, ends = split.copy(), whole.ends.copy()
        classes[paired] = np.where(uniform(keys, CLASS)[paired] < 0.5, FOLLOWS, RANDOM)
        random = np.flatnonzero(classes == RANDOM)
        if len(random):
            wanted = (whole.ends - split)[random]
            room = self.sequences.max_tokens - 3 - (split - whole.begins)[random]
            more, found = self._random_texts(rows[random], keys[random], wanted, room)
            begins[random], ends[random] = found.begins + len(ids), found.ends + len(ids)
            ids = np.concatenate([ids, more])
        return ids, _Text(whole.begins, split), _Text(begins, ends)

    def _random_texts(
        self, rows: np.ndarray, keys: np.ndarray, wanted: np.ndarray, room: np.ndarray
    ) -> tuple[np.ndarray, _Text]:
        """Finds a random B for some rows.

        Args:
            rows: The numbers of the rows, integers [random].
            keys: Their keys.
            wanted: About how many tokens are wanted, int64 [random].
            room: How many tokens there may be, int64 [random].

        Returns:
            Ids of candidates end to end, and where B begins and ends among them.
        """
        documents = self.sequences.documents
        own = documents[rows]
        own_begins, own_ends = (np.searchsorted(documents, own, side) for side in ("left", "right"))
        others = len(documents) - (own_ends - own_begins)
        first = (uniform(keys, OTHER) * others).astype(np.int64)
        # Rows of other documents, numbered without those of the own one.
        adjacent = (first[:, None] + np.arange(CANDIDATES)) % others[:, None]
        own_size = (own_ends - own_begins)[:, None]
        candidates = np.where(adjacent < own_begins[:, None], adjacent, adjacent + own_size).ravel()
        ids, lengths = self.sequences.read_flat(candidates)
        starts = np.flatnonzero(ids >= SENTENCE_START)
        ends = np.cumsum(lengths)
        row = np.searchsorted(ends, starts, "right")  # of each start, among the candidates
        sizes = ends[row] - starts
        group = row // CANDIDATES
        opens = starts == (ends - lengths)[row]
        # A start that fits, and does not open a row, is better than any other.
        cost = np.abs(sizes - wanted[group]) + (sizes > room[group]) * 2**30 + opens * 2**31
        by_cost = np.lexsort((cost, group))
        best = by_cost[np.searchsorted(group, np.arange(len(rows)))]
        return ids, _Text(starts[best], starts[best] + np.minimum(sizes[best], room))


def _check_pairs(sequences: TokenSequences) -> None:
    """Raises DataError if there can be no pairs."""
    rather = "or learn from masked words alone (--objective mlm)"
    if sequences.documents[0] == sequences.documents[-1]:
        raise DataError(
            "next-sentence prediction takes half of the second texts from another document, but "
            f"there is only one document: separate documents by blank lines, {rather}"
        )
    if not sequences.paired_rows:
        raise DataError(
            "next-sentence prediction needs documents of two sentences or more, but each of the "
            f"{len(sequences)} documents has one: put the sentences of a document on adjacent "
            f"lines and blank lines between documents, {rather}"
        )
