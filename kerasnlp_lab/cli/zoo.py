"""`kerasnlp-lab zoo list`, `zoo recipes` and `zoo show`."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from kerasnlp_lab.cli.options import quiet_tensorflow

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """List the models."""
    quiet_tensorflow()
    from kerasnlp_lab.zoo import find_model, model_names

    width = max(map(len, model_names()))
    for name in model_names():
        print(f"{name:{width}}  {find_model(name).card.summary}")


@app.command("recipes")
def list_recipes() -> None:
    """List the recipes: a dataset, a model and how it is trained, for 'train --recipe'."""
    quiet_tensorflow()
    from kerasnlp_lab.evaluation import named_recipes

    for recipe in named_recipes().values():
        settings = {"model": recipe.model, **recipe.options, **recipe.training}
        settings |= {"split_seed": recipe.split_seed, "threshold": recipe.threshold}
        print(f"{recipe.name}: {recipe.summary}")
        print("  " + " ".join(f"{name}={value}" for name, value in settings.items()))


@app.command("show")
def show_model(name: Annotated[str, typer.Argument(help="The model: see 'zoo list'.")]) -> None:
    """Show a model's card, its options and its recipe."""
    quiet_tensorflow()
    from kerasnlp_lab.zoo import find_model

    entry = find_model(name)
    for field, value in dataclasses.asdict(entry.card).items():
        print(f"{field.replace('_', ' '):12} {value}")
    for title, values in (("options", entry.options), ("recipe", entry.recipe)):
        print(f"\n{title}")
        for field, value in dataclasses.asdict(values).items():
            print(f"  {field:20} {value}")
