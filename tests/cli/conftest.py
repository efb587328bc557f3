"""One run and its export, made by the command line."""

import json

import pytest
from filelock import FileLock

from tests.cli.command import Result, run
from tests.hub.conftest import hub_environment, origins, tiny_archives  # noqa: F401


def run_once(folder, *arguments):
    """Returns the output of a command that writes a folder, run unless another worker has."""
    said = folder.with_suffix(".json")
    with FileLock(f"{folder}.lock"):
        if not said.exists():
            result = run(*arguments)
            assert result.code == 0, result.err
            said.write_text(json.dumps([result.code, result.out, result.err]))
    return Result(*json.loads(said.read_text()))


@pytest.fixture(scope="session")
def trained(shared_folder):
    """The run directory of tfidf_linear on news_sample, and the output of train."""
    folder = shared_folder / "run"
    words = ("--model", "tfidf_linear", "--dataset", "news_sample", "--output", folder)
    return folder, run_once(folder, "train", *words)


@pytest.fixture(scope="session")
def finished_run(trained):
    return trained[0]


@pytest.fixture(scope="session")
def exported(finished_run):
    folder = finished_run.with_name("exported")
    result = run_once(folder, "export", finished_run, "--to", folder)
    assert f"try: kerasnlp-lab predict {folder} " in result.out
    return folder
