"""`train`: from a new classifier and rows to a trained one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rich.console
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import TextDataset
from kerasnlp_lab.errors import OptionError, RunError, StorageError
from kerasnlp_lab.paths import explain_os_error
from kerasnlp_lab.text import evaluation_batches, tokenize, training_batches
from kerasnlp_lab.text.pipeline import batches_of, training_order
from kerasnlp_lab.training.callbacks import BestWeights, History, Progress
from kerasnlp_lab.training.class_weights import class_weights
from kerasnlp_lab.training.frozen_features import frozen_features
from kerasnlp_lab.training.losses import SmoothedCrossentropy
from kerasnlp_lab.training.optimizer import make_optimizer
from kerasnlp_lab.zoo import Classifier, Recipe
from kerasnlp_lab.zoo.entry import LabelledTokens

__all__ = ["TrainingResult", "train"]

EVALUATION_BATCH = 64
HEAD_EVALUATION_BATCH = 1024
BEST_WEIGHTS_FILE = "best.safetensors"


@dataclass(frozen=True)
class TrainingResult:
    """What a training came to.

    Args:
        history: A line an epoch, as in history.csv.
        best_epoch: Whose weights the classifier now has, counted from 1.
        seconds: From tokenizing to the last validation.
        texts_per_second: The speed of the training steps, without validation and
            the first step of an epoch; 0 where there are none.
        trained_parameters: How many numbers were trained.
        total_parameters: How many the network has.
    """

    history: list[dict[str, Any]]
    best_epoch: int
    seconds: float
    texts_per_second: float
    trained_parameters: int
    total_parameters: int


def train(
    classifier: Classifier,
    data: TextDataset,
    recipe: Recipe,
    folder: str | Path,
    *,
    seed: int = 0,
    console: rich.console.Console | None = None,
) -> TrainingResult:
    """Trains a classifier and leaves it with its best weights by validation loss.

    The test split is not looked at.

    Args:
        classifier: A new classifier, whose variables are in the strategy's scope.
        data: The rows.
        recipe: How to train.
        folder: Where history.csv and TensorBoard's files go.
        seed: Order of the rows; initial weights and dropout have Keras' own seed.
        console: Where to show progress; None for nowhere.

    Raises:
        OptionError: The recipe trains for no epoch.
        RunError: The loss is not a number.
        StorageError: A file cannot be written.
    """
    began = time.perf_counter()
    folder = Path(folder)
    rows: dict[str, LabelledTokens] = {
        part: (tokenize(classifier.text, split.texts), split.labels)
        for part, split in (("train", data.train), ("validation", data.validation))
    }
    history = History(folder / "history.csv", min(recipe.batch_size, len(data.train)))
    try:
        if classifier.entry.solve is None:
            best_epoch = _Fit(classifier, rows, recipe, history, folder, seed, console).run()
        else:
            best_epoch = _solve(classifier, rows, recipe, history)
    except StorageError:
        raise
    except OSError as error:
        raise explain_os_error(error, folder) from error
    seconds = time.perf_counter() - began
    return TrainingResult(
        history=history.lines,
        best_epoch=best_epoch,
        seconds=seconds,
        texts_per_second=history.timed_texts / history.timed_seconds if history.timed_texts else 0,
        trained_parameters=_count(classifier.network.trainable_weights),
        total_parameters=_count(classifier.network.weights),
    )


def _solve(
    classifier: Classifier, rows: dict[str, LabelledTokens], recipe: Recipe, history: History
) -> int:
    assert classifier.entry.solve is not None
    weights = class_weights(recipe.class_weight, rows["train"][1], classifier.label_names)
    lines = classifier.entry.solve(
        classifier.text, classifier.network, rows["train"], rows["validation"], weights
    )
    for line in lines:
        history.add({"phase": "solve", **line})
    return 1 + int(np.argmin([line["val_loss"] for line in lines]))


@dataclass
class _Fit:
    """Gradient descent, in phases: the head on a frozen encoder, then everything."""

    classifier: Classifier
    rows: dict[str, LabelledTokens]
    recipe: Recipe
    history: History
    folder: Path
    seed: int
    console: rich.console.Console | None

    def run(self) -> int:
        """Leaves the classifier with its best weights and returns their epoch."""
        recipe, best_file = self.recipe, self.folder / BEST_WEIGHTS_FILE
        phases = {"train": recipe.epochs}
        if self.classifier.encoder is not None:
            phases = {"frozen": recipe.frozen_epochs, "fine-tune": recipe.epochs}
        if not sum(phases.values()):
            raise OptionError("the recipe trains for no epoch; set epochs to 1 or more")
        self._check_batch_size()
        best = BestWeights()
        passes_done = 0
        for phase, epochs in phases.items():
            if not epochs:
                continue
            frozen = phase == "frozen"
            self.classifier.train_encoder(not frozen)
            self.history.phase = phase
            if frozen:
                passes_done += self._fit_head(epochs, passes_done, best)
            else:
                best.save = lambda: self.classifier.save_weights(best_file)
                passes_done += self._fit_all(epochs, passes_done, best)
        self.classifier.load_weights(best_file)
        best_file.unlink()
        return best.best_epoch

    def _check_batch_size(self) -> None:
        batch_size = self.history.batch_size
        replicas = self.classifier.network.distribute_strategy.num_replicas_in_sync
        if batch_size % replicas:
            raise OptionError(
                f"a batch of {batch_size} rows cannot be shared equally by {replicas} devices; "
                f"set batch_size to {max(batch_size // replicas, 1) * replicas}"
            )

    def _fit_all(self, epochs: int, first_pass: int, best: BestWeights) -> int:
        """Trains the network and returns how many passes over the rows that took."""
        batches, steps = training_batches(
            self.classifier.text,
            *self.rows["train"],
            batch_size=self.history.batch_size,
            seed=self.seed,
            first_pass=first_pass,
        )
        validation = evaluation_batches(
            self.classifier.text, *self.rows["validation"], batch_size=EVALUATION_BATCH
        )
        return self._fit(self.classifier.network, batches, steps, validation, epochs, best)

    def _fit_head(self, epochs: int, first_pass: int, best: BestWeights) -> int:
        """Does the same with the head alone, on features that are computed once."""
        head = self.classifier.head
        tokens = {part: tokens for part, (tokens, _) in self.rows.items()}
        features = frozen_features(self.classifier, tokens, self.console)
        order, steps = training_order(
            tokens["train"].lengths,
            batch_size=self.history.batch_size,
            seed=self.seed,
            first_pass=first_pass,
        )
        batches = batches_of(order, features["train"].load, self.rows["train"][1])
        in_order = tf.data.Dataset.range(len(tokens["validation"]), output_type=tf.int32)
        validation = batches_of(
            in_order.batch(HEAD_EVALUATION_BATCH),
            features["validation"].load,
            self.rows["validation"][1],
        )
        kept: dict[str, list[np.ndarray]] = {}
        best.save = lambda: kept.update(best=head.get_weights())
        passes = self._fit(head, batches, steps, validation, epochs, best)
        head.set_weights(kept["best"])
        self.classifier.save_weights(self.folder / BEST_WEIGHTS_FILE)
        return passes

    def _fit(
        self,
        model: keras.Model,
        batches: tf.data.Dataset,
        steps_a_pass: int,
        validation: tf.data.Dataset,
        epochs: int,
        best: BestWeights,
    ) -> int:
        recipe, phase = self.recipe, self.history.phase
        passes = -(-recipe.min_steps_per_epoch // steps_a_pass)
        steps = passes * steps_a_pass
        self._compile(model, steps)
        progress = Progress(self.console, steps, self.history)
        try:
            model.fit(
                batches,
                epochs=epochs,
                steps_per_epoch=steps,
                validation_data=validation,
                callbacks=[
                    self.history,
                    progress,
                    best,
                    _StopOnNaN(),
                    keras.callbacks.TensorBoard(self.folder / "tensorboard" / phase),
                    keras.callbacks.EarlyStopping("val_loss", patience=recipe.patience),
                ],
                verbose=0,
            )
        finally:
            progress.close()
        return passes * epochs

    def _compile(self, model: keras.Model, steps: int) -> None:
        labels, frozen = self.rows["train"][1], self.history.phase == "frozen"
        recipe = self.recipe
        weights = class_weights(recipe.class_weight, labels, self.classifier.label_names)
        with self.classifier.network.distribute_strategy.scope():
            model.compile(
                make_optimizer(recipe, steps, frozen=frozen, network=model),
                SmoothedCrossentropy(recipe.label_smoothing, weights),
                [keras.metrics.SparseCategoricalAccuracy("accuracy")],
                # A step of a head takes less time than what Keras does around it.
                steps_per_execution=steps if frozen else 1,
            )


class _StopOnNaN(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if logs and not np.isfinite([logs["loss"], logs["val_loss"]]).all():
            raise RunError(
                f"the loss is {logs['loss']} after epoch {epoch + 1}: try a smaller learning_rate"
            )


def _count(weights: list[Any]) -> int:
    """Returns how many numbers; what a module from TF Hub holds besides is not counted."""
    return sum(int(np.prod(weight.shape)) for weight in weights if weight.dtype.is_floating)
