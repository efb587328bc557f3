"""A group of options is one value for a command, and separate options on the command line."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
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


@pytest.mark.parametrize(
    "given, tested",
    [({}, "rows.csv"), ({"test_data": Path("test.csv")}, "test.csv")],
    ids=["one table", "test rows"],
)
def test_a_cross_validation_validates_on_the_table_itself(given, tested):
    rows = RowsOptions(data=Path("rows.csv"), **given).in_folds()
    settings = rows.table_settings()
    assert (str(settings["validation"]), str(settings["test"])) == ("rows.csv", tested)


@pytest.mark.parametrize(
    "given",
    [
        {"dataset": "ag_news"},
        {"data": Path("rows.csv"), "validation_data": Path("more.csv")},
        {"data": Path("rows.csv"), "test_fraction": 0.1},
        {"data": Path("rows.csv"), "validation_fraction": 0.1},
        {"data": Path("rows.csv"), "leaks": "drop"},
    ],
    ids=lambda given: " ".join(given),
)
def test_rows_that_are_held_out_are_not_cross_validated(given):
    assert RowsOptions(**given).in_folds() is None


def test_what_holds_rows_out_is_named():
    table = RowsOptions(data=Path("rows.csv"))
    assert table.held_out_by() == ""
    assert table.held_out_by("multi_label") == "--task multi_label"
    assert RowsOptions(dataset="ag_news").held_out_by() == "--dataset ag_news"


def test_a_folder_with_its_own_splits_is_not_cross_validated(tmp_path):
    (tmp_path / "train.csv").write_text("text,label\na,b\n")
    assert RowsOptions(data=tmp_path).in_folds() is not None
    (tmp_path / "test.csv").write_text("text,label\na,b\n")
    assert RowsOptions(data=tmp_path).in_folds() is None
