"""`ZooEntry`: how one model of the zoo is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import OptionError, UnknownNameError, check_option
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.text import TextVectorizer, TokenizedTexts
from kerasnlp_lab.text.vectorizer import Features
from kerasnlp_lab.zoo.card import ModelCard, Recipe
from kerasnlp_lab.zoo.inside import Inside

__all__ = ["LabelledTokens", "ZooEntry"]

LabelledTokens = tuple[TokenizedTexts, np.ndarray]


@dataclass(frozen=True)
class ZooEntry:
    """A model's card, its options, and how its two halves are built.

    Args:
        card: What there is to know of it.
        recipe: How it is trained unless told otherwise.
        options: Its options at their defaults: a frozen dataclass, a `ModelOptions`.
        build_text: From options to the text half.
        build_network: From the adapted text half, the task and options to the network, from
            features to the task's logits. `with_head` joins a body and the task's head. A
            pre-trained body is a layer of the name "encoder".
        tasks: The names of the tasks that the model can do; empty for all.
        solve: Sets the network's weights directly, where that is how the model is
            trained: (task, text, network, training rows, validation rows) to a line of
            history an attempt. None trains by gradient descent.
        fuse: From the network, the task and options to a faster way to compute the features
            that enter the layer "head", float32 [batch, hidden] or [batch, seq, hidden]: in
            inference, with the current weights as constants. It returns None where there is no
            faster way.
        look_inside: From the network, the task and options to its attention and embeddings.
            None where it has none.
        prepare: Fetches the files that building needs, so that an unreachable network is
            reported before anything else is done.
    """

    card: ModelCard
    recipe: Recipe
    options: Any
    build_text: Callable[[Any], TextVectorizer]
    build_network: Callable[[TextVectorizer, Any, Any], keras.Model]
    tasks: tuple[str, ...] = ()
    solve: (
        Callable[
            [Any, TextVectorizer, keras.Model, LabelledTokens, LabelledTokens],
            list[dict[str, float]],
        ]
        | None
    ) = None
    fuse: Callable[[keras.Model, Task, Any], Callable[[Features], tf.Tensor] | None] | None = None
    look_inside: Callable[[keras.Model, Task, Any], Inside] | None = None
    prepare: Callable[[], None] = lambda: None

    @property
    def has_encoder(self) -> bool:
        """Whether there is a pre-trained part, which can be frozen."""
        return self.options.has_encoder

    def check_task(self, task: str) -> None:
        """Raises OptionError if the model cannot do a task of that name."""
        fits = not self.tasks or task in self.tasks
        check_option("task", task, fits, f"{' or '.join(self.tasks)} for {self.card.name}")

    def precision_options(self, precision: str | None) -> dict[str, str]:
        """Returns the options that make the model compute in a precision; None lets it choose.

        Raises:
            OptionError: It has no choice, and this is not float32.
        """
        if precision is None or (precision == "float32" and not self.has_encoder):
            return {}
        check_option("precision", precision, self.has_encoder, f"float32 for {self.card.name}")
        return {"precision": precision}

    def with_options(self, changes: Mapping[str, Any]) -> Any:
        """Returns the options with some changed, and everything left to the machine decided.

        Values may be strings, as from a command line.

        Raises:
            UnknownNameError: The model has no such option.
            OptionError: A value cannot be used.
        """
        known = {field.name: field for field in dataclasses.fields(self.options)}
        values = {}
        for name, value in changes.items():
            if name not in known:
                raise UnknownNameError(f"option of {self.card.name}", name, known)
            values[name] = _convert(name, value, type(getattr(self.options, name)))
        return dataclasses.replace(self.options, **values).on_this_machine()


def _convert(name: str, value: Any, kind: type) -> Any:
    try:
        if kind is bool and isinstance(value, str):
            return {"true": True, "false": False}[value.lower()]
        return kind(value)
    except (KeyError, ValueError) as error:
        expected = "true or false" if kind is bool else f"of type {kind.__name__}"
        raise OptionError(f"{name} must be {expected}, got {value!r}") from error
