"""`ZooEntry`: a model's card, default options and recipe, and the functions that build it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Split
from kerasnlp_lab.errors import OptionError, UnknownNameError, check_option
from kerasnlp_lab.hub import HubModules
from kerasnlp_lab.tasks import Generation, Task
from kerasnlp_lab.text import TextVectorizer, TokenizedTexts
from kerasnlp_lab.text.features import Features
from kerasnlp_lab.zoo.card import ModelCard, Recipe
from kerasnlp_lab.zoo.inside import Inside

__all__ = ["LabelledTokens", "ZooEntry"]

LabelledTokens = tuple[TokenizedTexts, Split]
"""The texts of a split, tokenized, and the split."""


@dataclass(frozen=True)
class ZooEntry:
    """A model's card, default options and recipe, and the functions that build its two halves.

    Args:
        card: The model's card.
        recipe: The default recipe.
        options: The default options, a frozen dataclass derived from `ModelOptions`.
        build_text: Takes the options and returns the text half.
        build_network: Takes the adapted text half, the task and the options, and returns the
            network, which turns features into the task's logits. Use `with_head` to put the
            task's head on a body, and name a pre-trained body "encoder".
        tasks: The names of the supported tasks; empty for all that need no model of their own, as
            generation does.
        task_recipes: The default recipes of tasks that need another one, by task name.
        solve: Sets the network's weights directly, for models without gradient descent. It takes
            the task, the text half, the network, the training rows and the validation rows, and
            returns one line of history for each attempt. None means gradient descent.
        fuse: Takes the network, the task and the options, and returns a faster function for
            inference, with the current weights as constants. That function turns features into
            the input of the layer "head", float32 [batch, hidden] or [batch, seq, hidden].
            `fuse` returns None if there is no faster function.
        look_inside: Takes the network, the task and the options, and returns access to the
            attention and the embeddings. None if the model cannot be explained.
        prepare: Fetches the files that the build needs, so that an unreachable server is
            reported before any other work starts. Returns the TF Hub modules of a BERT.
        resolve: Takes the options, the training texts and their labels, and returns the options
            without "auto", and a line for the user on the choice; "" if there was none to make.
            The labels, int64 [rows], are None where nobody knows them; of rows with several,
            `kerasnlp_lab.data.row_labels.strata`. It must return the same for the same rows,
            because a resumed run asks again.
    """

    card: ModelCard
    recipe: Recipe
    options: Any
    build_text: Callable[[Any], TextVectorizer]
    build_network: Callable[[TextVectorizer, Any, Any], keras.Model]
    tasks: tuple[str, ...] = ()
    task_recipes: Mapping[str, Recipe] = dataclasses.field(default_factory=dict)
    solve: (
        Callable[
            [Any, TextVectorizer, keras.Model, LabelledTokens, LabelledTokens],
            list[dict[str, float]],
        ]
        | None
    ) = None
    fuse: Callable[[keras.Model, Task, Any], Callable[[Features], tf.Tensor] | None] | None = None
    look_inside: Callable[[keras.Model, Task, Any], Inside] | None = None
    prepare: Callable[[], HubModules | None] = lambda: None
    resolve: Callable[[Any, Collection[str | bytes], np.ndarray | None], tuple[Any, str]] = (
        lambda options, texts, labels: (options, "")
    )

    @property
    def has_encoder(self) -> bool:
        """Whether the model has a pre-trained part, which can be frozen."""
        return self.options.has_encoder

    def recipe_for(self, task: str) -> Recipe:
        """Returns the default recipe for a task, by its name."""
        return self.task_recipes.get(task, self.recipe)

    def check_task(self, task: str) -> None:
        """Checks that the model supports a task.

        Raises:
            OptionError: It does not.
        """
        if task == Generation.name and task not in self.tasks:
            raise OptionError(
                f"{self.card.name} cannot write texts, as the task {task} needs; use rnn_seq2seq"
            )
        fits = not self.tasks or task in self.tasks
        known = " or ".join(self.tasks)
        check_option("task", task, fits, f"{known} for {self.card.name} (as in --task {known})")

    def precision_options(self, precision: str | None) -> dict[str, str]:
        """Returns the option changes that select a precision; none if the precision is None.

        Raises:
            OptionError: The model supports float32 only, and another precision was requested.
        """
        if precision is None or (precision == "float32" and not self.has_encoder):
            return {}
        check_option("precision", precision, self.has_encoder, f"float32 for {self.card.name}")
        return {"precision": precision}

    def with_options(self, changes: Mapping[str, Any]) -> Any:
        """Returns the options with some values changed, and with the machine's choices made.

        An "auto" that depends on the training texts is left to `resolve`. Values may be strings,
        as on a command line.

        Raises:
            UnknownNameError: The model has no such option.
            OptionError: A value is invalid.
        """
        known = {field.name: field for field in dataclasses.fields(self.options)}
        values = {}
        for name, value in changes.items():
            if name not in known:
                whole = "max_length" not in known
                reads = "it reads whole texts" if whole else "it reads the first max_length tokens"
                hint = reads if name == "long_texts" else ""
                raise UnknownNameError(f"option of {self.card.name}", name, known, hint)
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
