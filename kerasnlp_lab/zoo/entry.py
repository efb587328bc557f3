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
        options: Its options at their defaults: a frozen dataclass of its own.
        build_text: From options to the text half.
        build_network: From the adapted text half, the number of classes and
            options to the network, features to logits [batch, classes]. A
            pre-trained part is a layer of the name "encoder"; what it comes to a
            text, [batch, hidden], is the output of a layer of the name "pooled", and
            what follows is the layer "head".
        solve: Sets the network's weights directly, where that is how the model is
            trained: (text, network, training rows, validation rows, weight of each
            class or None) to a line of history an attempt. None trains by gradient
            descent.
        fuse: From the network and its options to a quicker way to compute what enters its
            layer "head", float32 [batch, hidden], of features: in inference, with the
            weights of now as constants. None where there is no quicker way.
        look_inside: From the network and its options to its attention and embeddings. None
            where it has none.
        prepare: Fetches what building needs, so that a network that is down is
            found out before anything else is done.
    """

    card: ModelCard
    recipe: Recipe
    options: Any
    build_text: Callable[[Any], TextVectorizer]
    build_network: Callable[[TextVectorizer, int, Any], keras.Model]
    solve: (
        Callable[
            [TextVectorizer, keras.Model, LabelledTokens, LabelledTokens, np.ndarray | None],
            list[dict[str, float]],
        ]
        | None
    ) = None
    fuse: Callable[[keras.Model, Any], Callable[[Features], tf.Tensor] | None] | None = None
    look_inside: Callable[[keras.Model, Any], Inside] | None = None
    prepare: Callable[[], None] = lambda: None

    @property
    def has_encoder(self) -> bool:
        """Whether there is a pre-trained part, which can be frozen."""
        return hasattr(self.options, "encoder")

    def precision_options(self, precision: str | None) -> dict[str, str]:
        """Returns the options that make the model compute in a precision; None leaves it to it.

        Raises:
            OptionError: It has no choice, and this is not float32.
        """
        if precision is None:
            return {}
        if hasattr(self.options, "precision"):
            return {"precision": precision}
        fits = precision == "float32"
        check_option("precision", precision, fits, f"float32 for {self.card.name}")
        return {}

    def with_options(self, changes: Mapping[str, Any]) -> Any:
        """Returns the options with some changed; values may be strings, as from a command line.

        What is left to the machine ("auto") is decided.

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
        chosen = dataclasses.replace(self.options, **values)
        return chosen.on_this_machine() if hasattr(chosen, "on_this_machine") else chosen


def _convert(name: str, value: Any, kind: type) -> Any:
    try:
        if kind is bool and isinstance(value, str):
            return {"true": True, "false": False}[value.lower()]
        return kind(value)
    except (KeyError, ValueError) as error:
        expected = "true or false" if kind is bool else f"of type {kind.__name__}"
        raise OptionError(f"{name} must be {expected}, got {value!r}") from error
