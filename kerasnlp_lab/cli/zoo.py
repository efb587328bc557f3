"""`kerasnlp-lab zoo`: models, recipes and tasks, listed and shown."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer

from kerasnlp_lab.cli.groups import make_group
from kerasnlp_lab.cli.json_output import Json, print_json
from kerasnlp_lab.cli.options import import_tensorflow

__all__ = ["app"]

app = make_group()


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """List the models."""
    import_tensorflow()
    from kerasnlp_lab.zoo import find_model, model_names

    cards = [find_model(name).card for name in model_names()]
    if as_json:
        print_json([dataclasses.asdict(card) for card in cards])
        return
    width = max(len(card.name) for card in cards)
    for card in cards:
        print(f"{card.name:{width}}  {card.summary}")


@app.command("recipes")
def list_recipes(as_json: Json = False) -> None:
    """List the recipes for 'train --recipe': a dataset, a model and its settings."""
    import_tensorflow()
    from kerasnlp_lab.lab import presets

    if as_json:
        print_json([vars(preset) for preset in presets().values()])
        return
    for preset in presets().values():
        settings = {"model": preset.model, **preset.options, **preset.training}
        settings |= {"split_seed": preset.split_seed, "threshold": preset.threshold}
        settings |= {"folds": preset.folds} if preset.folds else {}
        print(f"{preset.name}: {preset.summary}")
        print("  " + " ".join(f"{name}={value}" for name, value in settings.items()))


@app.command("tasks")
def list_tasks(as_json: Json = False) -> None:
    """List the tasks, for 'train --task'."""
    import_tensorflow()
    from kerasnlp_lab.tasks.registry import find_task, task_names

    tasks = [{"name": name, "summary": first_sentence(find_task(name))} for name in task_names()]
    if as_json:
        print_json(tasks)
        return
    width = max(len(task["name"]) for task in tasks)
    for task in tasks:
        print(f"{task['name']:{width}}  {task['summary']}")


def first_sentence(documented: type) -> str:
    """Returns the first line of a class's docstring, without the full stop."""
    return (documented.__doc__ or "").partition("\n")[0].rstrip(".")


@app.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="The model: see 'zoo list'.")],
    as_json: Json = False,
) -> None:
    """Show a model's card, its options and its recipe."""
    import_tensorflow()
    from kerasnlp_lab.zoo import find_model

    entry = find_model(name)
    shown: dict[str, Any] = {
        part: dataclasses.asdict(getattr(entry, part)) for part in ("card", "options", "recipe")
    }
    recipes = {task: dataclasses.asdict(one) for task, one in entry.task_recipes.items()}
    if as_json:
        print_json({**shown, "task_recipes": recipes})
        return
    shown |= {f"recipe for {task}": recipe for task, recipe in recipes.items()}
    for field, value in shown.pop("card").items():
        print(f"{field.replace('_', ' '):12} {value}")
    for title, values in shown.items():
        print(f"\n{title}")
        for field, value in values.items():
            print(f"  {field:20} {value}")
