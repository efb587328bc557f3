"""`kerasnlp-lab distil` and `compare --runs` on the command line."""

import json

import pytest

from kerasnlp_lab.lab import run_comparison
from tests.cli.command import run
from tests.cli.json_keys import assert_documented
from tests.cli.test_mistakes import assert_mistake
from tests.data.inspection.tables import plain_rows, write_table

QUICK = ("--epochs", 1, "--min-steps-per-epoch", 2, "--batch-size", 16, "--max-length", 16)
QUICK += ("--option", "embed_dim=8", "--option", "vocab_size=60")


@pytest.fixture(autouse=True)
def quick_turns(monkeypatch):
    monkeypatch.setattr(run_comparison, "MOST_TEXTS", 100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A teacher in big/, and its student in small/."""
    folder = tmp_path_factory.mktemp("distil")
    table = write_table(folder / "t.csv", plain_rows())
    words = ("--model", "tfidf_linear", "--data", table, "--output", folder / "big")
    assert run("train", *words).code == 0
    more = write_table(folder / "more.csv", [("a new text", 1), ("a NEW text", 2)], ("text", "id"))
    words = ("--unlabelled", more, "--output", folder / "small", *QUICK)
    result = run("distil", folder / "big", *words)
    assert result.code == 0, result.err
    (folder / "said.txt").write_text(result.out)
    return folder


def test_it_says_what_it_does_and_what_comes_next(folder):
    said = (folder / "said.txt").read_text()
    assert f"{folder / 'more.csv'}: the texts are in column text" in said
    assert "unlabelled texts used: 1 of 2" in said and "texts answered by tfidf_linear" in said
    assert f"compare both: kerasnlp-lab compare --runs {folder / 'big'},{folder / 'small'}" in said


def test_a_student_is_used_as_any_run(folder, tmp_path):
    small = folder / "small"
    assert run("evaluate", small, "--data", folder / "t.csv").code == 0
    assert run("export", small, "--to", tmp_path / "exported").code == 0
    result = run("predict", tmp_path / "exported", "win a free lamp now")
    assert result.code == 0 and result.out.split()[0] in ("ham", "spam")
    assert run("explain", small, "win a free lamp now").code == 0
    assert "this run is finished" in run("train", "--resume", small).out


def test_json(folder, tmp_path):
    result = run("distil", folder / "big", "--output", tmp_path / "run", *QUICK, "--json")
    assert result.code == 0, result.err
    assert_documented(json.loads(result.out), "distil")
    runs = f"{folder / 'big'},{tmp_path / 'run'}"
    result = run("compare", "--runs", runs, "--output", tmp_path / "compared", "--json")
    assert result.code == 0, result.err
    assert_documented(json.loads(result.out), "compare --runs")


def test_the_table_of_runs(folder, tmp_path):
    big, small = folder / "big", folder / "small"
    words = ("compare", "--runs", f"{small}, {big}", "--output", tmp_path / "compared")
    result = run(*words)
    assert result.code == 0, result.err
    saved = json.loads((tmp_path / "compared" / "comparison.json").read_text())
    for row in saved["leaderboard"]:
        (line,) = [line for line in result.out.splitlines() if row["model"] in line]
        agreement = "-" if row["run"] == str(big) else f"{row['agreement']:.4f}"
        for cell in (row["model"], f"{row['value']:.4f}", agreement):
            assert cell in line.split()
    assert f"agreement is with {big}" in result.out
    assert saved["paired_tests"][0] in result.out


def test_other_test_rows(folder, tmp_path):
    new = [(f"{text} as new", label) for text, label in plain_rows()]
    table = write_table(tmp_path / "new.tsv", new, ("message", "kind"))
    table.write_text(table.read_text().replace(",", "\t"))
    runs = ("compare", "--runs", f"{folder / 'big'},{folder / 'small'}")
    columns = ("--text-column", "message", "--label-column", "kind")
    result = run(*runs, "--test-data", table, *columns, "--output", tmp_path / "compared")
    assert result.code == 0, result.err
    saved = json.loads((tmp_path / "compared" / "comparison.json").read_text())
    assert saved["test_rows"] == 60 and saved["test_source"] == str(table)


BOTH = "say either --models NAME,NAME (see 'zoo list') or --runs RUN,RUN"


@pytest.mark.parametrize(
    "words, message",
    [
        ([], BOTH),
        (["--runs", "a,b", "--models", "tfidf_linear"], BOTH),
        (["--runs", "a,b", "--seeds", 2, "--leaks", "drop"], "leave out --leaks, --seeds"),
        (["--runs", "a,b", "--delimiter", ";"], "--delimiter belongs to a table: say --test-data"),
        (["--runs", "a"], "name two runs or more, each once, got a"),
        (["--runs", "a,b"], "there is no run directory a"),
    ],
)
def test_a_comparison_that_cannot_be(words, message, tmp_path):
    assert_mistake(run("compare", *words, "--output", tmp_path / "compared"), message)


@pytest.mark.parametrize(
    "words, message",
    [
        (["--hard", 2], "hard must be from 0 to 1, got 2.0"),
        (["--temperature", 0], "temperature must be above 0, got 0.0"),
        (["--leaks", "loose"], "--leaks must be keep or drop, got 'loose'"),
        (["--bad-rows", "maybe"], "--bad-rows must be stop or skip, got 'maybe'"),
        (["--text-column", "text"], "--text-column is for more texts: say --unlabelled FILE"),
        (["--student", "transfomer"], "did you mean 'transformer'?"),
        (["--unlabelled", "missing.txt"], "no such file"),
        (["--data", "t.csv", "--data-dir", "d"], "the run reads nothing from --data-dir"),
        (["--strategy", "multi_worker", "--output", "x"], "one for a single machine to distil"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_distillation_that_cannot_be(words, message, folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert_mistake(run("distil", "big", *words), message)


def test_the_teacher_must_be_a_finished_run(tmp_path):
    assert_mistake(run("distil", tmp_path / "none"), "there is no run directory")
