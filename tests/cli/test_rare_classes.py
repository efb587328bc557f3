"""--rare-classes on the command line: train, evaluate, predict and data inspect."""

import csv
import json

import pytest

from tests.cli.command import run

COUNTS = {"broken": 6, "delivery": 20, "refund": 1, "thanks": 20}
WORDS = {"broken": "in two", "delivery": "parcel", "refund": "money back", "thanks": "great"}
RARE = "refund (1 row), broken (6 rows)"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("rare") / "rare.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for label, count in COUNTS.items():
            rows.writerows([f"{WORDS[label]} number {n}", label] for n in range(count))
    return path


def train(table, output, *words):
    model = ("--model", "tfidf_linear", "--option", "min_df=1", "--data", table)
    return run("train", *model, *words, "--output", output)


@pytest.fixture(scope="module")
def runs(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    chosen = {"keep": "keep", "drop": "drop", "merge": "merge=other", "known": "merge=thanks"}
    results = {
        name: train(table, folder / name, "--rare-classes", value) for name, value in chosen.items()
    }
    assert [result.code for result in results.values()] == [0] * 4
    return folder, results


def classes(folder):
    return json.loads((folder / "model" / "classifier.json").read_text())["task"]["label_names"]


def test_stop_is_the_default_and_names_the_class(table, tmp_path):
    for words in ((), ("--rare-classes", "stop")):
        result = train(table, tmp_path / "run", *words)
        assert result.code == 2
        assert (
            "'refund' has 1 row, 'broken' has 6 rows" in result.err
            and "--rare-classes" in result.err
        )
        assert not (tmp_path / "run").exists()


def test_inspect_shows_the_table_all_the_same(table):
    result = run("data", "inspect", table)
    assert "refund" in result.out and "delivery" in result.out


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("keep", ["broken", "delivery", "refund", "thanks"]),
        ("drop", ["delivery", "thanks"]),
        ("merge", ["delivery", "other", "thanks"]),
        ("known", ["delivery", "thanks"]),
    ],
)
def test_the_classes_of_the_model_and_the_line_that_names_the_rare_one(name, expected, runs):
    folder, results = runs
    assert classes(folder / name) == expected
    assert f"fewer than 7 rows: {RARE}" in results[name].out + results[name].err
    config = json.loads((folder / name / "config.json").read_text())["dataset"]
    sizes = [config[f"{part}_rows"] for part in ("train", "validation", "test")]
    assert sum(sizes) == (40 if name == "drop" else 47)  # no other row goes


def test_keep_trains_on_the_rare_rows_and_tests_on_none(runs):
    folder, results = runs
    metrics = json.loads((folder / "keep" / "metrics.json").read_text())["test"]
    assert [metrics["per_class"][name]["support"] for name in ("refund", "broken")] == [0, 0]
    said = results["keep"].out + results["keep"].err
    assert "no row has the classes" in said and "refund" in said
    (answer,) = run("predict", folder / "keep", "money back", "--json").out.splitlines()
    assert set(json.loads(answer)["probabilities"]) == set(COUNTS)


def test_evaluate_treats_rare_rows_as_the_training_did(runs, table):
    folder, _ = runs
    for name in ("keep", "merge", "known"):
        result = run("evaluate", folder / name, "--data", table, "--json")
        assert result.code == 0, result.err
        assert json.loads(result.out)["rows"] == 47
    refused = run("evaluate", folder / "drop", "--data", table)
    assert refused.code == 2
    assert "line 2: class 'broken' was left out of training" in refused.err
    skipped = run("evaluate", folder / "drop", "--data", table, "--bad-rows", "skip", "--json")
    assert skipped.code == 0 and json.loads(skipped.out)["rows"] == 40
    assert "refund" in skipped.err and "broken" in skipped.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--rare-classes", "hide"), "stop, keep, drop"),
        (("--rare-classes", "merge="), "merge"),
        (("--rare-classes", "drop", "--rare-minimum", 0), "--rare-minimum"),
    ],
    ids=["unknown", "no name", "no minimum"],
)
def test_what_cannot_be_is_refused(words, message, table, tmp_path):
    result = train(table, tmp_path / "run", *words)
    assert result.code == 2 and message in result.err
    assert not (tmp_path / "run").exists()
