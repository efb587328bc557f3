"""`ExperimentConfig`: all settings of one run, checked when made, to and from JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kerasnlp_lab.data import TextDataset
from kerasnlp_lab.errors import OptionError, UnknownNameError, check_option
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.tasks.registry import find_task
from kerasnlp_lab.training.interval import Interval
from kerasnlp_lab.training.phases import task_in_training
from kerasnlp_lab.training.strategy import STRATEGIES
from kerasnlp_lab.training.trainer import CHECKPOINT_EVERY
from kerasnlp_lab.zoo import Recipe, ZooEntry, find_model

__all__ = ["DEFAULT_TASK", "ExperimentConfig", "unused_recipe_fields"]

DEFAULT_TASK = "classification"


TASKS_FIELDS = ("class_weight", "label_smoothing")
"""The fields of a recipe that are a task's to use, if it has a use for them."""


def unused_recipe_fields(entry: ZooEntry, task: type[Task]) -> dict[str, str]:
    """Returns the fields of a `Recipe` that have no effect, each with the reason.

    A task takes its own fields alone. A model that is solved uses the class weights alone; one
    without a pre-trained encoder has nothing to freeze.
    """
    refused = [name for name in TASKS_FIELDS if name not in task.recipe_fields]
    unused = dict.fromkeys(refused, f"the task {task.name} has a loss of its own")
    model = entry.card.name
    if entry.solve is not None:
        fields = [one.name for one in dataclasses.fields(Recipe) if one.name != "class_weight"]
        unused |= dict.fromkeys(fields, f"{model} is solved, not trained step by step")
    elif not entry.has_encoder:
        fields = ["frozen_epochs", "head_learning_rate"]
        unused |= dict.fromkeys(fields, f"{model} has no encoder to freeze")
    return unused


@dataclass(frozen=True)
class ExperimentConfig:
    """All settings of one run, except the rows and the folder; checked when made.

    config.json is this as JSON, with a description of the rows and the versions beside it.

    Args:
        model: The model's name in the zoo.
        options: Options of the model that differ from its defaults; the rest is filled in.
        recipe: How to train; None takes the model's own recipe.
        task: The task's name, one of `kerasnlp_lab.tasks.registry.task_names`.
        threshold: With two classes, how the threshold is chosen on the validation rows: see
            `kerasnlp_lab.tasks.threshold.choose_decision`. With several labels a text, see
            `kerasnlp_lab.tasks.label_decision.choose_label_decision`.
        positive_class: With two classes, the one that the threshold is for; None takes the
            rarer.
        strategy: One of `kerasnlp_lab.training.strategy.STRATEGIES`.
        seed: The seed of initial weights, dropout and the order of the rows.
        deterministic: Whether TensorFlow may only use operations that give the same bits
            every time; once switched on, this holds for the rest of the process.
        folds: The most parts of a cross-validation, in place of rows to validate on; 0 for none.
            The validation rows must then be the training rows, and the test rows may be them.
        checkpoint_every: When to save: "5m", "200steps", "off".

    Raises:
        UnknownNameError: There is no such model, option, task or strategy.
        OptionError: A value cannot be used, or the model has no use for it.

    Example:
        >>> config = ExperimentConfig("transformer", {"max_length": 64}, seed=3)
        >>> config.options["max_length"], config.options["num_blocks"], config.recipe.batch_size
        (64, 1, 64)
        >>> ExperimentConfig.from_json(config.to_json()) == config
        True
    """

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    recipe: Recipe = None  # type: ignore[assignment]  # never None once made
    task: str = DEFAULT_TASK
    threshold: str = "auto"
    positive_class: str | None = None
    strategy: str = "auto"
    seed: int = 0
    deterministic: bool = False
    folds: int = 0
    checkpoint_every: str = CHECKPOINT_EVERY

    def __post_init__(self) -> None:
        entry, task = find_model(self.model), find_task(self.task)
        entry.check_task(task.name)
        object.__setattr__(self, "recipe", self.recipe or entry.recipe_for(task.name))
        self._check_recipe(entry, task)
        check_option("seed", self.seed, 0 <= self.seed < 2**32, "from 0 to 2**32 - 1")
        options = entry.with_options(self.options)
        options.check_task(task)
        object.__setattr__(self, "options", dataclasses.asdict(options))
        check_option("folds", self.folds, self.folds == 0 or self.folds > 1, "2 or more, or 0")
        if self.folds:
            fits = self.strategy != "multi_worker"
            check_option("strategy", self.strategy, fits, "one for a single machine with folds")
            check_option("folds", self.folds, task.annotation == "labels", f"0 for {task.name}")
        Interval(self.checkpoint_every)  # raises if it cannot be read
        if self.strategy not in STRATEGIES:
            raise UnknownNameError("strategy", self.strategy, STRATEGIES)

    def _check_recipe(self, entry: ZooEntry, task: type[Task]) -> None:
        if entry.solve is None and not self.recipe.epochs + self.recipe.frozen_epochs:
            raise OptionError("the recipe trains for no epoch; set epochs to 1 or more")
        own, given = map(dataclasses.asdict, (entry.recipe_for(task.name), self.recipe))
        unused = unused_recipe_fields(entry, task)
        changed = [name for name in given if name in unused and given[name] != own[name]]
        if changed:
            reason = unused[changed[0]]
            same = [name for name in changed if unused[name] == reason]
            raise OptionError(f"{reason}, and has no use for {', '.join(same)}; leave that out")

    def task_for(self, data: TextDataset) -> Task:
        """Returns the task on a dataset's rows, after checking all settings that depend on them.

        Raises:
            OptionError: The threshold or the class weights do not fit the rows.
            UnknownNameError: A class is named that they do not have.
        """
        task = find_task(self.task).for_data(data)
        task.check_decision(self.threshold, self.positive_class)
        entry = find_model(self.model)
        entry.with_options(self.options).check_task(task, pairs=data.pair is not None)
        task_in_training(task, data, self.recipe)  # raises if the recipe does not fit the rows
        return task

    def to_json(self) -> dict[str, Any]:
        """Returns the settings by the keys of config.json."""
        return {
            "model": {"name": self.model, "options": dict(self.options)},
            "task": self.task,
            "recipe": dataclasses.asdict(self.recipe),
            "decision": {"threshold": self.threshold, "positive_class": self.positive_class},
            "strategy": {"name": self.strategy},
            "seed": self.seed,
            "deterministic": self.deterministic,
            "folds": self.folds,
            "checkpoint_every": self.checkpoint_every,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> ExperimentConfig:
        """Returns the settings in a config.json, also of version 0.1.0, which named no task.

        Raises:
            KeyError: A key is missing.
            TypeError: A value has another form, or a field of the recipe is unknown.
            KerasnlpLabError: As when made.
        """
        model, options = content["model"]["name"], content["model"]["options"]
        return cls(
            model=model,
            options={**find_model(model).options.added_since, **options},
            recipe=Recipe(**content["recipe"]),
            task=content.get("task", DEFAULT_TASK),
            threshold=content["decision"]["threshold"],
            positive_class=content["decision"]["positive_class"],
            strategy=content["strategy"]["name"],
            seed=content["seed"],
            deterministic=content["deterministic"],
            folds=content.get("folds", 0),
            checkpoint_every=content["checkpoint_every"],
        )
