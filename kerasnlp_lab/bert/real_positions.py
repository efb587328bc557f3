"""`RealPositions`: between a padded batch and rows for its real positions only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

__all__ = ["RealPositions"]


class _Group(NamedTuple):
    """Texts that are padded together within attention.

    Args:
        batch: The number of texts.
        seq: The length that they are padded to.
        mask: As for `RealPositions`, [batch, seq].
        row: The row of each position, [batch, seq]; of padding any row.
    """

    batch: tf.Tensor
    seq: tf.Tensor
    mask: tf.Tensor
    row: tf.Tensor


class RealPositions:
    """Converts between a padded batch and rows, one for each position that is not padding.

    A BERT computes most layers at each position by itself: those take rows, text after text.
    Only attention, where positions look at each other, takes a padded batch. Heads are split
    and joined in the same pass over memory.

    Args:
        mask: int32 [batch, seq], 1 where there is a token. A text's first position is always a
            row.
        differentiable: Whether gradients are wanted. The gradient of each conversion is then the
            other one, which is faster than TensorFlow's sum by row numbers.
        halves: Whether the longer and the shorter half of the texts are padded apart. Attention
            over short texts then does not pay for a long one in the batch.

    Source: Zhai et al. 2022, "padding-free", https://arxiv.org/abs/2210.03052.
    """

    def __init__(self, mask: tf.Tensor, *, differentiable: bool, halves: bool = False):
        self._taken = _taken_with_gradient if differentiable else _taken
        self._batch, self._seq = tf.unstack(tf.shape(mask))
        is_row = tf.reshape(tf.concat([tf.ones_like(mask[:, :1]), mask[:, 1:]], axis=1), [-1])
        self._at = tf.cast(tf.where(is_row)[:, 0], tf.int32)  # [rows]: where each is in the batch
        self._text, self.position = self._at // self._seq, self._at % self._seq  # [rows]
        self._is_row = is_row  # [batch * seq]
        self._row = (tf.cumsum(is_row) - 1) * is_row  # [batch * seq]; of padding the first row
        row = tf.reshape(self._row, [self._batch, self._seq])
        is_row = tf.reshape(is_row, [self._batch, self._seq])
        if halves:
            self._divide(is_row, row)
        else:
            self._groups = [_Group(self._batch, self._seq, is_row, row)]
            # Of each row: its text's place in the group, and the group's size and place.
            self._of_row = self._text, self._batch, self._seq, 0

    def _divide(self, is_row: tf.Tensor, row: tf.Tensor) -> None:
        """Makes two groups, of the longer and of the shorter half of the texts."""
        lengths = tf.reduce_max(is_row * tf.range(1, self._seq + 1), axis=1)
        order = tf.argsort(lengths, direction="DESCENDING", stable=True)
        longer = (self._batch + 1) // 2
        self._groups = []
        for texts in (order[:longer], order[longer:]):
            # One text alone leaves the second group empty.
            seq = tf.reduce_max(tf.concat([[1], tf.gather(lengths, texts)], axis=0))
            mask, rows = (tf.gather(one, texts)[:, :seq] for one in (is_row, row))
            self._groups.append(_Group(tf.size(texts), seq, mask, rows))
        place = tf.gather(tf.math.invert_permutation(order), self._text)
        is_short = place >= longer
        first, second = self._groups
        self._of_row = (
            tf.where(is_short, place - longer, place),
            tf.where(is_short, second.batch, first.batch),
            tf.where(is_short, second.seq, first.seq),
            tf.where(is_short, first.batch * first.seq, 0),
        )

    @property
    def masks(self) -> list[tf.Tensor]:
        """The mask of each group of texts that attention pads together, [group, seq]."""
        return [group.mask for group in self._groups]

    def select(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns the integers of real positions, [rows], from [batch, seq]."""
        return tf.gather(tf.reshape(ids, [-1]), self._at)

    def gather(self, padded: tf.Tensor) -> tf.Tensor:
        """Returns the vectors of real positions, [rows, hidden], from [batch, seq, hidden]."""
        flat = tf.reshape(padded, [-1, padded.shape[-1]])
        return self._taken(flat, self._at, self._row, self._is_row)

    def spread(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns [batch, seq, hidden] from [rows, hidden]; padding is not meaningful."""
        padded = self._taken(rows, self._row, self._at, None)
        return tf.reshape(padded, [self._batch, self._seq, rows.shape[-1]])

    def first(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns each text's first position, [batch, hidden], from [rows, hidden]."""
        firsts = tf.reshape(self._row, [self._batch, self._seq])[:, 0]
        return self._taken(rows, firsts, self._text, tf.cast(self.position == 0, tf.int32))

    def rows_of_firsts_and(self, flat: tf.Tensor) -> tf.Tensor:
        """Returns the row numbers of each text's first position, and then of other positions.

        Those are real ones in the flat batch, int32 [positions]; the result is int32
        [batch + positions].
        """
        firsts = tf.range(self._batch) * self._seq
        return tf.gather(self._row, tf.concat([firsts, flat], axis=0))

    def split_heads(self, joined: tf.Tensor, count: int, size: int) -> list[list[tf.Tensor]]:
        """Returns queries, keys and values of each group, [group, count, seq, size] each.

        They come side by side, [rows, 3 * count * size].
        """
        padded, row = self._places_of_heads(3, count)
        split = self._taken(tf.reshape(joined, [-1, size]), row, padded, None)
        sizes = [3 * count * group.batch * group.seq for group in self._groups]
        parts = [split] if len(sizes) == 1 else tf.split(split, sizes)
        return [
            tf.unstack(tf.reshape(part, [3, group.batch, count, group.seq, size]))
            for part, group in zip(parts, self._groups, strict=True)
        ]

    def join_heads(self, heads: Sequence[tf.Tensor]) -> tf.Tensor:
        """Returns heads side by side, [rows, count * size], from those of each group."""
        count, size = heads[0].shape[1], heads[0].shape[3]
        padded, row = self._places_of_heads(1, count)
        real = [
            tf.reshape(tf.tile(mask[:, tf.newaxis], [1, count, 1]), [-1]) for mask in self.masks
        ]
        joined = self._taken(
            _concat([tf.reshape(one, [-1, size]) for one in heads]), padded, row, _concat(real)
        )
        return tf.reshape(joined, [-1, count * size])

    def _places_of_heads(self, kinds: int, count: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns where heads, [rows, kinds * count], are among padded ones, and the way back.

        A row has so many kinds of queries, keys and values, and each has `count` heads. Both are
        int32, [rows * kinds * count] and [kinds * batch * count * seq], one group after the other.
        """
        part = tf.range(kinds * count)
        text, batch, seq, before = (
            one if isinstance(one, int) or not one.shape.rank else one[:, tf.newaxis]
            for one in self._of_row
        )
        text = part // count * batch + text
        padded = (text * count + part % count) * seq + self.position[:, tf.newaxis]
        padded += before * (kinds * count)
        rows = [
            group.row[:, tf.newaxis] * (kinds * count) + tf.reshape(part, [kinds, 1, count, 1])
            for group in self._groups
        ]
        return tf.reshape(padded, [-1]), _concat([tf.reshape(one, [-1]) for one in rows])


def _concat(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis=0)


def _taken(x: tf.Tensor, there: tf.Tensor, back: tf.Tensor, real: tf.Tensor | None) -> tf.Tensor:
    return tf.gather(x, there)


def _taken_with_gradient(
    x: tf.Tensor, there: tf.Tensor, back: tf.Tensor, real: tf.Tensor | None
) -> tf.Tensor:
    """Returns rows of a matrix x, [n, size]. A row that matters is taken once at most.

    Row j of the result is row there[j] of x, int32 [m]. Row i of x is row back[i] of the result,
    int32 [n], unless real[i], int32 [n], is 0; None if all are real.
    """

    @tf.custom_gradient
    def taken(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            of_x = tf.gather(upstream, back)
            return of_x if real is None else of_x * tf.cast(real, of_x.dtype)[:, tf.newaxis]

        return tf.gather(x, there), gradient

    return taken(x)
