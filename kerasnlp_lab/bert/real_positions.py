"""`RealPositions`: between a padded batch and rows for its real positions only."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

__all__ = ["RealPositions"]


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

    Source: Zhai et al. 2022, "padding-free", https://arxiv.org/abs/2210.03052.
    """

    def __init__(self, mask: tf.Tensor, *, differentiable: bool):
        self._taken = _taken_with_gradient if differentiable else _taken
        self._batch, self._seq = tf.unstack(tf.shape(mask))
        is_row = tf.reshape(tf.concat([tf.ones_like(mask[:, :1]), mask[:, 1:]], axis=1), [-1])
        self._at = tf.cast(tf.where(is_row)[:, 0], tf.int32)  # [rows]: where each is in the batch
        self._text, self.position = self._at // self._seq, self._at % self._seq  # [rows]
        self._is_row = is_row  # [batch * seq]
        self._row = (tf.cumsum(is_row) - 1) * is_row  # [batch * seq]; of padding the first row

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

    def split_heads(self, joined: tf.Tensor, count: int, size: int) -> list[tf.Tensor]:
        """Returns queries, keys and values of `count` heads, [batch, count, seq, size] each.

        They come side by side, [rows, 3 * count * size].
        """
        padded, row = self._places_of_heads(3, count)
        split = self._taken(tf.reshape(joined, [-1, size]), row, padded, None)
        return tf.unstack(tf.reshape(split, [3, self._batch, count, self._seq, size]))

    def join_heads(self, heads: tf.Tensor) -> tf.Tensor:
        """Returns heads side by side, [rows, count * size], from [batch, count, seq, size]."""
        count, size = heads.shape[1], heads.shape[3]
        padded, row = self._places_of_heads(1, count)
        is_row = tf.reshape(self._is_row, [self._batch, 1, self._seq])
        real = tf.reshape(tf.tile(is_row, [1, count, 1]), [-1])
        joined = self._taken(tf.reshape(heads, [-1, size]), padded, row, real)
        return tf.reshape(joined, [-1, count * size])

    def _places_of_heads(self, kinds: int, count: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns where heads, [rows, kinds * count], are among padded ones, and the way back.

        A row has so many kinds of queries, keys and values, and each has `count` heads. Both are
        int32, [rows * kinds * count] and [kinds * batch * count * seq].
        """
        part = tf.range(kinds * count)
        text = part // count * self._batch + self._text[:, tf.newaxis]
        padded = (text * count + part % count) * self._seq + self.position[:, tf.newaxis]
        row = tf.reshape(self._row, [self._batch, 1, self._seq]) * (kinds * count)
        row += tf.reshape(part, [kinds, 1, count, 1])
        return tf.reshape(padded, [-1]), tf.reshape(row, [-1])


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
