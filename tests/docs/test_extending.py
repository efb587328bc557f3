"""docs/extending.md works when followed exactly, each part in a new copy of the repository."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.docs.pages import ROOT, blocks, read

# One process runs several commands, because importing TensorFlow takes longer than they do.
ONE_PROCESS = """
import json, sys
from kerasnlp_lab.cli.main import main
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["kerasnlp-lab", *arguments]
    try:
        main()
    except SystemExit as done:
        if done.code:
            raise
"""
PARTS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", read("docs/extending.md"), re.M | re.S))


@pytest.fixture()
def clone(tmp_path):
    """A copy of the files that the page changes and runs."""
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("docs", "kerasnlp_lab", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for file in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


def write(block, clone):
    """Writes a block's file, or applies its change to a file."""
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


def call(arguments, clone):
    """Runs Python with arguments, as if the clone were installed."""
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    said = f"{arguments}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
    assert result.returncode == 0, said
    return result.stdout


@pytest.mark.slow
@pytest.mark.starts_tensorflow
@pytest.mark.parametrize(
    "part, answers",
    [
        ("A model", ["1,280,260", "epoch 10", "Oil slips below 45 dollars", " passed"]),
        ("A task", ["A number for each text", "within half", "mean absolute error", " passed"]),
        ("A dataset", ["support tickets by the queue", "macro-F1"]),
        ("A layer", [" passed"]),
    ],
)
def test_following_the_page(part, answers, clone):
    made = blocks(PARTS[part])
    for block in made:
        if block.title:
            write(block, clone)
    rows = [row for one in made if one.language == "bash" for row in one.text.splitlines()]
    lines = [shlex.split(line) for row in rows for line in row.split(" && ")]
    ours = [arguments for program, *arguments in lines if program == "kerasnlp-lab"]
    said = call(["-c", ONE_PROCESS, json.dumps(ours)], clone) if ours else ""
    for program, *arguments in lines:
        if program != "kerasnlp-lab":
            said += call(arguments if program == "python" else ["-m", program, *arguments], clone)
    for answer in answers:
        assert answer in said
