"""Tasks outside the package, to show that the interface supports more than classification.

One changes the inputs (masked words). Another has a target for each token (entities). The third
learns from made-up logits of a teacher. All are as small as possible, and no models of a good
implementation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import tensorflow as tf

from kerasnlp_lab.data import Split
from kerasnlp_lab.tasks import Classification, Decision, Task
from kerasnlp_lab.tasks.distilled import Distilled, Lesson
from kerasnlp_lab.tasks.head import dense_head
from kerasnlp_lab.text import tokenize

MASKED_SHARE = 0.3
HIDDEN_ID = 1  # [UNK] in every vocabulary here


@dataclass(frozen=True)
class TokenAnswer:
    """An answer with one number for each token."""

    text: str
    tokens: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        return {"text": self.text, "tokens": list(self.tokens)}

    def as_line(self) -> str:
        return " ".join(map(str, self.tokens))


class TokenTask(Task):
    """The common part of both tasks: one class for each token."""

    reads: ClassVar[Literal["pooled", "sequence"]] = "sequence"

    @classmethod
    def from_json(cls, saved):
        return cls(tuple(saved["label_names"]))

    def head(self, width, options):
        return dense_head((None, width), len(self.label_names), options)

    def losses(self, logits, targets):
        classes, counts = targets  # [batch, seq]
        places = tf.where(counts > 0)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            tf.gather_nd(classes, places), tf.gather_nd(logits, places)
        )
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(counts, tf.float32))

    def tally(self, logits, targets):
        classes, counts = targets
        places = tf.where(counts > 0)
        found = tf.argmax(tf.gather_nd(logits, places), axis=-1, output_type=tf.int32)
        right = tf.cast(found == tf.gather_nd(classes, places), tf.float32)
        return tf.stack([tf.reduce_sum(right), tf.cast(tf.size(right), tf.float32)])

    def answers(self, logits, decision, texts):
        return [
            TokenAnswer(text, tuple(one.argmax(axis=-1).tolist()))
            for text, one in zip(texts, logits, strict=True)
        ]

    def answers_in_graph(self, logits, decision, texts):
        found = tf.ragged.map_flat_values(tf.argmax, logits, axis=-1)
        return {"classes": found.to_tensor(-1), "lengths": found.row_lengths()}

    def read_answers(self, given, texts):
        rows = zip(texts, given["classes"], given["lengths"], strict=True)
        return [TokenAnswer(text, tuple(row[:length].tolist())) for text, row, length in rows]


@dataclass(frozen=True)
class MaskedWords(TokenTask):
    """Predicts hidden tokens, which are drawn from (seed, step, row)."""

    name: ClassVar[str] = "masked_words"
    changes_inputs: ClassVar[bool] = True

    label_names: tuple[str, ...]

    @classmethod
    def for_data(cls, data):
        return cls(tuple(f"id {number}" for number in range(60)))

    def batch(self, text, rows, seed, step):
        def hides(row_and_length):
            row, length = row_and_length
            key = tf.random.experimental.stateless_fold_in(tf.stack([seed, step]), row)
            drawn = tf.random.stateless_uniform([length], key) < MASKED_SHARE
            return tf.RaggedTensor.from_row_lengths(tf.cast(drawn, tf.int32), [length])[0]

        hidden = tf.map_fn(
            hides,
            (rows.index, rows.lengths),
            fn_output_signature=tf.RaggedTensorSpec([None], tf.int32, 0),
        )  # [batch, (tokens)]
        ids = tf.where(hidden.flat_values > 0, HIDDEN_ID, rows.ids)
        features = text.pack_flat(ids, rows.lengths)
        before = hidden.with_flat_values(rows.ids)
        return features, (
            text.at_own_tokens(before, features),
            text.at_own_tokens(hidden, features),
        )


@dataclass(frozen=True)
class EvenWords(TokenTask):
    """Predicts whether each token id is even, a target that is known before the batch."""

    name: ClassVar[str] = "even_words"

    label_names: tuple[str, ...]

    @classmethod
    def for_data(cls, data):
        return cls(("odd", "even"))

    def targets(self, text, split):
        tokens = tokenize(text, split.texts)

        def of_rows(rows: np.ndarray):
            ids, lengths = tokens.read_flat(rows)
            return (ids % 2 == 0).astype(np.int32), lengths

        def in_graph(rows):
            tags, lengths = tf.numpy_function(of_rows, [rows], (tf.int32, tf.int64))
            tags, lengths = tf.ensure_shape(tags, [None]), tf.ensure_shape(lengths, [None])
            return tf.RaggedTensor.from_row_lengths(tags, lengths, validate=False)

        return in_graph

    def batch(self, text, rows, seed, step):
        features = text.pack_flat(rows.ids, rows.lengths)
        counts = rows.targets.with_flat_values(tf.ones_like(rows.targets.flat_values))
        return features, (
            text.at_own_tokens(rows.targets, features),
            text.at_own_tokens(counts, features),
        )


class TaughtClasses(Distilled):
    """Classes by a teacher's logits. Every third row has no label of its own."""

    name: ClassVar[str] = "taught_classes"
    decision_type: ClassVar[type] = Decision

    @classmethod
    def for_data(cls, data):
        return cls._of(data.label_names, data.train)

    @classmethod
    def from_json(cls, saved):
        return cls._of(tuple(saved["label_names"]), Split(()))

    @classmethod
    def _of(cls, names, rows):
        logits = np.random.default_rng(0).normal(0, 2, (len(rows), len(names)))
        lesson = Lesson(rows, np.arange(len(rows)) % 3 > 0, logits, temperature=2.0)
        return cls(Classification(names), lesson)
