"""A group of options is one value for a command, and separate options on the command line."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from kerasnlp_lab.cli.option_groups import option_group, options_of, recipe_options
from kerasnlp_lab.cli.rows import RowsOptions, rows_options
from kerasnlp_lab.recipe import Recipe


@dataclass(frozen=True)
class Paint:
    """Options of a wall."""

    main_colour: Annotated[str, typer.Option(help="Of the wall.")] = "white"
    coats: Annotated[int | None, typer.Option(help="How many.")] = None


def invoke(command, *words):
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, words)


@pytest.fixture
def calls():
    return []


def test_a_command_is_handed_one_value(calls):
    @option_group("paint", options_of(Paint), Paint)
    def command(*, wall: Annotated[str, typer.Argument()], paint: Paint, wet: bool = False) -> None:
        """Paints."""
        calls.append((wall, paint, wet))

    assert invoke(command, "north", "--coats", "2", "--wet").exit_code == 0
    assert invoke(command, "south", "--main-colour", "red").exit_code == 0
    assert calls == [("north", Paint(coats=2), True), ("south", Paint("red"), False)]
    shown = " ".join(invoke(command, "--help").output.split())
    assert "Paints." in shown and "Of the wall." in shown and "[default: white]" in shown
    assert "--paint" not in shown
    assert invoke(command, "east", "--coats", "two").exit_code == 2


def test_every_field_of_a_recipe_is_an_option(calls):
    @recipe_options
    def command(*, recipe_changes: dict[str, Any]) -> None:
        calls.append(recipe_changes)

    words, values = [], {}
    for field in dataclasses.fields(Recipe):
        values[field.name] = "adam" if field.name == "optimizer" else type(field.default)(1)
        words += [f"--{field.name.replace('_', '-')}", str(values[field.name])]
        assert field.metadata["help"]
    assert invoke(command).exit_code == invoke(command, *words).exit_code == 0
    assert calls == [{}, values]


def test_a_command_may_have_some_of_the_options_of_rows(calls):
    @rows_options("dataset", "text_column")
    def command(*, rows: RowsOptions) -> None:
        calls.append(rows)

    words = ["--dataset", "ag_news", "--text-column", "a", "--text-column", "b"]
    assert invoke(command).exit_code == invoke(command, *words).exit_code == 0
    assert calls == [RowsOptions(), RowsOptions(dataset="ag_news", text_column=["a", "b"])]
    assert invoke(command, "--leaks", "drop").exit_code == 2
