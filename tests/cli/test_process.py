"""Start-up, which needs separate processes."""

import subprocess
import sys
import time

import pytest
import typer

from kerasnlp_lab import __version__
from kerasnlp_lab.cli.main import app
from tests.cli.command import run

KERASNLP_LAB = [sys.executable, "-m", "kerasnlp_lab"]


def imports_of(code):
    """Returns the modules that some code imports in a new process."""
    script = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\n"
    script += "print(*sys.modules, sep='\\n', file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return set(result.stderr.split())


def test_import_is_without_tensorflow():
    modules = imports_of("import kerasnlp_lab; dir(kerasnlp_lab)")
    assert "kerasnlp_lab" in modules
    assert not {"tensorflow", "tf_keras", "numpy"} & modules


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"]])
def test_help_is_without_tensorflow(arguments):
    argv = ["kerasnlp-lab", *arguments]
    modules = imports_of(f"sys.argv = {argv}; from kerasnlp_lab.cli.main import main; main()")
    assert "kerasnlp_lab.cli.train" in modules
    assert not {"tensorflow", "tf_keras"} & modules


def test_help_is_quick_and_names_every_command():
    began = time.monotonic()
    result = subprocess.run([*KERASNLP_LAB, "--help"], capture_output=True, text=True)
    assert time.monotonic() - began < 2
    assert result.returncode == 0
    for command in ("train", "compare", "evaluate", "export", "predict", "zoo", "data"):
        assert f" {command} " in result.stdout


def test_alone_it_tells_what_to_do_first():
    result = subprocess.run(KERASNLP_LAB, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert len(lines) < 30 and max(map(len, lines)) <= 80
    first = [line.split() for line in lines if line.startswith("  kerasnlp-lab ")]
    assert [words[1] for words in first] == ["train", "predict", "compare"]
    commands = typer.main.get_command(app).commands
    for words in first:
        known = {name for parameter in commands[words[1]].params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known
    for command in commands:
        assert any(line.startswith(f"  {command} ") for line in lines)
    assert first[0][-1] == first[1][2]  # the trained model gives the answers


@pytest.mark.parametrize("group", ["zoo", "hub", "data"])
def test_a_group_alone_shows_its_commands(group):
    result = run(group)
    assert (result.code, result.err) == (0, "")
    assert " list " in result.out


def test_version():
    assert run("--version").out == f"kerasnlp-lab {__version__}\n"
