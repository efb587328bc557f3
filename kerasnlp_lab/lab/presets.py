"""`NamedRecipe`: a dataset, a model and how it is trained, by one name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kerasnlp_lab.errors import UnknownNameError
from kerasnlp_lab.zoo import ZooEntry

__all__ = ["NamedRecipe", "find_recipe", "named_recipes"]


@dataclass(frozen=True)
class NamedRecipe:
    """Settings that belong together; each may be changed by the option of its name.

    Args:
        name: Its name.
        summary: What it is, in a line.
        dataset: The dataset that it is made for, unless a table is given.
        model: The model's name in the zoo.
        options: Options of the model that differ from its defaults.
        training: Fields of the model's `Recipe` that differ.
        split_seed: Which rows are held out.
        threshold: How the threshold is chosen.
    """

    name: str
    summary: str
    dataset: str
    model: str
    options: Mapping[str, Any]
    training: Mapping[str, Any]
    split_seed: int
    threshold: str

    def settings_for(self, entry: ZooEntry) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the options and training fields that a model, perhaps another, has use for."""
        known = {field.name for field in dataclasses.fields(entry.options)}
        options = {name: value for name, value in self.options.items() if name in known}
        fields = dict(self.training)
        if entry.solve is not None:
            fields = {n: v for n, v in fields.items() if n == "class_weight"}
        elif not entry.has_encoder:
            of_encoders = ("epochs", "frozen_epochs", "head_learning_rate")
            fields = {n: v for n, v in fields.items() if n not in of_encoders}
        return options, fields


_RECIPES = (
    NamedRecipe(
        name="sms_spam_seed",
        summary="the tutorial's spam filter: frozen BERT, [CLS] of 25 word pieces, 10 epochs",
        options=MappingProxyType({"pooling": "pooled_output", "max_length": 25, "head_units": 512}),
        # Its AdamW is Hugging Face's, whose weight decay is 0 by default: that is Adam.
        training=MappingProxyType(
            {
                "epochs": 0,
                "frozen_epochs": 10,
                "optimizer": "adam",
                "head_learning_rate": 1e-5,
                "class_weight": "balanced",
                "patience": 10,
            }
        ),
        threshold="none",
        dataset="sms_spam",
        model="minilm_l6_h384",
        split_seed=2018,
    ),
    NamedRecipe(
        name="sms_spam",
        summary="the same head on a frozen BERT, whole messages, AdamW with warm-up: in seconds",
        options=MappingProxyType({"max_length": 128, "head_units": 512}),
        training=MappingProxyType(
            {
                "epochs": 0,
                "frozen_epochs": 20,
                "batch_size": 64,
                "class_weight": "balanced",
                "patience": 5,
            }
        ),
        threshold="f1",
        dataset="sms_spam",
        model="minilm_l6_h384",
        split_seed=2018,
    ),
    NamedRecipe(
        name="sms_spam_fine_tuned",
        summary="the whole BERT fine-tuned: the best spam filter here, in minutes",
        # Weights would only make the classifier too sure of spam: the threshold sees to balance.
        options=MappingProxyType({"max_length": 128, "encoder": "reopened"}),
        training=MappingProxyType({"epochs": 3, "frozen_epochs": 5}),
        threshold="f1",
        dataset="sms_spam",
        model="minilm_l6_h384",
        split_seed=2018,
    ),
)


def named_recipes() -> dict[str, NamedRecipe]:
    """Returns every recipe, by name."""
    return {recipe.name: recipe for recipe in _RECIPES}


def find_recipe(name: str) -> NamedRecipe:
    """Returns a recipe.

    Raises:
        UnknownNameError: There is no such recipe.

    Example:
        >>> find_recipe("sms_spam").dataset
        'sms_spam'
    """
    if name not in named_recipes():
        raise UnknownNameError("recipe", name, named_recipes())
    return named_recipes()[name]
