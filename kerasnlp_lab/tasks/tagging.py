"""Tags of tokens: from entities to tags, and from logits to the best tags and entities.

The scheme is BIO: B-LABEL for the first token of an entity, I-LABEL for its other tokens, and O
for all others. Tag 0 is O, 1 + 2n is B and 2 + 2n is I of label n.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.text.features import TokensInText
from kerasnlp_lab.text.raw_texts import replace_surrogates

__all__ = [
    "Aligned",
    "FoundEntities",
    "TokenLogits",
    "align",
    "best_tags",
    "entities_of_tags",
    "tag_count",
]

NEVER = -1e9  # the score of a transition that is not allowed


class TokenLogits(NamedTuple):
    """The logits of the tokens of some texts.

    Args:
        values: Float32 [tokens, tags], of all texts end to end.
        tokens: The tokens and their places.
    """

    values: Any
    tokens: TokensInText


class Aligned(NamedTuple):
    """The tags of the entities of some texts.

    Args:
        tags: The tag of each token, int32 [tokens].
        moved: The entities, as (row, span), that begin or end inside a token, or inside a word.
            The tags are those of the whole token or word.
        lost: The entities, as (row, span), without a token of their own.
    """

    tags: np.ndarray
    moved: list[tuple[int, Span]]
    lost: list[tuple[int, Span]]


def tag_count(labels: int) -> int:
    """Returns the number of tags for a number of labels."""
    return 1 + 2 * labels


def align(
    found: TokensInText,
    texts: Sequence[str],
    spans: Sequence[tuple[Span, ...]],
    label_names: Sequence[str],
    follows: np.ndarray,
) -> Aligned:
    """Returns the tags of the entities of some texts.

    Args:
        found: The tokens of the texts, as NumPy arrays.
        texts: The texts.
        spans: The entities of each text, in order.
        label_names: The labels.
        follows: Whether a token has the tag of its word, bool [tokens]. No entity can begin or
            end before it.
    """
    label_of = {name: number for number, name in enumerate(label_names)}
    each = [(row, span) for row, of_text in enumerate(spans) for span in of_text]
    sizes = np.array([_bytes(text) for text in texts], np.int64)
    base = np.cumsum(sizes) - sizes  # where each text begins, if they stand end to end
    of_token = np.repeat(base, found.lengths)
    starts, ends = found.starts + of_token, found.ends + of_token
    places = [(_bytes(texts[row][: one.start]), _bytes(texts[row][: one.end])) for row, one in each]
    of_span = base[np.array([row for row, _ in each], np.int64)]
    begin, stop = np.array(places, np.int64).reshape(-1, 2).T + of_span
    first = np.searchsorted(ends, begin, side="right")  # the first token that overlaps
    last = np.searchsorted(starts, stop, side="left")  # and the token after the last one
    is_start = np.append(~follows, True)
    word_starts, word = np.flatnonzero(is_start), np.cumsum(is_start) - 1
    first = np.where(first < last, word_starts[word[first]], first)
    last = np.where(first < last, word_starts[word[last - 1] + 1], last)
    aligned = Aligned(np.zeros(len(starts), np.int32), [], [])
    for number, (row, span) in enumerate(each):
        a, b, tag = first[number], last[number], 1 + 2 * label_of[span.label]
        if a >= b or aligned.tags[a]:
            aligned.lost.append((row, span))
            continue
        aligned.tags[a], aligned.tags[a + 1 : b] = tag, tag + 1
        if (starts[a], ends[b - 1]) != (begin[number], stop[number]):
            aligned.moved.append((row, span))
    return aligned


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(replace_surrogates(text).encode())


def _transitions(tags: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the scores of a tag after another, between words and within one, [before, after]."""
    between, within = np.zeros((tags, tags), np.float32), np.full((tags, tags), NEVER, np.float32)
    within[0, 0] = 0.0
    for begin in range(1, tags, 2):
        between[:, begin + 1] = NEVER
        for table in (between, within):
            table[begin : begin + 2, begin + 1] = 0.0
    return between, within


def best_tags(logits: tf.Tensor, lengths: tf.Tensor, follows: tf.Tensor) -> tf.Tensor:
    """Returns the tags with the highest sum of logits that the scheme allows, by Viterbi.

    I-LABEL comes only after B-LABEL or I-LABEL. A token that follows its word has the tag of the
    word, whatever its logits are.

    Args:
        logits: Float32 [tokens, tags], of all texts end to end.
        lengths: The number of tokens of each text, int64 [batch].
        follows: Whether a token follows its word, bool [tokens].

    Returns:
        Int32 [tokens].

    Source: Viterbi 1967, https://doi.org/10.1109/TIT.1967.1054010.
    """
    tags = logits.shape[-1]
    between, within = map(tf.constant, _transitions(tags))
    logits = tf.where(follows[:, tf.newaxis], 0.0, logits)
    ragged = tf.RaggedTensor.from_row_lengths(logits, lengths, validate=False)
    longest = tf.reduce_max(tf.concat([[2], lengths], axis=0))  # tf.scan needs an element
    shape = tf.stack([tf.size(lengths, tf.int64), longest, tags])
    scores = tf.transpose(ragged.to_tensor(shape=shape), [1, 0, 2])  # [time, batch, tags]
    inside = ragged.with_flat_values(follows).to_tensor(shape=shape[:2])
    inside = tf.transpose(inside)[:, :, tf.newaxis, tf.newaxis]  # [time, batch, 1, 1]
    real = tf.sequence_mask(lengths, longest)
    real_in_time = tf.transpose(real)[:, :, tf.newaxis]  # [time, batch, 1]

    def step(state: Any, given: Any) -> tuple[tf.Tensor, tf.Tensor]:
        total, _ = state
        score, is_inside, is_real = given
        sums = total[:, :, tf.newaxis] + tf.where(is_inside, within, between)
        before = tf.argmax(sums, axis=1, output_type=tf.int32)  # [batch, tags]
        best = tf.reduce_max(sums, axis=1) + score
        same = tf.broadcast_to(tf.range(tags), tf.shape(before))
        return tf.where(is_real, best, total), tf.where(is_real, before, same)

    begin = tf.one_hot(tf.zeros_like(lengths), tags, 0.0, NEVER)  # as if an O came before
    totals, before = tf.scan(
        step, (scores, inside, real_in_time), (begin, tf.zeros_like(begin, tf.int32))
    )
    final = tf.argmax(totals[-1], axis=-1, output_type=tf.int32)  # [batch]
    earlier = tf.scan(
        lambda tag, back: tf.gather(back, tag, batch_dims=1), before[1:], final, reverse=True
    )
    found = tf.transpose(tf.concat([earlier, final[tf.newaxis]], axis=0))  # [batch, time]
    return tf.boolean_mask(found, real)


class FoundEntities(NamedTuple):
    """The entities in some texts, in order.

    Args:
        text: The number of each entity's text, int64 [entities].
        label: The number of its label, int32 [entities].
        first: The index of its first token, int64 [entities].
        last: The index of its last token, int64 [entities].
        score: The lowest probability of a tag of its words, float32 [entities].
    """

    text: Any
    label: Any
    first: Any
    last: Any
    score: Any


def entities_of_tags(
    tags: tf.Tensor,
    logits: tf.Tensor,
    lengths: tf.Tensor,
    follows: tf.Tensor,
    temperature: float,
) -> FoundEntities:
    """Returns the entities of tags that the scheme allows.

    Args:
        tags: The tag of each token, int32 [tokens].
        logits: Float32 [tokens, tags].
        lengths: The number of tokens of each text, int64 [batch].
        follows: Whether a token follows its word, bool [tokens].
        temperature: The divisor of the logits, for the scores.
    """
    begins = tags % 2 == 1
    first = tf.where(begins)[:, 0]
    within = tf.where(tags > 0)[:, 0]  # the tokens of all entities
    entity = tf.gather(tf.cumsum(tf.cast(begins, tf.int64)) - 1, within)  # of each of them
    chosen = tf.gather(tags, within)
    shares = tf.nn.softmax(tf.gather(logits, within) / temperature)
    of_tag = tf.gather(shares, chosen, batch_dims=1)
    of_tag = tf.where(tf.gather(follows, within), 1.0, of_tag)
    text = tf.repeat(tf.range(tf.size(lengths, tf.int64)), lengths)
    return FoundEntities(
        tf.gather(text, first),
        (tf.gather(tags, first) - 1) // 2,
        first,
        tf.math.segment_max(within, entity),
        tf.math.segment_min(of_tag, entity),
    )
