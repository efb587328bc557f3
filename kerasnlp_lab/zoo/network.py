"""`with_head`: puts a task's head on a model's body; `StringModel`: the text half before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.tasks import HeadOptions, Task

__all__ = ["FEATURES", "StringModel", "with_head"]

FEATURES = "features"  # the name of the layer before the head


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class StringModel(keras.Model):
    """A Keras model from strings to logits, for `fit` and for Keras' own files."""

    def save(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """Saves the model with its vocabulary, as Keras does.

        Raises:
            OptionError: The file is HDF5, which has no room for a vocabulary.
            NotImplementedError: The model has a BERT, which Keras cannot rebuild.
        """
        is_hdf5 = str(filepath).endswith((".h5", ".hdf5")) or kwargs.get("save_format") == "h5"
        expected = (
            "a name that ends in .keras, because an HDF5 file cannot hold the vocabulary (use "
            'save_weights("m.weights.h5") for the weights alone, and Classifier.save or '
            "kerasnlp_lab.export_classifier for everything)"
        )
        check_option("the file of a whole model", str(filepath), not is_hdf5, expected)
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
