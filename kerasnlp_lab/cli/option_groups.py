"""Decorators that give a command a whole group of options and hand it one value for them."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any, get_type_hints

import typer

from kerasnlp_lab.recipe import Recipe

__all__ = ["option_group", "options_of", "recipe_options"]

Command = Callable[..., None]


def option_group(
    parameter: str, options: Sequence[inspect.Parameter], gather: Callable[..., Any]
) -> Callable[[Command], Command]:
    """Returns a decorator that replaces one parameter of a command by a group of options.

    typer reads a command's options from its signature: the decorated command has the
    options in place of the parameter, and passes on ``gather(**options)`` as that.

    Args:
        parameter: The name of a keyword-only parameter.
        options: A keyword-only parameter for each option, annotated as for typer.
        gather: From the options' values to the value of the parameter.
    """

    def decorate(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for one in signature.parameters.values():
            parameters += options if one.name == parameter else [one]

        @functools.wraps(command)
        def run(**given: Any) -> None:
            group = {one.name: given.pop(one.name) for one in options}
            command(**{parameter: gather(**group)}, **given)

        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return run

    return decorate


def options_of(group: type) -> list[inspect.Parameter]:
    """Returns an option for each field of a dataclass, whose annotations are typer's."""
    hints = get_type_hints(group, include_extras=True)
    return [_option(one.name, hints[one.name], one.default) for one in dataclasses.fields(group)]


def recipe_options(command: Command) -> Command:
    """Adds an option for each field of `Recipe`; ``recipe_changes`` has those that are given."""
    hints = get_type_hints(Recipe)
    options = []
    for one in dataclasses.fields(Recipe):
        option = typer.Option(help=one.metadata["help"])
        options.append(_option(one.name, Annotated[hints[one.name] | None, option], None))
    return option_group("recipe_changes", options, _only_given)(command)


def _option(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _only_given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
