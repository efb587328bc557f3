"""`train`: trains a classifier and returns a `TrainingResult`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rich.console

from kerasnlp_lab.data import ShardedSplit, Split, TextDataset
from kerasnlp_lab.errors import DataError, OptionError, RunError, StorageError
from kerasnlp_lab.machine import begin_computing
from kerasnlp_lab.paths import explain_os_error, user_path
from kerasnlp_lab.tasks.distilled import Lesson
from kerasnlp_lab.text import tokenize
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.training.fit import Fit
from kerasnlp_lab.training.history import History
from kerasnlp_lab.training.interval import Interval
from kerasnlp_lab.training.phases import Phases, task_and_rows
from kerasnlp_lab.training.strategy import is_chief
from kerasnlp_lab.training.word_vectors import start_from_word_vectors
from kerasnlp_lab.zoo import Classifier, Recipe
from kerasnlp_lab.zoo.entry import LabelledTokens
from kerasnlp_lab.zoo.mixture import Mixture

__all__ = ["CHECKPOINT_EVERY", "TrainingResult", "train"]

CHECKPOINT_EVERY = "5m"


@dataclass(frozen=True)
class TrainingResult:
    """The result of a training.

    Args:
        history: One line for each epoch, as in history.csv.
        best_epoch: The epoch that provided the classifier's weights, counted from 1.
        seconds: The time from tokenizing to the last validation, in seconds.
        texts_per_second: The speed of the training steps, without validation and without the
            first step; 0 for a model without gradient descent.
        trained_parameters: The number of parameters that were trained.
        total_parameters: The number of parameters of the network.
        final_sha256: The hash of weights and optimizer after the last epoch. Two trainings with
            the same hash are equal to the last bit. Empty for a model without gradient descent.
    """

    history: list[dict[str, Any]]
    best_epoch: int
    seconds: float
    texts_per_second: float
    trained_parameters: int
    total_parameters: int
    final_sha256: str = ""


def train(
    classifier: Classifier,
    data: TextDataset,
    recipe: Recipe,
    folder: str | Path,
    *,
    seed: int = 0,
    console: rich.console.Console | None = None,
    checkpoints: Checkpoints | None = None,
    checkpoint_every: str = CHECKPOINT_EVERY,
    lesson: Lesson | None = None,
) -> TrainingResult:
    """Trains a classifier and leaves it with its best weights on the validation rows.

    It never reads the test split.

    Args:
        classifier: A new classifier, created in the strategy's scope.
        data: The rows.
        recipe: The recipe.
        folder: The folder for history.csv, TensorBoard's files and the checkpoints.
        seed: The seed of the order of rows and of dropout. Keras' own seed sets the initial
            weights.
        console: The console that shows progress; None for no progress.
        checkpoints: The checkpoints, to save and to resume from. The caller removes them. None
            keeps them in ``folder`` during the training.
        checkpoint_every: The interval between checkpoints; see
            `kerasnlp_lab.training.interval.Interval`.
        lesson: A teacher's logits, to learn from: its rows take the place of the training rows.

    Returns:
        The history and the figures of the training.

    Raises:
        OptionError: The recipe does not suit the rows or the devices.
        DataError: The classifier reads pairs of texts and the rows are none, or the reverse.
        RunError: The loss is not a number, or the checkpoints belong to another training.
        TrainingStopped: SIGTERM or Ctrl-C stopped it; ``checkpoints`` holds its progress.
        WorkerLostError: Another worker of a multi-worker strategy is gone.
        StorageError: A file cannot be written.
    """
    begin_computing()
    began = time.perf_counter()
    if isinstance(classifier, Mixture):
        raise OptionError(
            f"a mix is not trained: train {' and '.join(classifier.made_from)}, and mix them again"
        )
    if bool(classifier.pair) != bool(data.pair):
        kinds = ("pairs of texts", "single texts")
        reads, given = kinds if classifier.pair else kinds[::-1]
        raise DataError(
            f"the model reads {reads} and {data.name} has {given}: give both the names of the two "
            "texts as pair=(first, second), or neither"
        )
    folder = user_path(folder)
    writes = is_chief(classifier.network.distribute_strategy)
    own = checkpoints is None
    if checkpoints is None:
        if writes and (folder / "checkpoints").exists():
            raise RunError(
                f"{folder / 'checkpoints'} belongs to another training; choose another folder"
            )
        checkpoints = Checkpoints(folder / "checkpoints", writes=writes)
    try:
        if writes and not own:
            History.clear(folder)
        if classifier.entry.solve is not None:
            return _solve(classifier, data, recipe, lesson, folder if writes else None, began)
        prepared = classifier.task.rows_to_train_on(classifier.text, data)
        if writes and console is not None:
            for note in prepared.notes[len(data.notes) :]:
                console.print(f"  {note}", markup=False, highlight=False)
        shown = console if writes else None
        if not checkpoints.saved:  # which hold the weights
            start_from_word_vectors(classifier, shown)
        plan = Phases(classifier, prepared, recipe, seed, shown, lesson)
        fit = Fit(plan, folder, checkpoints, Interval(checkpoint_every), shown, keeps=not own)
        state = fit.run()
    except StorageError:
        raise
    except OSError as error:
        raise explain_os_error(error, folder) from error
    finally:
        if own:
            checkpoints.remove()
    return TrainingResult(
        history=state.lines,
        best_epoch=state.best_epoch,
        seconds=state.seconds,
        texts_per_second=state.timed_texts / state.timed_seconds if state.timed_texts else 0.0,
        **_parameters(classifier),
        final_sha256=state.sha256,
    )


def _solve(
    classifier: Classifier,
    data: TextDataset,
    recipe: Recipe,
    lesson: Lesson | None,
    folder: Path | None,
    began: float,
) -> TrainingResult:
    assert classifier.entry.solve is not None
    task, data = task_and_rows(classifier.task, data, recipe, lesson)
    if isinstance(data.train, ShardedSplit):
        raise OptionError(
            f"{classifier.name} fits all rows at once and cannot read shards; give it the table, "
            "or train another model on the shards"
        )

    def tokens_of(split: Split) -> LabelledTokens:
        return tokenize(classifier.text, split.texts), split

    rows = tokens_of(data.train), tokens_of(data.validation)
    history = History(folder)
    for line in classifier.entry.solve(task, classifier.text, classifier.network, *rows):
        history.add({"phase": "solve", **line})
    return TrainingResult(
        history=history.lines,
        best_epoch=1 + int(np.argmin([line["val_loss"] for line in history.lines])),
        seconds=time.perf_counter() - began,
        texts_per_second=0.0,
        **_parameters(classifier),
    )


def _parameters(classifier: Classifier) -> dict[str, Any]:
    network = classifier.network
    return {
        "trained_parameters": _count(network.trainable_weights),
        "total_parameters": _count(network.weights),
    }


def _count(weights: list[Any]) -> int:
    """Returns the number of parameters, without a TF Hub module's other variables."""
    return sum(int(np.prod(weight.shape)) for weight in weights if weight.dtype.is_floating)
