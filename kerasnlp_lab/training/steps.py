"""`TrainingSteps`: takes the steps of gradient descent under any distribution strategy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from kerasnlp_lab._internals import create_slots
from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import WorkerLostError, first_line
from kerasnlp_lab.text import Share
from kerasnlp_lab.training.plan import Objective
from kerasnlp_lab.training.strategy import workers_of

__all__ = ["StepSums", "TrainingSteps", "explain_lost_worker", "share_of", "sum_over_workers"]


class StepSums(NamedTuple):
    """Sums over the global batch for each step, float32 [steps] but for the tally."""

    loss: np.ndarray
    weight: np.ndarray  # by which to divide the loss
    tally: np.ndarray  # float32 [steps, 2 or more]: see `Task.tally`


class TrainingSteps:
    """Gradient descent on endless batches, with several steps in one call.

    It minimizes the objective's sum of losses over the global batch, divided by their weight. The
    optimizer was created in the strategy's scope. `batches` takes the share of a process and
    returns its batches of (features, targets).
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.legacy.Optimizer,
        objective: Objective,
        batches: Callable[[Share], tf.data.Dataset],
    ):
        self.model, self.optimizer, self.objective = model, optimizer, objective
        self.strategy = model.distribute_strategy
        with self.strategy.scope():
            create_slots(optimizer, model.trainable_variables)
        distributed = self.strategy.distribute_datasets_from_function(
            lambda context: batches(share_of(context))
        )
        self._iterator = iter(distributed)
        self._call = tf.function(self._steps, autograph=False)

    def __call__(self, steps: int, stop: bool = False) -> tuple[StepSums, bool]:
        """Takes some steps, and returns their sums, and whether any process was asked to `stop`.

        Raises WorkerLostError if another worker is gone.
        """
        number = None if steps == 1 else tf.constant(steps)
        with explain_lost_worker(self.strategy):
            sums = self._call(self._iterator, number, tf.constant(stop, tf.float32)).numpy()
        loss, weight, *tally, stops = sums.T
        return StepSums(loss, weight, np.stack(tally, axis=1)), bool(stops.any())

    def _steps(self, iterator: Any, steps: tf.Tensor | None, stop: tf.Tensor) -> tf.Tensor:
        """Returns `StepSums` and the number of requests to stop, float32 [steps, 5 or more]."""
        if steps is None:
            return self._step(iterator, stop)[tf.newaxis]
        columns = 5 + 2 * len(self.objective.measures)
        _, sums = tf.while_loop(
            lambda step, _: step < steps,
            lambda step, sums: (step + 1, sums.write(step, self._step(iterator, stop))),
            (tf.constant(0), tf.TensorArray(tf.float32, steps, element_shape=[columns])),
        )
        return sums.stack()

    def _step(self, iterator: Any, stop: tf.Tensor) -> tf.Tensor:
        sums = self.strategy.run(self._replica_step, (next(iterator), stop))
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, sums, axis=None)

    def _replica_step(self, batch: tuple[Any, Any], stop: tf.Tensor) -> tf.Tensor:
        features, targets = batch
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(features, training=True)
            loss, weight = self.objective.losses(logits, targets)
            mean = loss / self._sum_over_replicas(weight)
        gradients = tape.gradient(mean, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        tally = self.objective.tally(logits, targets)
        return tf.concat([tf.stack([loss, weight]), tally, [stop]], axis=0)

    def _sum_over_replicas(self, weight: tf.Tensor) -> tf.Tensor:
        """Returns the sum of a number over all replicas, float32 []."""
        if self.strategy.num_replicas_in_sync == 1:
            return weight
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, weight)


def sum_over_workers(strategy: tf.distribute.Strategy, numbers: Sequence[float]) -> list[float]:
    """Returns the sums of numbers over all workers, once all have called it.

    Raises WorkerLostError if another worker is gone.
    """
    workers, _ = workers_of(strategy)
    if workers == 1:
        return list(numbers)
    replicas = strategy.num_replicas_in_sync // workers
    with explain_lost_worker(strategy):
        here = strategy.run(lambda: tf.constant(numbers, tf.float64) / replicas)
        return strategy.reduce(tf.distribute.ReduceOp.SUM, here, None).numpy().tolist()


@contextlib.contextmanager
def explain_lost_worker(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Turns the error of a lost worker into a `WorkerLostError`."""
    try:
        yield
    except (tf.errors.DataLossError, tf.errors.NotFoundError):  # a file of this worker
        raise
    except tf.errors.OpError as error:
        if workers_of(strategy)[0] == 1:
            raise
        raise WorkerLostError(
            f"another worker is gone ({first_line(error)}); see its output. The last checkpoint is "
            "kept: start the same command on all workers again"
        ) from error


def share_of(context: tf.distribute.InputContext) -> Share:
    """Returns the share of each batch that a process reads."""
    replicas = context.num_replicas_in_sync // context.num_input_pipelines
    return Share(context.input_pipeline_id * replicas, replicas, context.num_replicas_in_sync)
