"""`mix` on the command line: its result is opened by the other commands."""

import json

import pytest

from tests.cli.command import run
from tests.cli.json_keys import assert_documented


@pytest.fixture(scope="module")
def mixed(finished_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixed")
    words = ("--dataset", "news_sample", "--option", "longest_ngram=1", "--output", folder / "one")
    assert run("train", "--model", "tfidf_linear", *words).code == 0
    runs = (finished_run, folder / "one")
    result = run("mix", *runs, "--output", folder / "mix", "--json")
    assert result.code == 0, result.err
    return folder / "mix", json.loads(result.out), runs


def test_the_result_has_the_documented_keys(mixed):
    folder, document, runs = mixed
    assert_documented(document, "mix")
    assert document["runs"] == [str(one) for one in runs]
    assert sum(document["weights"]) == pytest.approx(1)


def test_other_commands_open_the_mix(mixed, tmp_path):
    folder, document, runs = mixed
    again = run("evaluate", folder, "--dataset", "news_sample", "--json")
    assert json.loads(again.out)["accuracy"] == document["test"]["accuracy"]
    assert run("export", folder, "--to", tmp_path / "export").code == 0
    answers = [run("predict", one, "oil prices rise").out for one in (folder, tmp_path / "export")]
    assert answers[0] == answers[1] != ""
    refused = run("explain", folder, "oil prices rise")
    assert refused.code == 2 and f"explain {runs[0]} or" in refused.err
    finished = run("train", "--resume", folder)
    assert finished.code == 0 and "finished" in finished.out


def test_a_mistake_is_one_line(finished_run, tmp_path):
    result = run("mix", finished_run, "--output", tmp_path / "mix")
    assert result.code == 2 and "from 2 to 4" in result.err and not (tmp_path / "mix").exists()
