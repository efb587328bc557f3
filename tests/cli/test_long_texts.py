"""--long-texts on the command line: the line before training, the run, and its export."""

import csv
import json

import numpy as np
import pytest

from tests.cli.command import run

FILLERS = "the a of on in and for to at by with from".split()
WORDS = {"animals": ("tiger", "horse"), "money": ("crude", "shares")}
SIZES = ("embed_dim=16", "ff_dim=16", "dropout=0.1", "token_dropout=0.1")
SMALL = [word for one in SIZES for word in ("--option", one)]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Texts of 60 words. What decides is the last word but five."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("long") / "long.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for row in range(160):
            label = list(WORDS)[row % 2]
            words = [*rng.choice(FILLERS, 54), rng.choice(WORDS[label]), *rng.choice(FILLERS, 5)]
            rows.writerow([" ".join(words), label])
    return path


def train(table, folder, *words):
    given = ("--data", table, "--max-length", 16, "--epochs", 5, *SMALL, "--output", folder)
    return run("train", "--model", "transformer", *given, *words)


@pytest.fixture(scope="module")
def runs(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    chosen = ("head", "tail", "windows")
    return folder, {one: train(table, folder / one, "--long-texts", one) for one in chosen}


def accuracy(folder):
    return json.loads((folder / "metrics.json").read_text())["test"]["accuracy"]


def test_what_is_read_decides(runs):
    folder, results = runs
    assert [result.code for result in results.values()] == [0, 0, 0]
    found = {name: accuracy(folder / name) for name in results}
    assert found["tail"] == 1.0 and found["windows"] > 0.9
    assert found["head"] < 0.8  # it reads fillers alone


def test_a_line_before_training_says_how_much_is_not_read(runs):
    folder, results = runs
    line = "100% of the texts are longer than 16 tokens: 73% of all words are not read"
    for name in ("head", "tail"):
        assert line in results[name].out
        assert "--long-texts windows reads them all" in " ".join(results[name].out.split())
        page = (folder / name / "report.html").read_text(encoding="utf-8")
        assert line in page
    assert "not read" not in results["windows"].out
    assert "not read" not in (folder / "windows" / "report.html").read_text(encoding="utf-8")


def test_predict_and_the_export_read_windows(runs, table, tmp_path):
    folder, _ = runs
    assert run("export", folder / "windows", "--to", tmp_path / "exported").code == 0
    answers = []
    for model in (folder / "windows", tmp_path / "exported"):
        result = run("predict", model, "--file", table, "--json")
        assert result.code == 0, result.err
        answers.append([json.loads(line) for line in result.out.splitlines()])
    assert len(answers[0]) == 160
    for one, other in zip(*answers, strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_explain_says_which_window_decided(runs, table, tmp_path):
    folder, _ = runs
    with table.open(encoding="utf-8", newline="") as file:
        text = next(csv.DictReader(file))["text"]
    result = run("explain", folder / "windows", text, "--label", "animals", "--to", tmp_path)
    assert result.code == 0, result.err
    assert "window" in result.out
    assert any(word in result.out for word in WORDS["animals"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--long-texts", "middle"), "one of head, tail, head_tail, windows, got 'middle'"),
        (("--long-texts", "windows", "--model", "tfidf_linear"), "long_texts"),
        (("--long-texts", "windows", "--option", "windows_in_training=0"), "1 or more, got 0"),
    ],
    ids=["unknown", "a model that reads everything", "no window"],
)
def test_what_cannot_be_is_refused(words, message, table, tmp_path):
    model = () if "--model" in words else ("--model", "transformer")
    result = run("train", *model, "--data", table, *words, "--output", tmp_path / "run")
    assert result.code == 2 and message in result.err
    assert len(result.err.splitlines()) <= 3
    assert not (tmp_path / "run").exists()
