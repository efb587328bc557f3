"""`with_head`: puts a task's head on a model's body; `StringModel`: the text half before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.machine import begin_computing
from kerasnlp_lab.tasks import HeadOptions, Task

__all__ = ["FEATURES", "StringModel", "with_head"]

FEATURES = "features"  # the name of the layer before the head


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
