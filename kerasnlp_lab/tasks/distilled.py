"""`Distilled`: a task in training whose rows also have a teacher's logits, in a `Lesson`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import scipy.special
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.data.row_labels import label_matrix
from kerasnlp_lab.errors import DataError, OptionError, check_option
from kerasnlp_lab.tasks.task import HeadOptions, Task
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.rows import RowTargets

__all__ = ["Distilled", "Lesson", "SoftTargets"]


@dataclass(frozen=True, eq=False)
class Lesson:
    """The rows that a student learns from, with the teacher's logits.

    Args:
        rows: The rows. Those without a label of their own have the teacher's answer as one, which
            only the order of the rows depends on.
        labelled: Whether each row has a label of its own, bool [rows].
        logits: The teacher's logits, float32 [rows, classes].
        temperature: The divisor of both models' logits in the soft loss.
        hard: The share of a row's own label in its loss, from 0 to 1.

    Raises:
        DataError: The arrays do not have a row for each text.
        OptionError: The temperature or the share is out of range.
    """

    rows: Split
    labelled: np.ndarray
    logits: np.ndarray
    temperature: float = 1.0
    hard: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "labelled", np.asarray(self.labelled, bool))
        object.__setattr__(self, "logits", np.asarray(self.logits, np.float32))
        shapes = self.labelled.shape, self.logits.shape[:1]
        if shapes != ((len(self.rows),),) * 2:
            raise DataError(
                f"expected a mark and logits for each of {len(self.rows)} rows, got "
                f"{self.labelled.shape} and {self.logits.shape}"
            )
        check_option("temperature", self.temperature, self.temperature > 0, "above 0")
        check_option("hard", self.hard, 0 <= self.hard <= 1, "from 0 to 1")


class SoftTargets(NamedTuple):
    """The targets of a batch of a `Lesson`."""

    own: Any  # the targets of the rows' own labels, from the task
    teacher: tf.Tensor  # the teacher's logits, float32 [batch, classes]
    labelled: tf.Tensor  # whether the row has its own label, bool [batch]


@dataclass(frozen=True, eq=False)
class Distilled(Task):
    """A task in training on a `Lesson`. The trained model keeps the task itself.

    The loss of a row is (1 - hard) * T^2 * the cross-entropy with the teacher's probabilities at
    temperature T, plus hard * the task's own loss. A row without its own label has the first part
    alone, with weight 1. Several labels a text have a probability each, one label has a softmax.
    Validation rows have labels alone and the task's own loss, so the best epoch is chosen as ever.

    Args:
        task: `Classification` or `MultiLabel`, from `Task.for_training`.
        lesson: The rows to train on.

    Raises:
        OptionError: It is another task.

    Source: Hinton et al. 2015, https://arxiv.org/abs/1503.02531.
    """

    name: ClassVar[str] = "distilled"
    reads: ClassVar[Literal["pooled", "sequence", "target"]] = "pooled"

    task: Task
    lesson: Lesson
    label_names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.check(self.task)
        object.__setattr__(self, "label_names", self.task.label_names)

    @staticmethod
    def check(task: Task | type[Task]) -> None:
        """Raises OptionError for a task whose answers cannot be distilled."""
        if task.annotation not in ("labels", "label_sets") or task.reads != "pooled":
            raise OptionError(
                "a student learns a teacher's probabilities of classes or labels, and the task "
                f"{task.name} has others; distil a run of classification or multi_label"
            )

    @classmethod
    def for_data(cls, data: TextDataset) -> Task:
        raise NotImplementedError("it is made of a task and a lesson")

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Task:
        raise NotImplementedError("a model is saved with the task itself")

    @property
    def _several(self) -> bool:
        return self.task.annotation == "label_sets"

    # Training

    def targets(self, text: TextVectorizer, split: Split) -> RowTargets:
        """Returns a lookup of `SoftTargets` for the lesson's rows, and the task's for others."""
        own = self.task.targets(text, split)
        if split is not self.lesson.rows:
            return own
        logits, labelled = tf.constant(self.lesson.logits), tf.constant(self.lesson.labelled)

        def of_rows(rows: tf.Tensor) -> SoftTargets:
            return SoftTargets(own(rows), tf.gather(logits, rows), tf.gather(labelled, rows))

        return of_rows

    def losses(self, logits: tf.Tensor, targets: Any) -> tuple[tf.Tensor, tf.Tensor]:
        if not isinstance(targets, SoftTargets):
            return self.task.losses(logits, targets)
        temperature, hard = self.lesson.temperature, self.lesson.hard
        taught, found = targets.teacher / temperature, logits / temperature
        if self._several:
            each = tf.nn.sigmoid_cross_entropy_with_logits(tf.sigmoid(taught), found)
            soft = tf.reduce_sum(each, axis=1)  # [batch]
        else:
            soft = tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(taught), found)
        shares = 1 - hard * tf.cast(targets.labelled, tf.float32)  # [batch]
        own, _ = self.task.losses(*_with_labels(logits, targets))
        loss = tf.reduce_sum(shares * soft) * temperature**2 + hard * own
        return loss, tf.cast(tf.shape(logits)[0], tf.float32)

    def tally(self, logits: tf.Tensor, targets: Any) -> tf.Tensor:
        """Returns the task's tally of the rows that have a label of their own."""
        if isinstance(targets, SoftTargets):
            logits, targets = _with_labels(logits, targets)
        return self.task.tally(logits, targets)

    def soft_targets(self, rows: np.ndarray) -> np.ndarray:
        """Returns the targets of some of the lesson's rows, for models that are solved.

        They are a mixture of the teacher's probabilities, at temperature 1, and of the row's own
        label, with the share `hard`; of a row without its own label, the teacher's alone.

        Args:
            rows: The numbers of the rows in the lesson, integers [batch].

        Returns:
            Float32 [batch, classes]: a distribution over classes in each row, or with several
            labels a text the probability of each.
        """
        lesson, classes = self.lesson, len(self.label_names)
        logits = lesson.logits[rows]
        if self._several:
            own = label_matrix(lesson.rows.label_sets or (), classes)[rows].toarray()
            taught = scipy.special.expit(logits)
        else:
            own = np.eye(classes)[lesson.rows.labels[rows]]
            taught = scipy.special.softmax(logits, axis=1)
        hard = lesson.hard * lesson.labelled[rows, np.newaxis]
        return ((1 - hard) * taught + hard * own).astype(np.float32)

    # As the task itself

    def head(self, width: int, options: HeadOptions) -> keras.Model:
        return self.task.head(width, options)

    def answers(self, logits: Any, decision: Any, texts: Sequence[str]) -> list[Any]:
        return self.task.answers(logits, decision, texts)

    def answers_in_graph(
        self, logits: tf.Tensor | tf.RaggedTensor, decision: Any, texts: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        return self.task.answers_in_graph(logits, decision, texts)

    def read_answers(self, given: Mapping[str, np.ndarray], texts: Sequence[str]) -> list[Any]:
        return self.task.read_answers(given, texts)


def _with_labels(logits: tf.Tensor, targets: SoftTargets) -> tuple[tf.Tensor, Any]:
    """Returns the logits and own targets of the rows that have a label of their own."""
    mask = targets.labelled
    return tf.boolean_mask(logits, mask), tf.boolean_mask(targets.own, mask)
