"""Paths that begin with ``~``, and pipes, in every command and in Python."""

import os
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from kerasnlp_lab.cli.groups import make_group
from kerasnlp_lab.cli.rows import RowsOptions, rows_options
from kerasnlp_lab.data import load_labelled_rows, load_table
from kerasnlp_lab.errors import RunError
from kerasnlp_lab.paths import check_new, is_pipe, user_path, whole_directory, write_whole
from tests.data.table_files import write

ROWS = "text,label\n" + "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(20))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "home"


@pytest.fixture
def group():
    """A group of a command with an argument, an option and a group of options, which it shows."""
    app = make_group()

    @app.command()
    @rows_options()
    def show(
        *,
        run: Annotated[Path, typer.Argument()],
        rows: RowsOptions,
        output: Annotated[Path | None, typer.Option()] = None,
        text: Annotated[str, typer.Option()] = "",
    ) -> None:
        typer.echo(f"{run} {output} {rows.data} {rows.test_data} {rows.data_dir} {text}")

    @app.command()
    def other() -> None:
        pass

    return app


def test_the_command_line_replaces_the_tilde_of_every_path_and_of_nothing_else(home, group):
    words = "show ~/run --output=~/out --data ~/m.csv --test-data ~nosuchuser/t.csv --text ~/x"
    result = CliRunner().invoke(group, words.split())
    assert result.output == f"{home}/run {home}/out {home}/m.csv ~nosuchuser/t.csv None ~/x\n"
    assert CliRunner().invoke(group, ["show", "run"]).output == "run None None None None \n"


def test_the_command_line_says_that_it_waits_for_a_pipe(home, group):
    os.mkfifo(home / "pipe")
    result = CliRunner().invoke(group, ["show", "run", "--data", "-", "--test-data", "~/pipe"])
    assert result.stderr == f"reading standard input to its end\nreading {home}/pipe to its end\n"


@pytest.mark.parametrize("name", ["~$messages.xlsx", "~nosuchuser/m.csv", "a~", "folder/~", "-"])
def test_a_tilde_that_is_no_home_folder_stays(name, home):
    assert user_path(name) == Path(name)


def test_functions_of_python_take_a_tilde(home):
    write(home, ROWS, "m.csv")
    data = load_table("~/m.csv", test="~/m.csv")
    assert data.source.paths == {"train": str(home / "m.csv"), "test": str(home / "m.csv")}
    assert len(load_labelled_rows(Path("~/m.csv"), data.label_names)[0]) == 20
    assert len(load_table("~/*.csv").train) == 14
    write_whole("~/made/one.txt", "x")
    with whole_directory("~/folder") as folder:
        (folder / "two.txt").write_text("x")
    with pytest.raises(RunError, match="already exists"):
        check_new("~/folder", "name another")
    assert (home / "made/one.txt").is_file() and (home / "folder/two.txt").is_file()
    assert os.listdir() == []


def test_run_directories_take_a_tilde(home):
    from kerasnlp_lab.training.run_directory import RunDirectory

    assert RunDirectory.create("~/run", {}).path == home / "run"
    with RunDirectory.claim("~/claimed", {"a": 1}) as run:
        assert run.path == home / "claimed"
    with pytest.raises(RunError, match=f"the run in {home}/run did not finish"):
        RunDirectory.open("~/run")
    assert os.listdir() == []


def test_paths_that_can_be_read_only_once(home):
    os.mkfifo(home / "pipe")
    write(home, ROWS, "m.csv")
    assert all(map(is_pipe, ["-", "/dev/stdin", "/dev/fd/63", "/proc/self/fd/0", home / "pipe"]))
    assert not any(map(is_pipe, [home / "m.csv", home, home / "none", "/dev/shm"]))
