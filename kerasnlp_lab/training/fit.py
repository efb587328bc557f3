"""`Fit`: gradient descent, saved as it goes, and gone on with to the last bit."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rich.console
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import TextDataset
from kerasnlp_lab.errors import RunError, TrainingStopped
from kerasnlp_lab.tasks.class_weights import class_weights
from kerasnlp_lab.tasks.losses import SmoothedCrossentropy
from kerasnlp_lab.training.checkpoints import Checkpoints, arrays_sha256
from kerasnlp_lab.training.history import History
from kerasnlp_lab.training.interval import Interval
from kerasnlp_lab.training.optimizer import make_optimizer
from kerasnlp_lab.training.phases import Phase, Phases
from kerasnlp_lab.training.progress import Progress
from kerasnlp_lab.training.state import TrainingState
from kerasnlp_lab.training.step_randomness import random_by_step
from kerasnlp_lab.training.steps import TrainingSteps, sum_over_workers
from kerasnlp_lab.training.stop_signals import StopSignals
from kerasnlp_lab.training.strategy import workers_of
from kerasnlp_lab.zoo import Classifier, Recipe

__all__ = ["Fit"]

NAMED_ROWS = 8


class Fit:
    """Gradient descent through all phases of a recipe.

    All that happens is a function of the seed, the rows and `TrainingState`: a training
    that goes on from a checkpoint ends as it would have without.

    Args:
        classifier: A new classifier; it is left with its best weights.
        data: The rows.
        recipe: How to train.
        folder: Where history goes.
        checkpoints: What to go on from, and where to save.
        interval: When to save.
        seed: Order of the rows and dropout.
        console: Where to show progress; None for nowhere.
        keeps: Whether the checkpoints outlast a training that ends early, to be told.
    """

    def __init__(
        self,
        classifier: Classifier,
        data: TextDataset,
        recipe: Recipe,
        folder: Path,
        checkpoints: Checkpoints,
        interval: Interval,
        seed: int,
        console: rich.console.Console | None,
        keeps: bool,
    ):
        self.keeps = keeps
        self.classifier, self.recipe, self.folder, self.seed = classifier, recipe, folder, seed
        self.checkpoints, self.interval = checkpoints, interval
        self.phases = Phases(classifier, data, recipe, seed, console)
        self.progress = Progress(console, self.phases.batch_size)
        counts = data.train.label_counts(len(data.label_names))
        weights = class_weights(recipe.class_weight, counts, data.label_names)
        self.loss = SmoothedCrossentropy(recipe.label_smoothing, weights)
        self.signals = StopSignals()
        self.strategy = classifier.network.distribute_strategy
        self._same = hashlib.sha256(f"{data.fingerprint} {recipe} {seed}".encode()).digest()
        self.state = TrainingState(texts=json.dumps(classifier.text.fingerprint(), sort_keys=True))

    def run(self) -> TrainingState:
        """Trains, or goes on with it, and returns how it ended."""
        self._began = self._epoch_began = time.perf_counter()
        saved = self._go_on()
        self.history = History(self.folder if self.checkpoints.writes else None, self.state.lines)
        self.state.lines = self.history.lines
        names = list(self.phases.epochs)
        for name in names[self.state.phase :]:
            if self.phases.epochs[name]:
                self._run(self.phases.make(name), saved)
            saved = {}
            self.state.end_phase()
        last = [name for name in names if self.phases.epochs[name]][-1]
        self.classifier.train_encoder(last != "frozen")  # where all phases were done before
        self._best_weights()
        self._sum([0])  # all have read what they need
        self._save({})
        return self.state

    def _sum(self, numbers: Sequence[float]) -> list[float]:
        return sum_over_workers(self.strategy, numbers)

    # What is saved, and gone on from

    def _go_on(self) -> dict[str, np.ndarray]:
        """Takes state and weights from the newest checkpoint; returns its arrays, if any."""
        found = self.checkpoints.newest()
        self._check_same(0 if found is None else found[1].get("steps", 0))
        if found is None:
            return {}
        arrays, state, broken = found
        for what in broken:
            self.progress.say(f"{what}; the checkpoint before it is used")
        if state.get("texts") != self.state.texts:
            raise RunError(
                f"{self.checkpoints.folder} was saved with another vocabulary or preprocessing; "
                "put the model's files back as they were, or train again in another folder"
            )
        if getattr(self.classifier.options, "encoder", "") == "module":
            self.progress.say(
                "the encoder's dropout is in TF Hub's own graph and begins anew: the result will "
                "differ a little from that of a run that was not stopped (reopened, it would not)"
            )
        try:
            self.state = TrainingState(**state)
        except TypeError as error:
            raise RunError(
                f"{self.checkpoints.folder} is of another version of kerasnlp_lab: go on with "
                "that, or train again in another folder"
            ) from error
        self.interval.begin(self.state.steps)
        self._assign(arrays)
        return arrays

    def _check_same(self, steps: int) -> None:
        """Makes sure that all workers begin alike."""
        here = [steps, int.from_bytes(self._same[:4], "big")]
        workers, _ = workers_of(self.strategy)
        if self._sum(here) != [number * workers for number in here]:
            raise RunError(
                "the workers do not begin alike: all must be given the same rows, options and "
                f"--output, and see the same {self.checkpoints.folder}, on storage that they share"
            )

    def _assign(self, arrays: dict[str, np.ndarray]) -> None:
        """Sets those of the network's weights that are there."""
        for name, variable in self.classifier.named_weights().items():
            if name not in arrays:
                continue
            if arrays[name].size != np.prod(variable.shape):
                raise RunError(
                    f"{self.checkpoints.folder} is of another network: {name} has "
                    f"{arrays[name].size} numbers, expected the shape {variable.shape}"
                )
            variable.assign(arrays[name].reshape(variable.shape))

    def _weights(self) -> dict[str, np.ndarray]:
        named = self.classifier.named_weights()
        return {name: np.asarray(variable.numpy()) for name, variable in named.items()}

    def _learned(self) -> dict[str, np.ndarray]:
        """Returns the weights and the optimizer's variables."""
        variables = self.steps.optimizer.variables()
        return self._weights() | {_slot(n): one.numpy() for n, one in enumerate(variables)}

    def _save(self, arrays: dict[str, np.ndarray]) -> None:
        now = time.perf_counter()
        self.state.seconds += now - self._began
        self.state.epoch_seconds += now - self._epoch_began
        self._began = self._epoch_began = now
        self.checkpoints.save(self.state.steps, arrays, dataclasses.asdict(self.state))
        self.interval.begin(self.state.steps)

    def _save_learned(self) -> None:
        if not self.checkpoints.writes:
            return
        arrays = self._learned()
        if all(np.isfinite(array).all() for array in arrays.values()):
            self._save(arrays)  # and else the next loss is not a number, on all workers

    def _best_weights(self) -> None:
        self._assign(self.checkpoints.best(self.state.best_file))

    # A phase, an epoch, a step

    def _run(self, phase: Phase, saved: dict[str, np.ndarray]) -> None:
        done = self.state.epoch * phase.steps + self.state.step
        with self.strategy.scope():
            optimizer = make_optimizer(
                self.recipe, phase.steps, frozen=phase.name == "frozen", network=phase.model
            )
        self.steps = TrainingSteps(
            phase.model,
            optimizer,
            self.loss,
            lambda share: phase.batches(done, share),
            self.phases.batch_size,
        )
        for number, variable in enumerate(optimizer.variables()):
            if saved:
                variable.assign(saved[_slot(number)].reshape(variable.shape))
        validate = _validation(phase, self.loss)
        randomness = random_by_step(
            phase.model, f"{self.seed} {phase.name}", self.steps.optimizer.iterations
        )
        if not saved:
            self.state.timed_texts, self.state.timed_seconds = 0, 0.0
        self._traced = False
        try:
            with randomness, self.signals:
                while self.state.epoch < phase.epochs and self.state.waited < self.recipe.patience:
                    self._epoch(phase, validate)
                if self._sum([self.signals.caught is not None])[0]:
                    self._stop(phase)
        finally:
            self.progress.close()
        self.state.sha256 = arrays_sha256(self._learned())
        if phase.name == "frozen":  # the best head, and the encoder as it still is
            self._best_weights()
            self._keep_best("network")

    def _epoch(self, phase: Phase, validate: Any) -> None:
        state = self.state
        self._epoch_began = time.perf_counter()
        self.progress.begin(f"{phase.name} epoch {state.epoch + 1}", phase.steps, state.step)
        texts, seconds = 0, 0.0
        while state.step < phase.steps:
            count = min(phase.steps_a_call, phase.steps - state.step)
            began = time.perf_counter()
            stop = self._take(phase, count)
            if self._traced:  # without what TensorFlow builds its graph in
                texts += count * self.phases.batch_size
                seconds += time.perf_counter() - began
            self._traced = True
            if stop:
                self._stop(phase)
            if self.interval.due(state.steps):
                self._save_learned()
            self.progress.step(state.step)
        validation = self._validate(phase, validate)
        state.timed_texts += texts
        state.timed_seconds += seconds
        line = {
            "phase": phase.name,
            "loss": state.losses / phase.steps,
            "accuracy": state.right / (phase.steps * self.phases.batch_size),
            **validation,
            "seconds": state.epoch_seconds + time.perf_counter() - self._epoch_began,
            "texts_per_second": texts / seconds if texts else 0.0,
        }
        self.history.add(line)
        self._rank(phase, validation["val_loss"])
        state.end_epoch()
        self._epoch_began = time.perf_counter()
        self.progress.end(state.epoch, line)

    def _take(self, phase: Phase, count: int) -> bool:
        """Takes some steps and tells whether to stop."""
        try:
            losses, right, stop = self.steps(count, self.signals.caught is not None)
        except (tf.errors.DataLossError, tf.errors.NotFoundError):
            self.phases.rows.check()
            raise
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            step = self.state.step + int(bad[0])
            raise self._not_a_number(phase, f"the loss is {losses[bad[0]]}", step)
        # In double precision and step by step: a sum that does not depend on the calls.
        for one, number in zip(losses, right, strict=True):
            self.state.losses += float(one)
            self.state.right += float(number)
        self.state.step += count
        self.state.steps += count
        return stop

    def _validate(self, phase: Phase, validate: Any) -> dict[str, float]:
        sums = np.zeros(3)  # of losses, right answers, rows
        for features, labels in phase.validation.shard(*workers_of(self.strategy)):
            if self.signals.caught:
                break
            sums += [*validate(features, labels).numpy(), len(labels)]
        stop = self.signals.caught is not None
        losses, right, rows, stops = self._sum([*sums, stop])
        if stops:
            self._stop(phase)
        if not np.isfinite(losses):
            raise self._not_a_number(phase, f"the validation loss is {losses}", phase.steps - 1)
        return {"val_loss": losses / rows, "val_accuracy": right / rows}

    def _rank(self, phase: Phase, loss: float) -> None:
        """Keeps the weights if they are the best, and counts epochs that are not."""
        state = self.state
        if loss < state.best_loss:
            state.best_loss, state.best_epoch = loss, len(state.lines)
            self._keep_best("head" if phase.name == "frozen" else "network")
        state.waited = 0 if loss < state.phase_best else state.waited + 1
        state.phase_best = min(loss, state.phase_best)

    def _keep_best(self, part: str) -> None:
        self.state.best_file = f"best-{self.state.best_epoch:04d}-{part}.safetensors"
        weights = self._weights()
        if part == "head":  # the encoder is as it was, and large
            weights = {name: one for name, one in weights.items() if "encoder/" not in name}
        self.checkpoints.save_best(self.state.best_file, weights)

    def _stop(self, phase: Phase) -> None:
        self._save_learned()
        caught = self.signals.caught or signal.SIGTERM  # another worker caught it, then
        kept = f"all is saved, go on with: kerasnlp-lab train --resume {self.folder}"
        kept = kept if self.keeps else "nothing is kept"
        raise TrainingStopped(
            f"stopped by {caught.name} after step {self.state.step} of {phase.steps} in "
            f"{phase.name} epoch {self.state.epoch + 1}; {kept}",
            caught,
        )

    def _not_a_number(self, phase: Phase, what: str, step: int) -> RunError:
        rows = self.phases.where(phase.name, self.state.epoch * phase.steps + step)
        named = ", ".join(rows[:NAMED_ROWS])
        more = f" and {len(rows) - NAMED_ROWS} more" if len(rows) > NAMED_ROWS else ""
        kept = f"the last checkpoint is kept in {self.checkpoints.folder}; "
        kept = kept if self.keeps and self.checkpoints.saved else ""
        rate = self.recipe.learning_rate
        if phase.name == "frozen":
            rate = self.recipe.head_learning_rate
        return RunError(
            f"{what} at step {step + 1} of {phase.steps} in {phase.name} epoch "
            f"{self.state.epoch + 1}, on the training rows {named}{more}; {kept}train again with "
            f"a smaller learning rate than {rate:g}, with more warm-up, or with clip_norm 1; and "
            "look at those rows"
        )


def _slot(number: int) -> str:
    return f"optimizer/{number:04d}"


def _validation(phase: Phase, loss: SmoothedCrossentropy) -> Any:
    """Returns a function from a batch to its sum of losses and number of right answers."""
    model: keras.Model = phase.model

    def sums(features: Any, labels: tf.Tensor) -> tf.Tensor:
        logits = model(features, training=False)
        right = tf.equal(tf.argmax(logits, axis=-1), labels)
        return tf.stack(
            [
                tf.reduce_sum(loss.call(labels, logits)),
                tf.reduce_sum(tf.cast(right, tf.float32)),
            ]
        )

    graph = tf.function(sums, input_signature=phase.validation.element_spec, autograph=False)
    # A call of the tf.function itself warns of many traces where many models are trained.
    return graph.get_concrete_function()
