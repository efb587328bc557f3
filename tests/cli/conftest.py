"""One run and its export, made by the command line."""

import pytest

from tests.cli.command import run
from tests.hub.conftest import hub_environment, origins, tiny_archives  # noqa: F401


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The run directory of tfidf_linear on news_sample, and the output of train."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    result = run("train", "--model", "tfidf_linear", "--dataset", "news_sample", "--output", folder)
    assert result.code == 0, result.err
    return folder, result


@pytest.fixture(scope="session")
def finished_run(trained):
    return trained[0]


@pytest.fixture(scope="session")
def exported(finished_run):
    folder = finished_run.with_name("exported")
    result = run("export", finished_run, "--to", folder)
    assert result.code == 0, result.err
    assert f"try: kerasnlp-lab predict {folder} " in result.out
    return folder
