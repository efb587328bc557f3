"""`Fit`: gradient descent through all phases of a recipe."""

from __future__ import annotations

import hashlib
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rich.console
import tensorflow as tf

from kerasnlp_lab.data import TextDataset
from kerasnlp_lab.errors import RunError, TrainingStopped
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.training.history import History
from kerasnlp_lab.training.interval import Interval
from kerasnlp_lab.training.optimizer import make_optimizer
from kerasnlp_lab.training.phases import Phase, Phases
from kerasnlp_lab.training.progress import Progress
from kerasnlp_lab.training.saved_training import SavedTraining
from kerasnlp_lab.training.state import TrainingState
from kerasnlp_lab.training.step_randomness import random_by_step
from kerasnlp_lab.training.steps import StepSums, TrainingSteps, sum_over_workers
from kerasnlp_lab.training.stop_signals import StopSignals
from kerasnlp_lab.training.strategy import workers_of
from kerasnlp_lab.zoo import Classifier, Recipe

__all__ = ["Fit", "task_in_training"]

NAMED_ROWS = 8

Validate = Callable[[Any, Any], tf.Tensor]


class Fit:
    """Gradient descent through all phases of a recipe.

    Everything that happens is a function of the seed, the rows and `TrainingState`, so that a
    resumed training ends as it would have ended without the interruption.

    Args:
        classifier: A new classifier; it is left with its best weights.
        data: The rows.
        recipe: How to train.
        folder: The folder for the history.
        checkpoints: The checkpoints to save and to resume from.
        interval: When to save.
        seed: The order of the rows, and dropout.
        console: Where to show progress; None for nowhere.
        keeps: Whether the checkpoints outlast a training that ends early, for messages.
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
        self.classifier, self.recipe, self.folder, self.seed = classifier, recipe, folder, seed
        self.keeps = keeps
        self.task = task_in_training(classifier.task, data, recipe)
        self.phases = Phases(classifier, self.task, data, recipe, seed, console)
        self.progress = Progress(console, self.phases.batch_size)
        self.saved = SavedTraining(
            classifier, checkpoints, interval, self.phases.batch_size, self.progress.say
        )
        self.history = History(None)
        self.signals = StopSignals()
        self.strategy = classifier.network.distribute_strategy
        self._rows_and_options = f"{data.fingerprint} {recipe} {seed}"

    @property
    def state(self) -> TrainingState:
        """How far the training is."""
        return self.saved.state

    def run(self) -> TrainingState:
        """Trains, or resumes, and returns how it ended."""
        self._check_workers_agree(self.saved.find())
        self.saved.restore()
        writes = self.saved.checkpoints.writes
        self.history = History(self.folder if writes else None, self.state.lines)
        self.state.lines = self.history.lines
        names = list(self.phases.epochs)
        for name in names[self.state.phase :]:
            if self.phases.epochs[name]:
                self._run_phase(self.phases.make(name))
            self.saved.forget_optimizer()
            self.state.end_phase()
        last = [name for name in names if self.phases.epochs[name]][-1]
        self.classifier.train_encoder(last != "frozen")  # where all phases were done before
        self.saved.load_best()
        sum_over_workers(self.strategy, [0])  # all have read what they need
        self.saved.save()
        return self.state

    def _run_phase(self, phase: Phase) -> None:
        steps = self._steps_of(phase)
        validate = _validation(phase, self.task)
        seed = f"{self.seed} {phase.name}"
        first_call = True
        try:
            with random_by_step(phase.model, seed, steps.optimizer.iterations), self.signals:
                while self.state.epoch < phase.epochs and self.state.waited < self.recipe.patience:
                    self._run_epoch(phase, steps, validate, first_call)
                    first_call = False
                if sum_over_workers(self.strategy, [self.signals.caught is not None])[0]:
                    self._stop(phase, steps)
        finally:
            self.progress.close()
        self.saved.end_phase(steps.optimizer)
        if phase.name == "frozen":  # the best head, and the encoder as it still is
            self.saved.load_best()
            self.saved.keep_best("network")

    def _steps_of(self, phase: Phase) -> TrainingSteps:
        """Returns the steps of a phase, from where it was interrupted."""
        done = self.state.epoch * phase.steps + self.state.step
        with self.strategy.scope():
            optimizer = make_optimizer(
                self.recipe, phase.steps, frozen=phase.name == "frozen", network=phase.model
            )
        steps = TrainingSteps(
            phase.model, optimizer, self.task, lambda share: phase.batches(done, share)
        )
        if not self.saved.restore_optimizer(optimizer):
            self.state.timed_texts, self.state.timed_seconds = 0, 0.0
        return steps

    def _run_epoch(
        self, phase: Phase, steps: TrainingSteps, validate: Validate, first_call: bool
    ) -> None:
        state = self.state
        self.saved.begin_epoch()
        self.progress.begin(f"{phase.name} epoch {state.epoch + 1}", phase.steps, state.step)
        texts, seconds = 0, 0.0
        while state.step < phase.steps:
            count = min(phase.steps_a_call, phase.steps - state.step)
            began = time.perf_counter()
            sums, stop = self._take_steps(steps, count)
            self._add(phase, sums)
            if not first_call:  # in which TensorFlow builds its graph
                texts += count * self.phases.batch_size
                seconds += time.perf_counter() - began
            first_call = False
            if stop:
                self._stop(phase, steps)
            if self.saved.interval.due(state.steps):
                self.saved.save_learned(steps.optimizer)
            self.progress.step(state.step)
        validation = self._validate(phase, steps, validate)
        state.timed_texts += texts
        state.timed_seconds += seconds
        line = {
            "phase": phase.name,
            "loss": state.losses / phase.steps,
            "accuracy": state.right / state.counted,
            **validation,
            "seconds": self.saved.epoch_seconds(),
            "texts_per_second": texts / seconds if texts else 0.0,
        }
        self.history.add(line)
        self._keep_if_best(phase, validation["val_loss"])
        state.end_epoch()
        self.saved.begin_epoch()
        self.progress.end(state.epoch, line)

    def _take_steps(self, steps: TrainingSteps, count: int) -> tuple[StepSums, bool]:
        try:
            return steps(count, self.signals.caught is not None)
        except (tf.errors.DataLossError, tf.errors.NotFoundError):
            self.phases.rows.check()  # says which shard it is
            raise

    def _add(self, phase: Phase, sums: StepSums) -> None:
        """Adds the sums of some steps to the state."""
        state, losses = self.state, sums.loss / sums.weight
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            step = state.step + int(bad[0])
            raise self._not_a_number(phase, f"the loss is {losses[bad[0]]}", step)
        # In double precision and step by step: a sum that does not depend on the calls.
        for loss, right, counted in zip(losses, sums.right, sums.counted, strict=True):
            state.losses += float(loss)
            state.right += float(right)
            state.counted += float(counted)
        state.step += len(losses)
        state.steps += len(losses)

    def _validate(self, phase: Phase, steps: TrainingSteps, validate: Validate) -> dict[str, float]:
        sums = np.zeros(4)  # of losses, their weight, right answers, answers
        for features, targets in phase.validation.shard(*workers_of(self.strategy)):
            if self.signals.caught:
                break
            sums += validate(features, targets).numpy()
        stop = self.signals.caught is not None
        loss, weight, right, counted, stops = sum_over_workers(self.strategy, [*sums, stop])
        if stops:
            self._stop(phase, steps)
        if not np.isfinite(loss):
            raise self._not_a_number(phase, f"the validation loss is {loss}", phase.steps - 1)
        return {"val_loss": loss / weight, "val_accuracy": right / counted}

    def _keep_if_best(self, phase: Phase, loss: float) -> None:
        """Keeps the weights if they are the best so far, and counts epochs that are not."""
        state = self.state
        if loss < state.best_loss:
            state.best_loss, state.best_epoch = loss, len(state.lines)
            self.saved.keep_best("head" if phase.name == "frozen" else "network")
        state.waited = 0 if loss < state.phase_best else state.waited + 1
        state.phase_best = min(loss, state.phase_best)

    # Endings before the end

    def _check_workers_agree(self, steps: int) -> None:
        """Makes sure that all workers start from the same rows, options and checkpoint."""
        digest = hashlib.sha256(self._rows_and_options.encode()).digest()
        here = [steps, int.from_bytes(digest[:4], "big")]
        workers, _ = workers_of(self.strategy)
        if sum_over_workers(self.strategy, here) != [number * workers for number in here]:
            raise RunError(
                "the workers do not begin alike: all must be given the same rows, options and "
                f"--output, and see the same {self.saved.checkpoints.folder}, on storage that "
                "they share"
            )

    def _stop(self, phase: Phase, steps: TrainingSteps) -> None:
        self.saved.save_learned(steps.optimizer)
        caught = self.signals.caught or signal.SIGTERM  # another worker caught it, then
        kept = f"all is saved, resume with: kerasnlp-lab train --resume {self.folder}"
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
        checkpoints = self.saved.checkpoints
        kept = f"the last checkpoint is kept in {checkpoints.folder}; "
        kept = kept if self.keeps and checkpoints.saved else ""
        rate = self.recipe.learning_rate
        if phase.name == "frozen":
            rate = self.recipe.head_learning_rate
        return RunError(
            f"{what} at step {step + 1} of {phase.steps} in {phase.name} epoch "
            f"{self.state.epoch + 1}, on the training rows {named}{more}; {kept}train again with "
            f"a smaller learning rate than {rate:g}, with more warm-up, or with clip_norm 1; and "
            "look at those rows"
        )


def task_in_training(task: Task, data: TextDataset, recipe: Recipe) -> Task:
    """Returns a task with the fields of the recipe that it uses."""
    return task.for_training(data, **{name: getattr(recipe, name) for name in task.recipe_fields})


def _validation(phase: Phase, task: Task) -> Validate:
    """Returns a graph from a batch to its sums of losses, weights, right answers and answers."""

    def sums(features: Any, targets: Any) -> tf.Tensor:
        logits = phase.model(features, training=False)
        return tf.concat([tf.stack(task.losses(logits, targets)), task.tally(logits, targets)], 0)

    graph = tf.function(sums, input_signature=phase.validation.element_spec, autograph=False)
    # A call of the tf.function itself warns of many traces where many models are trained.
    return graph.get_concrete_function()
