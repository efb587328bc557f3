"""`with_head`: puts a task's head on a model's body; models of texts in windows, of strings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.machine import begin_computing
from kerasnlp_lab.tasks import HeadOptions, Task
from kerasnlp_lab.text.features import WINDOW_OF, Features

__all__ = [
    "FEATURES",
    "StringModel",
    "WindowNetwork",
    "pool_over_windows",
    "pool_windows",
    "window_head",
    "with_head",
]

FEATURES = "features"  # the name of the layer before the head
WINDOWS_AT_ONCE = 64


def pool_windows(logits: tf.Tensor, window_of: tf.Tensor) -> tf.Tensor:
    """Computes the logits of texts from those of their windows: the log of the mean of exp(logit).

    This is near the mean while the windows agree, and near the maximum where few of them speak
    for a class. A mean would dilute those few (docs/LOG.md, 2026-11-29).

    Args:
        logits: Float32 [windows, classes].
        window_of: The text of each window, in ascending order, int [windows].

    Returns:
        Float32 [texts, classes].
    """
    highest = tf.stop_gradient(tf.math.segment_max(logits, window_of))
    share = tf.exp(logits - tf.gather(highest, window_of))
    return highest + tf.math.log(tf.math.segment_mean(share, window_of))


def pool_over_windows(
    network: Callable[[Features], tf.Tensor], features: Features, classes: int
) -> tf.Tensor:
    """Computes the logits of texts, float32 [texts, classes], from their windows.

    It computes some windows at a time, so that a book needs no more memory than a page.

    Args:
        network: Turns the features of windows into their logits, without a gradient.
        features: The features of windows, with `WINDOW_OF`.
        classes: The size of the last axis of the logits.
    """
    window_of = features[WINDOW_OF]
    rest = {name: one for name, one in features.items() if name != WINDOW_OF}
    windows = tf.size(window_of)

    def some(start: tf.Tensor, logits: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        end = tf.minimum(start + WINDOWS_AT_ONCE, windows)
        found = network({name: one[start:end] for name, one in rest.items()})
        return end, logits.write(start // WINDOWS_AT_ONCE, tf.cast(found, tf.float32))

    size = -(-windows // WINDOWS_AT_ONCE)
    logits = tf.TensorArray(tf.float32, size, infer_shape=False, element_shape=[None, classes])
    start = tf.constant(0)
    _, logits = tf.while_loop(
        lambda start, _: start < windows, some, (start, logits), parallel_iterations=1
    )
    return pool_windows(tf.ensure_shape(logits.concat(), [None, classes]), window_of)


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class WindowNetwork(keras.Model):
    """A network of windows, made of the inputs and outputs of one, that answers for whole texts.

    It takes the features of windows with `WINDOW_OF`, and returns the logits of each text,
    float32 [texts, classes]. See `pool_windows`.
    """

    def call(self, inputs: Features, training: Any = None, mask: Any = None) -> tf.Tensor:
        if not tf.is_tensor(training) and not training:
            part = super().call
            return pool_over_windows(
                lambda some: part(some, training=False), inputs, self.output_shape[-1]
            )
        windows = {name: one for name, one in inputs.items() if name != WINDOW_OF}
        logits = super().call(windows, training=training)
        return pool_windows(tf.cast(logits, tf.float32), inputs[WINDOW_OF])


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class StringModel(keras.Model):
    """A Keras model from strings to logits, for `fit` and for Keras' own files.

    Its call, fit, evaluate and predict raise ForkError in a fork; see `begin_computing`.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        begin_computing()
        return super().__call__(*args, **kwargs)

    def make_train_function(self, force: bool = False) -> Any:
        begin_computing()
        return super().make_train_function(force)

    def make_test_function(self, force: bool = False) -> Any:
        begin_computing()
        return super().make_test_function(force)

    def make_predict_function(self, force: bool = False) -> Any:
        begin_computing()
        return super().make_predict_function(force)

    def save(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """Saves the model with its vocabulary. Raises OptionError for HDF5, which has no room."""
        name, form = str(filepath), kwargs.get("save_format")
        fits = not name.endswith((".h5", ".hdf5")) and form not in ("h5", "hdf5")
        expected = (
            ".keras, because HDF5 has no room for the vocabulary (for the weights alone: "
            "save_weights; for everything: Classifier.save or export_classifier)"
        )
        check_option("the format of a whole model", name, fits, expected)
        super().save(filepath, *args, **kwargs)

    def get_compile_config(self) -> Any:
        # Keras saves no state of a legacy optimizer, such as AdamW: compile a loaded model again.
        is_legacy = isinstance(self.optimizer, keras.optimizers.legacy.Optimizer)
        return None if is_legacy else super().get_compile_config()


def window_head(head: keras.Model) -> WindowNetwork:
    """Returns a head that takes the features of windows, [windows, width], and `WINDOW_OF`."""
    inputs = {FEATURES: keras.Input(head.input_shape[1:], name=FEATURES)}
    return WindowNetwork(inputs, head(inputs[FEATURES]))


def with_head(
    name: str, inputs: Mapping[str, Any], features: Any, task: Task, options: HeadOptions
) -> keras.Model:
    """Returns a network that turns a text half's features into a task's logits, float32.

    Args:
        name: The network's name.
        inputs: The symbolic inputs of the body.
        features: The symbolic output of the body: [batch, width], or [batch, seq, width] if
            the task reads a sequence.
        task: The task, which makes the head.
        options: The size of the head.
    """
    features = keras.layers.Activation("linear", dtype="float32", name=FEATURES)(features)
    head = task.head(features.shape[-1], options)
    return keras.Model(inputs, head(features), name=name)
