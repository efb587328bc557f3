"""`TrainingSteps`: the steps of gradient descent, under any strategy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab._internals import create_slots
from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import WorkerLostError, first_line
from kerasnlp_lab.tasks.losses import SmoothedCrossentropy
from kerasnlp_lab.text import Share
from kerasnlp_lab.training.strategy import workers_of

__all__ = ["TrainingSteps", "explain_lost_worker", "share_of", "sum_over_workers"]


class TrainingSteps:
    """Gradient descent on endless batches, some steps in one call.

    Args:
        model: What is trained.
        optimizer: Made in the strategy's scope.
        loss: Its mean over the global batch is what is minimised.
        batches: From the share of a process to its batches of (features, labels).
        batch_size: Rows in a global batch.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.legacy.Optimizer,
        loss: SmoothedCrossentropy,
        batches: Callable[[Share], tf.data.Dataset],
        batch_size: int,
    ):
        self.model = model
        self.optimizer = optimizer
        self.loss = loss
        self.batch_size = batch_size
        self.strategy = model.distribute_strategy
        with self.strategy.scope():
            create_slots(optimizer, model.trainable_variables)
        distributed = self.strategy.distribute_datasets_from_function(
            lambda context: batches(share_of(context))
        )
        self._iterator = iter(distributed)
        self._call = tf.function(self._steps, autograph=False)

    def __call__(self, steps: int, stop: bool = False) -> tuple[np.ndarray, np.ndarray, bool]:
        """Takes some steps.

        Args:
            steps: How many.
            stop: Whether this process wants to stop.

        Returns:
            The mean loss of each global batch and its number of right answers, float32 of
            shape [steps], and whether any process wants to stop.
        """
        number = None if steps == 1 else tf.constant(steps)
        with explain_lost_worker(self.strategy):
            sums = self._call(self._iterator, number, tf.constant(stop, tf.float32)).numpy()
        losses, right, stops = sums.T
        return losses / self.batch_size, right, bool(stops.any())

    def _steps(self, iterator: Any, steps: tf.Tensor | None, stop: tf.Tensor) -> tf.Tensor:
        """Returns sums over the global batch, float32 of shape [steps, 3]."""
        if steps is None:
            return self._step(iterator, stop)[tf.newaxis]
        _, sums = tf.while_loop(
            lambda step, _: step < steps,
            lambda step, sums: (step + 1, sums.write(step, self._step(iterator, stop))),
            (tf.constant(0), tf.TensorArray(tf.float32, steps, element_shape=[3])),
        )
        return sums.stack()

    def _step(self, iterator: Any, stop: tf.Tensor) -> tf.Tensor:
        sums = self.strategy.run(self._replica_step, (next(iterator), stop))
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, sums, axis=None)

    def _replica_step(self, batch: tuple[Any, tf.Tensor], stop: tf.Tensor) -> tf.Tensor:
        features, labels = batch
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(features, training=True)  # [batch, classes]
            losses = self.loss.call(labels, logits)  # [batch]
            mean = tf.reduce_sum(losses) / self.batch_size
        gradients = tape.gradient(mean, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        right = tf.equal(tf.argmax(logits, axis=-1), tf.cast(labels, tf.int64))
        return tf.stack([tf.reduce_sum(losses), tf.reduce_sum(tf.cast(right, tf.float32)), stop])


def sum_over_workers(strategy: tf.distribute.Strategy, numbers: Sequence[float]) -> list[float]:
    """Returns the sum of what each worker has, the same on all, once all have come here.

    Raises:
        WorkerLostError: Another worker is gone.
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
    """Tells what to do where another worker is gone."""
    try:
        yield
    except (tf.errors.DataLossError, tf.errors.NotFoundError):  # a file of its own
        raise
    except tf.errors.OpError as error:
        if workers_of(strategy)[0] == 1:
            raise
        raise WorkerLostError(
            f"another worker is gone ({first_line(error)}); see what it said, if anything. What "
            "was learned up to the last checkpoint is kept: start the same command on all workers "
            "again"
        ) from error


def share_of(context: tf.distribute.InputContext) -> Share:
    """Returns the part of each batch that is for a process."""
    replicas = context.num_replicas_in_sync // context.num_input_pipelines
    return Share(context.input_pipeline_id * replicas, replicas, context.num_replicas_in_sync)
