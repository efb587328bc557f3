"""`Generation`: the task of writing a text for each text, and its answer, `GeneratedText`."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Annotation, Split, TextDataset
from kerasnlp_lab.display import first_few, printable
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.tasks.head import dense_head
from kerasnlp_lab.tasks.task import HeadOptions, Task, texts_as_json
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.features import Features
from kerasnlp_lab.text.raw_texts import replace_surrogates
from kerasnlp_lab.text.rows import Rows, RowTargets

__all__ = ["END", "NEVER_WRITTEN", "PADDING", "TARGET_IDS", "GeneratedText", "Generation"]

PADDING, END, UNKNOWN = range(3)
FIRST_SYMBOL = 3
NEVER_WRITTEN = (PADDING, UNKNOWN)
TARGET_IDS = "target_ids"  # the name of a feature


@dataclass(frozen=True)
class GeneratedText:
    """The text that was written for a text.

    Args:
        text: The text, with U+FFFD in place of invalid UTF-8.
        output: The text that was written.
        score: The geometric mean of the probabilities of its characters and its end, 0 to 1.
        complete: Whether the model ended the text. Otherwise the text reached the model's
            max_output_length.
        second_text: The second text of a pair; None if the text is no pair.
    """

    text: str
    output: str
    score: float
    complete: bool = True
    second_text: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Returns text (and second_text, for a pair), output, score and complete."""
        own = {"output": self.output, "score": self.score, "complete": self.complete}
        return texts_as_json(self) | own

    def as_line(self) -> str:
        """Returns the output and its score, with a mark if it was cut off."""
        return f"{printable(self.output)}{'' if self.complete else '…'} {self.score:.3f}"


@dataclass(frozen=True)
class Generation(Task):
    """The task of writing a text for each text, character by character.

    A model that writes reads the feature ``target_ids`` in training: the target so far, which it
    continues (teacher forcing). Its logits are then float32 [batch, out, symbols]. Without that
    feature it writes by itself, and its logits are float32 [batch, most, 2]: the id of each symbol
    that was written, and the logarithm of its probability.

    Args:
        symbols: The characters that are written: those of the training targets, in the order of
            Unicode. The id of the first is 3; 0 is padding, 1 the end of a text, and 2 a character
            of other targets that is none of them.
        longest_target: The length of the longest training target, in characters.

    Raises:
        DataError: There is no symbol.
    """

    name: ClassVar[str] = "generation"
    reads: ClassVar[Literal["pooled", "sequence", "target"]] = "target"
    annotation: ClassVar[Annotation] = "target_texts"
    measures: ClassVar[tuple[str, ...]] = ("exact_match",)
    symbols: tuple[str, ...]
    longest_target: int
    label_names: tuple[str, ...] = dataclasses.field(default=(), init=False)

    def __post_init__(self) -> None:
        if not self.symbols:
            raise DataError("the training targets hold no characters; there is nothing to learn")

    @classmethod
    def for_data(cls, data: TextDataset) -> Generation:
        cls.check_annotation(data)
        assert isinstance(data.train, Split)
        targets = list(map(replace_surrogates, data.train.target_texts or ()))
        return cls(tuple(sorted(set().union(*targets))), max(map(len, targets), default=0))

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Generation:
        return cls(tuple(saved["symbols"]), int(saved["longest_target"]))

    def to_json(self) -> dict[str, Any]:
        own = {"symbols": list(self.symbols), "longest_target": self.longest_target}
        return {"name": self.name, "label_names": [], **own}

    # Training

    def unseen_symbols(self, targets: Sequence[str]) -> dict[str, int]:
        """Returns the characters that are never written, and how many targets have each."""
        known = set(self.symbols)
        counts: Counter[str] = Counter()
        for target in targets:
            counts.update(set(replace_surrogates(target)) - known)
        return dict(counts.most_common())

    def rows_to_train_on(self, text: TextVectorizer, data: TextDataset) -> TextDataset:
        """Returns the dataset, with a note on targets that cannot be written."""
        notes = []
        for part in ("validation", "test"):
            targets = getattr(data, part).target_texts or ()
            unseen = self.unseen_symbols(targets)
            if rows := sum(any(one in target for one in unseen) for target in targets):
                shown = first_few(list(map(printable, unseen)), 8)
                notes.append(
                    f"{rows:,} of {len(targets):,} {part} targets have characters that no training "
                    f"target has, and cannot be written: {shown}"
                )
        return dataclasses.replace(data, notes=(*data.notes, *notes))

    def target_ids(self, targets: Sequence[str]) -> tf.RaggedTensor:
        """Returns the ids of the symbols of target texts and of their ends, [rows, (out)]."""
        id_of = {symbol: FIRST_SYMBOL + place for place, symbol in enumerate(self.symbols)}
        rows = [[id_of.get(one, UNKNOWN) for one in replace_surrogates(row)] for row in targets]
        ids = np.array([one for row in rows for one in (*row, END)], np.int32)
        return tf.RaggedTensor.from_row_lengths(ids, np.array([len(row) + 1 for row in rows], int))

    def targets(self, text: TextVectorizer, split: Split) -> RowTargets:
        """Returns a lookup of the symbols of rows' targets, int32 [batch, out], padded with 0."""
        every = self.target_ids(split.target_texts or ())
        return lambda rows: tf.gather(every, rows).to_tensor(PADDING)

    def batch(
        self, text: TextVectorizer, rows: Rows, seed: int, step: tf.Tensor
    ) -> tuple[Features, tf.Tensor]:
        features, targets = super().batch(text, rows, seed, step)
        # Each symbol is told from those before it.
        before = tf.pad(targets[:, :-1], [[0, 0], [1, 0]], constant_values=PADDING)
        return {**features, TARGET_IDS: before}, targets

    def head(self, width: int, options: HeadOptions) -> keras.Model:
        return dense_head((None, width), FIRST_SYMBOL + len(self.symbols), options)

    def losses(self, logits: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the sum of the symbols' cross-entropies, and the number of symbols."""
        real = tf.where(targets != PADDING)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            tf.gather_nd(targets, real), tf.gather_nd(logits, real)
        )
        return tf.reduce_sum(losses), tf.cast(tf.size(losses), tf.float32)

    def tally(self, logits: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Returns right and all symbols, then right and all whole texts, float32 [4].

        A text is right if each symbol is the most probable one after the symbols before it. It is
        then the text that greedy search writes.
        """
        real = targets != PADDING
        right = tf.argmax(logits, axis=-1, output_type=tf.int32) == targets
        whole = tf.reduce_all(right | ~real, axis=1)
        each = (right & real, real, whole, tf.ones_like(whole))
        return tf.stack([tf.reduce_sum(tf.cast(one, tf.float32)) for one in each])

    # Answers

    def answers(
        self, logits: np.ndarray, decision: Any, texts: Sequence[str]
    ) -> list[GeneratedText]:
        given = self.answers_in_graph(tf.constant(logits), decision, tf.constant(""))
        return self.read_answers({name: one.numpy() for name, one in given.items()}, texts)

    def answers_in_graph(
        self, logits: tf.Tensor, decision: Any, texts: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Returns the outputs of ``serving_default``.

        Returns:
            output, strings [batch]; score, float32 [batch]; complete, bool [batch]: see
            `GeneratedText`.
        """
        ids = tf.cast(logits[:, :, 0], tf.int32)  # [batch, most]
        written = tf.cast(ids != PADDING, tf.float32)
        names = tf.constant([*[""] * FIRST_SYMBOL, *self.symbols])
        length = tf.maximum(tf.reduce_sum(written, axis=1), 1.0)
        return {
            "output": tf.strings.reduce_join(tf.gather(names, ids), axis=1),
            "score": tf.exp(tf.reduce_sum(logits[:, :, 1] * written, axis=1) / length),
            "complete": tf.reduce_any(ids == END, axis=1),
        }

    def read_answers(
        self, given: Mapping[str, np.ndarray], texts: Sequence[str]
    ) -> list[GeneratedText]:
        columns = (given[name].tolist() for name in ("output", "score", "complete"))
        return [
            GeneratedText(text, output.decode(), score, complete)
            for text, output, score, complete in zip(texts, *columns, strict=True)
        ]
