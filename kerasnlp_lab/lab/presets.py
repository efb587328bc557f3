"""`Preset`: a dataset, a model and its settings under one name, for `train --recipe`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kerasnlp_lab.errors import UnknownNameError
from kerasnlp_lab.lab.config import unused_recipe_fields
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.zoo import ZooEntry

__all__ = ["Preset", "find_preset", "presets"]


@dataclass(frozen=True)
class Preset:
    """Settings that belong together; an option on the command line overrides each of them.

    Args:
        name: Its name.
        summary: What it is, in a line.
        dataset: The dataset that it is made for; a table may take its place.
        model: The model's name in the zoo.
        options: Options of the model that differ from its defaults.
        training: Fields of the model's `Recipe` that differ.
        split_seed: Which rows are held out.
        threshold: How the threshold is chosen.
        folds: The parts of the cross-validation of a table, unless rows to validate on are named;
            0 holds rows out.
    """

    name: str
    summary: str
    dataset: str
    model: str
    options: Mapping[str, Any]
    training: Mapping[str, Any]
    split_seed: int
    threshold: str
    folds: int = 0

    def settings_for(
        self, entry: ZooEntry, task: type[Task]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the options and the recipe fields that have an effect on a model and a task.

        The model may be another than the preset's own. Where it has no encoder to freeze, the
        number of epochs and the learning rate, which count on epochs with a frozen encoder, are
        left out too.
        """
        known = {field.name for field in dataclasses.fields(entry.options)}
        unused = {*unused_recipe_fields(entry, task)}
        if "frozen_epochs" in unused:
            unused |= {"epochs", "learning_rate"}
        options = {name: value for name, value in self.options.items() if name in known}
        return options, {n: v for n, v in self.training.items() if n not in unused}


_PRESETS = (
    Preset(
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
    Preset(
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
    Preset(
        name="sms_spam_fine_tuned",
        summary="the whole BERT fine-tuned: the best spam filter here, in minutes",
        # No class weights: they would make it overconfident of spam; the threshold balances.
        options=MappingProxyType({"max_length": 128, "encoder": "reopened"}),
        training=MappingProxyType({"epochs": 3, "frozen_epochs": 5}),
        threshold="f1",
        dataset="sms_spam",
        model="minilm_l6_h384",
        split_seed=2018,
    ),
    Preset(
        name="few_shot",
        summary="for 2 to 100 rows a class: all are trained on, and tested by cross-validation",
        # The head learns first, on unit vectors, at a rate that leaves its logits small. So the
        # loss stays large enough to move the encoder in the few steps that follow.
        options=MappingProxyType({"pooling": "unit_mean"}),
        training=MappingProxyType(
            {
                "epochs": 2,
                "frozen_epochs": 10,
                "min_steps_per_epoch": 20,
                "learning_rate": 5e-5,
                "head_learning_rate": 0.003,
                "patience": 10,
            }
        ),
        threshold="auto",
        dataset="news_sample",
        model="minilm_l6_h384",
        split_seed=0,
        folds=5,
    ),
)


def presets() -> dict[str, Preset]:
    """Returns every preset, by name."""
    return {preset.name: preset for preset in _PRESETS}


def find_preset(name: str) -> Preset:
    """Returns a preset.

    Raises:
        UnknownNameError: There is no such preset.

    Example:
        >>> find_preset("sms_spam").dataset
        'sms_spam'
    """
    if name not in presets():
        raise UnknownNameError("recipe", name, presets())
    return presets()[name]
