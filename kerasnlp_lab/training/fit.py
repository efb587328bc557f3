"""`Fit`: the training loop, through all phases of a recipe."""

from __future__ import annotations

import hashlib
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rich.console
import tensorflow as tf

from kerasnlp_lab.display import first_few
from kerasnlp_lab.errors import RunError, TrainingStopped
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.training.history import History
from kerasnlp_lab.training.interval import Interval
from kerasnlp_lab.training.optimizer import make_optimizer
from kerasnlp_lab.training.plan import Objective, Phase, Plan
from kerasnlp_lab.training.progress import Progress
from kerasnlp_lab.training.saved_training import SavedTraining
from kerasnlp_lab.training.state import TrainingState
from kerasnlp_lab.training.step_randomness import random_by_step
from kerasnlp_lab.training.steps import StepSums, TrainingSteps, sum_over_workers
from kerasnlp_lab.training.stop_signals import StopSignals
from kerasnlp_lab.training.strategy import workers_of

__all__ = ["Fit"]

SECONDS_FOR_A_RATE = 5

Validate = Callable[[Any, Any], tf.Tensor]


class Fit:
    """The training loop, through all phases of a plan.

    Each step is a function of the seed, the rows and `TrainingState`. So a resumed training ends
    exactly like one without an interruption. `keeps` says whether the checkpoints remain if the
    training stops early, for messages.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        checkpoints: Checkpoints,
        interval: Interval,
        console: rich.console.Console | None,
        keeps: bool,
    ):
        self.plan, self.objective, self.folder, self.keeps = plan, plan.objective, folder, keeps
        self.progress = Progress(console, plan.batch_size, plan.unit)
        self.saved = SavedTraining(plan, checkpoints, interval, self.progress.say)
        self.history = History(None)
        self.signals = StopSignals()
        self.strategy = plan.learner.network.distribute_strategy
        self._rate_said = False

    @property
    def state(self) -> TrainingState:
        """The progress of the training."""
        return self.saved.state

    def run(self) -> TrainingState:
        """Trains or resumes, and returns the final state.

        Raises:
            RunError: The loss is not a number, or the checkpoints belong to another training.
            TrainingStopped: SIGTERM or Ctrl-C stopped the training.
            WorkerLostError: Another worker is gone.
        """
        self._check_workers_agree(self.saved.find())
        self.saved.restore()
        writes = self.saved.checkpoints.writes
        self.history = History(self.folder if writes else None, self.state.lines)
        self.state.lines = self.history.lines
        names = list(self.plan.epochs)
        for name in names[self.state.phase :]:
            if self.plan.epochs[name]:
                self._run_phase(self.plan.make(name))
            self.saved.forget_optimizer()
            self.state.end_phase()
        last = [name for name in names if self.plan.epochs[name]][-1]
        self.plan.make_trainable(last)  # if the checkpoint had finished all phases
        self.saved.load_best()
        sum_over_workers(self.strategy, [0])  # wait until all workers have read the best weights
        self.saved.save()
        return self.state

    def _run_phase(self, phase: Phase) -> None:
        steps = self._start_steps(phase)
        validate = _validation_graph(phase, self.objective)
        seed = f"{self.plan.seed} {phase.name}"
        first_call = True
        try:
            with random_by_step(phase.model, seed, steps.optimizer.iterations), self.signals:
                while (
                    self.state.epoch < phase.epochs
                    and self.state.waited < self.plan.recipe.patience
                ):
                    self._run_epoch(phase, steps, validate, first_call)
                    first_call = False
                if sum_over_workers(self.strategy, [self.signals.caught is not None])[0]:
                    self._stop(phase, steps)
        finally:
            self.progress.close()
        self.saved.end_phase(steps.optimizer)
        if phase.name == "frozen":  # the best head together with the unchanged encoder
            self.saved.load_best()
            self.saved.keep_best("network")

    def _start_steps(self, phase: Phase) -> TrainingSteps:
        """Returns the steps of a phase, starting at the step of the checkpoint."""
        done = self.state.epoch * phase.steps + self.state.step
        with self.strategy.scope():
            optimizer = make_optimizer(
                self.plan.recipe, phase.steps, frozen=phase.name == "frozen", network=phase.model
            )
        steps = TrainingSteps(
            phase.model, optimizer, self.objective, lambda share: phase.batches(done, share)
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
            self._add_sums(phase, sums)
            if not first_call:  # the first call also builds the graph
                texts += count * self.plan.batch_size
                seconds += time.perf_counter() - began
            first_call = False
            if stop:
                self._stop(phase, steps)
            if self.saved.interval.due(state.steps):
                self.saved.save_learned(steps.optimizer)
            self.progress.step(state.step)
            self._say_rate(phase, texts, seconds)
        validation = self._validate(phase, steps, validate)
        state.timed_texts += texts
        state.timed_seconds += seconds
        line = {
            "phase": phase.name,
            "loss": state.losses / phase.steps,
            **self._ratios([state.right, state.counted, *state.measured]),
            **validation,
            "seconds": self.saved.epoch_seconds(),
            "texts_per_second": texts / seconds if texts else 0.0,
        }
        self.history.add(line)
        by_loss = self.objective.best_epoch_by == "loss"
        self._keep_if_best(
            phase, validation["val_loss"] if by_loss else -validation["val_accuracy"]
        )
        state.end_epoch()
        self.saved.begin_epoch()
        self.progress.end(state.epoch, line)

    def _say_rate(self, phase: Phase, rows: int, seconds: float) -> None:
        """Says once how long the phase will take, as soon as the rate is known."""
        if not self._rate_said and seconds > SECONDS_FOR_A_RATE:
            self._rate_said = True
            left = (phase.epochs - self.state.epoch) * phase.steps - self.state.step
            if note := self.plan.rate_note(rows / seconds, left):
                self.progress.say(note)

    def _take_steps(self, steps: TrainingSteps, count: int) -> tuple[StepSums, bool]:
        try:
            return steps(count, self.signals.caught is not None)
        except (tf.errors.DataLossError, tf.errors.NotFoundError):
            self.plan.check_rows()  # raises an error that names the shard
            raise

    def _add_sums(self, phase: Phase, sums: StepSums) -> None:
        """Adds the sums of some steps to the state."""
        state, losses = self.state, sums.loss / sums.weight
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            step = state.step + int(bad[0])
            raise self._not_finite_error(phase, f"the loss is {losses[bad[0]]}", step)
        # Doubles, added step by step, give the same sum for any number of steps in a call.
        state.measured = state.measured or [0.0] * (2 * len(self.objective.measures))
        for loss, (right, counted, *others) in zip(losses, sums.tally.tolist(), strict=True):
            state.losses += float(loss)
            state.right += right
            state.counted += counted
            state.measured = [a + b for a, b in zip(state.measured, others, strict=True)]
        state.step += len(losses)
        state.steps += len(losses)

    def _validate(self, phase: Phase, steps: TrainingSteps, validate: Validate) -> dict[str, float]:
        sums = np.zeros(4 + 2 * len(self.objective.measures))  # of losses, their weight, the tally
        for features, targets in phase.validation.shard(*workers_of(self.strategy)):
            if self.signals.caught:
                break
            sums += validate(features, targets).numpy()
        stop = self.signals.caught is not None
        loss, weight, *tally, stops = sum_over_workers(self.strategy, [*sums, stop])
        if stops:
            self._stop(phase, steps)
        if not np.isfinite(loss):
            raise self._not_finite_error(phase, f"the validation loss is {loss}", phase.steps - 1)
        ratios = {f"val_{name}": ratio for name, ratio in self._ratios(tally).items()}
        return {"val_loss": loss / weight, **ratios}

    def _ratios(self, tally: Sequence[float]) -> dict[str, float]:
        """Returns the accuracy, and the objective's other measures, of a sum of tallies."""
        names = ("accuracy", *self.objective.measures)
        pairs = zip(tally[::2], tally[1::2], strict=True)
        counted = zip(names, pairs, strict=True)
        # Without anything to count there is no measure, such as of pairs where no text has any.
        return {name: a / max(of, 1) for name, (a, of) in counted if of or name == "accuracy"}

    def _keep_if_best(self, phase: Phase, loss: float) -> None:
        """Keeps the weights if they are the best so far, and counts epochs that are not.

        Args:
            phase: The phase.
            loss: The validation loss, or the negative accuracy; see `Task.best_epoch_by`.
        """
        state = self.state
        if loss < state.best_loss:
            state.best_loss, state.best_epoch = loss, len(state.lines)
            self.saved.keep_best("head" if phase.name == "frozen" else "network")
        state.waited = 0 if loss < state.phase_best else state.waited + 1
        state.phase_best = min(loss, state.phase_best)

    # Stopping early

    def _check_workers_agree(self, steps: int) -> None:
        """Raises RunError unless all workers start from the same rows, options and checkpoint."""
        digest = hashlib.sha256(self.plan.fingerprint.encode()).digest()
        here = [steps, int.from_bytes(digest[:4], "big")]
        workers, _ = workers_of(self.strategy)
        if sum_over_workers(self.strategy, here) != [number * workers for number in here]:
            raise RunError(
                "the workers do not start alike: give all of them the same rows, options and "
                f"--output, and put {self.saved.checkpoints.folder} on storage that they share"
            )

    def _stop(self, phase: Phase, steps: TrainingSteps) -> None:
        self.saved.save_learned(steps.optimizer)
        caught = self.signals.caught or signal.SIGTERM  # None if another worker caught the signal
        kept = (
            f"all is saved, resume with: {self.plan.resume_command(self.folder)}"
            if self.keeps
            else "nothing is kept"
        )
        raise TrainingStopped(
            f"stopped by {caught.name} after step {self.state.step} of {phase.steps} in "
            f"{phase.name} epoch {self.state.epoch + 1}; {kept}",
            caught,
        )

    def _not_finite_error(self, phase: Phase, what: str, step: int) -> RunError:
        rows = self.plan.where(phase.name, self.state.epoch * phase.steps + step)
        checkpoints = self.saved.checkpoints
        kept = f"the last checkpoint is kept in {checkpoints.folder}; "
        kept = kept if self.keeps and checkpoints.saved else ""
        recipe = self.plan.recipe
        rate = recipe.head_learning_rate if phase.name == "frozen" else recipe.learning_rate
        return RunError(
            f"{what} at step {step + 1} of {phase.steps} in {phase.name} epoch "
            f"{self.state.epoch + 1}, on the training rows {first_few(rows, 8)}; {kept}train "
            f"again with a smaller learning rate than {rate:g}, with more warm-up, or with "
            "clip_norm 1; and check those rows"
        )


def _validation_graph(phase: Phase, objective: Objective) -> Validate:
    """Returns a graph that sums a batch's losses, their weights and the tally."""

    def sums(features: Any, targets: Any) -> tf.Tensor:
        logits = phase.model(features, training=False)
        return tf.concat(
            [tf.stack(objective.losses(logits, targets)), objective.tally(logits, targets)], 0
        )

    graph = tf.function(sums, input_signature=phase.validation.element_spec, autograph=False)
    # Calling the tf.function itself warns about retracing in processes with many models.
    return graph.get_concrete_function()
