"""`kerasnlp-lab compare` writes a leaderboard and a run for each model."""

import json

import pytest

from tests.cli.command import run
from tests.data.inspection.tables import plain_rows, write_table


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A comparison of one model. tests/lab tests the ranking of several, which takes longer."""
    folder = tmp_path_factory.mktemp("cli") / "compared"
    arguments = ("--dataset", "news_sample", "--models", "tfidf_linear", "--output", folder)
    result = run("compare", *arguments)
    assert result.code == 0, result.err
    return folder, result


def test_the_leaderboard_has_the_runs_own_accuracy(compared):
    folder, result = compared
    (row,) = json.loads((folder / "comparison.json").read_text())["leaderboard"]
    metrics = json.loads((folder / row["folder"] / "metrics.json").read_text())["test"]
    assert row["accuracy"] == metrics["accuracy"]
    assert row["macro_f1"] == metrics["macro_f1"]
    assert f"report: {folder / 'report.html'}" in result.out
    assert (folder / "report.html").is_file()


def test_the_terminal_shows_names_and_numbers_whole(compared):
    """Without a terminal, as in a CI log or with `| tee`, there are 80 columns."""
    folder, result = compared
    (row,) = json.loads((folder / "comparison.json").read_text())["leaderboard"]
    (line,) = [line for line in result.out.splitlines() if f"{row['accuracy']:.4f}" in line]
    low, high = row["interval"]
    for cell in ("tfidf_linear", f"{low:.3f}-{high:.3f}", f"{row['macro_f1']:.4f}"):
        assert cell in line
    assert "…" not in result.out
    assert result.out and "\x1b" not in result.out + result.err


def test_each_model_can_be_used_by_itself(compared):
    folder, _ = compared
    result = run("predict", folder / "tfidf_linear", "Stocks fell", "--format", "jsonl")
    assert result.code == 0, result.err
    assert json.loads(result.out)["label"] == "Business"


@pytest.mark.parametrize(
    "models, message",
    [
        ("tfidf_linear,tfidf_linear", "each model to compare once, got tfidf_linear, tfidf_linear"),
        ("tfidf_linear,tfidf", "no model is called 'tfidf'; did you mean 'tfidf_linear'?"),
        (" , ", "each model to compare once, got none"),
    ],
)
def test_a_mistake_is_found_before_the_first_model_is_trained(models, message, tmp_path):
    folder = tmp_path / "compared"
    result = run("compare", "--dataset", "news_sample", "--models", models, "--output", folder)
    assert result.code == 2
    assert message in result.err
    assert not folder.exists()


def test_seeds_and_sizes(tmp_path):
    """tests/lab/test_comparison.py has them with two models, which takes longer."""
    table = write_table(tmp_path / "t.csv", plain_rows())
    words = ["--data", table, "--models", "tfidf_linear", "--output", tmp_path / "run"]
    result = run("compare", *words, "--seeds", "2", "--seed", "3", "--sizes", "all, 20")
    assert result.code == 0, result.err
    curve = json.loads((tmp_path / "run" / "comparison.json").read_text())["learning_curve"]
    assert list(curve) == ["20", "42"]
    for size, (row,) in curve.items():
        (line,) = [one for one in result.out.splitlines() if one.split()[:1] == [size]]
        assert line.split()[1:] == [f"{row['accuracy']:.4f}", "±", "0.0000"]
        folders = [f"tfidf_linear-{size}-rows-seed-{seed}" for seed in (3, 4)]
        assert all((tmp_path / "run" / folder / "metrics.json").is_file() for folder in folders)


@pytest.mark.parametrize(
    "words, message",
    [
        (["--seeds", "0"], "seeds must be 1 or more, got 0"),
        (["--sizes", "100,463"], "a size must be all, or from 1 to 462 rows, got '463'"),
        (["--sizes", "few"], "a size must be all, or from 1 to 462 rows, got 'few'"),
    ],
)
def test_seeds_and_sizes_that_cannot_be(words, message, tmp_path):
    arguments = ["--dataset", "news_sample", "--models", "tfidf_linear", *words]
    result = run("compare", *arguments, "--output", tmp_path / "run")
    assert result.code == 2
    assert message in result.err
    assert not (tmp_path / "run").exists()
