"""`make_group`: a group of commands, which shows its help when none of them is named."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from kerasnlp_lab.errors import UnknownNameError
from kerasnlp_lab.paths import is_pipe, user_path

__all__ = ["make_group"]


class Group(TyperGroup):
    """A group that suggests the likely name of a misspelt command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Returns the command that the first argument names."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            kind = "command" if ctx.parent is None else f"command of {ctx.info_name}"
            raise UnknownNameError(kind, name, self.list_commands(ctx))
        return super().resolve_command(ctx, args)


class Commands(typer.Typer):
    """Commands whose paths may begin with ``~``, and which say when they wait for a pipe."""

    def command(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """Returns a decorator that adds a command."""
        add = super().command(*args, **kwargs)

        def decorate(command: Callable[..., None]) -> Callable[..., None]:
            @functools.wraps(command)
            def run(**given: Any) -> None:
                paths = {name: user_path(v) for name, v in given.items() if isinstance(v, Path)}
                for path in filter(is_pipe, paths.values()):
                    name = "standard input" if str(path) == "-" else path
                    print(f"reading {name} to its end", file=sys.stderr)
                command(**(given | paths))

            add(run)
            return command

        return decorate


def show_help(context: typer.Context) -> None:
    """Shows the help if no command is named."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), nl=False)


def make_group(callback: Callable[..., None] = show_help, **options: Any) -> typer.Typer:
    """Returns an empty group of commands.

    Args:
        callback: Called before any of them, and when none is named.
        options: Arguments of `typer.Typer`.
    """
    return Commands(
        cls=Group,
        callback=callback,
        invoke_without_command=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        **options,
    )
