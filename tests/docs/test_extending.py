"""docs/extending.md followed to the letter, each part in a copy of the repository of its own."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.docs.pages import ROOT, blocks, read

PARTS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", read("docs/extending.md"), re.M | re.S))


@pytest.fixture()
def clone(tmp_path):
    """A copy of what the page changes and runs."""
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("kerasnlp_lab", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for file in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


def write(block, clone):
    """Makes a block's file, or its change to one."""
    path = clone / block.title
    if block.language != "diff":
        assert not path.exists(), block.title
        path.parent.mkdir(exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        return
    lines = block.text.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{block.title} has not got, once:\n{before}"
    path.write_text(text.replace(before, after), encoding="utf-8")


def call(line, clone):
    """Runs a command that the page shows, as in an environment where the clone is installed."""
    program, *arguments = shlex.split(line)
    modules = {"kerasnlp-lab": ["-m", "kerasnlp_lab"], "python": [], "ruff": ["-m", "ruff"]}
    result = subprocess.run(
        [sys.executable, *modules[program], *arguments],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, f"{line}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
    return result.stdout


@pytest.mark.parametrize(
    "part, answer",
    [
        ("A model", "Oil slips below 45 dollars"),
        ("A dataset", "macro F1"),
        ("A layer", " passed"),
    ],
)
def test_following_the_page(part, answer, clone):
    made = blocks(PARTS[part])
    for block in made:
        if block.title:
            write(block, clone)
    lines = [line for one in made if one.language == "bash" for line in one.text.splitlines()]
    lines = [line for row in lines for line in row.split(" && ")]
    assert lines
    said = "".join(call(line, clone) for line in lines)
    assert answer in said
