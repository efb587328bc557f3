"""Generation on the command line: train, resume, evaluate, predict, export, explain, inspect."""

import csv
import dataclasses
import json

import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401  # registers operations of the export

from kerasnlp_lab.zoo import Recipe, registry
from kerasnlp_lab.zoo.rnn_seq2seq import RNN_SEQ2SEQ
from tests.cli.command import run
from tests.cli.json_keys import assert_documented

TINY = ("--option", "units=8", "--option", "embed_dim=8", "--option", "beam_size=2")
QUICK = ("--epochs", "1", "--min-steps-per-epoch", "1", "--batch-size", "16")
COLUMNS = ("--text-column", "latin", "--target-column", "upper")


def write_table(path, rows, *more):
    lines = [f"word {n},{n % 7},WORD {n}" for n in range(rows)]
    path.write_text("\n".join(["latin,label,upper", *lines, *more]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generation")
    table = write_table(folder / "rows.csv", 60, "word \u00e9,0,\u00c9")
    test = write_table(folder / "test.csv", 5, "word \u00e9,0,\u00c9\u00c8")
    arguments = ("--task", "generation", "--data", table, "--test-data", test, *COLUMNS)
    result = run("train", *arguments, *TINY, *QUICK, "--output", folder / "run")
    assert result.code == 0, result.err
    return folder, result


def test_training_reports_what_cannot_be_written(trained):
    folder, result = trained
    assert "1 of 6 test targets have characters that no training target has" in result.out
    assert "exact match 0." in result.out
    config = json.loads((folder / "run" / "config.json").read_text())
    assert config["model"]["name"] == "rnn_seq2seq"
    assert config["dataset"]["reading"]["target_column"] == "upper"
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert metrics["test"]["targets_with_unseen_characters"] == 1
    assert metrics["training"]["history"][0]["val_exact_match"] >= 0
    with (folder / "run" / "predictions.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["target"] for row in rows] == [*(f"WORD {n}" for n in range(5)), "\u00c9\u00c8"]
    wrong = sum(row["output"] != row["target"] for row in rows)
    assert wrong == sum(row["edits"] != "0" for row in rows)
    assert metrics["test"]["exact_match"] == 1 - wrong / 6
    page = (folder / "run" / "report.html").read_text()
    assert "The worst outputs" in page
    assert (folder / "run" / "by_length.png").is_file()


def test_evaluate_has_the_columns_of_training(trained, tmp_path):
    folder, _ = trained
    table = write_table(tmp_path / "new.csv", 4)
    result = run("evaluate", folder / "run", "--data", table, "--json")
    assert result.code == 0, result.err
    content = json.loads(result.out)
    assert content["rows"] == 4
    assert_documented(content, "evaluate of generation")


def test_an_export_answers_as_the_run(trained, tmp_path):
    folder, _ = trained
    exported = tmp_path / "exported"
    assert run("export", folder / "run", "--to", exported).code == 0
    texts = ["word 1", "", "\U0001f388 word"]
    answers = []
    for model in (folder / "run", exported):
        result = run("predict", model, *texts, "--json")
        assert result.code == 0, result.err
        answers.append([json.loads(line) for line in result.out.splitlines()])
    for one, other in zip(*answers, strict=True):
        assert one.pop("score") == pytest.approx(other.pop("score"), abs=1e-5)
        assert one == other
    serve = tf.saved_model.load(str(exported)).signatures["serving_default"]
    outputs = serve(text=tf.constant(texts))
    assert [one.decode() for one in outputs["output"].numpy()] == [
        one["output"] for one in answers[0]
    ]
    result = run("predict", exported, "word 1", "--json")
    assert_documented(json.loads(result.out), "predict of generation")


def test_explain_shows_the_alignment(trained, tmp_path):
    folder, _ = trained
    result = run("explain", folder / "run", "word 1", "--to", tmp_path, "--json")
    assert result.code == 0, result.err
    content = json.loads(result.out)
    assert_documented(content, "explain of generation")
    assert content["tokens"] == list("word 1")
    assert (tmp_path / "explanation.png").read_bytes()[:4] == b"\x89PNG"
    assert "looks at" in (tmp_path / "explanation.html").read_text()
    for flags in (["--layer", "1"], ["--lines"], ["--label", "x"]):
        refused = run("explain", folder / "run", "word 1", *flags)
        assert refused.code == 2
        assert "left out for a model that writes texts" in refused.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--label-column", "label"], "--label-column belongs to labels; leave it out for --task"),
        (["--max-classes", "3"], "--max-classes belongs to labels"),
        (["--target-column", "nowhere"], "no column 'nowhere'; there are latin, label, upper"),
        (["--text-column", "upper"], "cannot be both text and target text"),
        (["--model", "transformer"], "cannot write texts, as the task generation needs"),
        (["--folds", "3"], "--folds does not go with --task generation"),
    ],
    ids=lambda one: one[0] if isinstance(one, list) else "",
)
def test_what_does_not_fit_is_refused(tmp_path, arguments, message):
    table = write_table(tmp_path / "rows.csv", 20)
    result = run("train", "--task", "generation", "--data", table, *COLUMNS, *arguments)
    assert result.code == 2
    assert message in result.err


@pytest.mark.parametrize(
    ("task", "message"),
    [("classification", "say --task generation"), ("entities", "leave it out")],
)
def test_a_target_column_is_for_generation(tmp_path, task, message):
    table = write_table(tmp_path / "rows.csv", 20)
    arguments = ("--model", "hash_embed_cnn" if task == "entities" else "transformer")
    result = run("train", "--task", task, *arguments, "--data", table, "--target-column", "upper")
    assert result.code == 2
    assert message in result.err


def test_inspect(tmp_path):
    table = write_table(tmp_path / "rows.csv", 40, "word 3,1,other", "empty,1, ")
    folder = tmp_path / "found"
    inspect = ("data", "inspect", table, "--task", "generation", *COLUMNS, "--model", "transformer")
    result = run(*inspect, "--output", folder, "--json")
    assert result.code == 0, result.err
    content = json.loads(result.out)
    assert_documented(content | {"cleaned": None}, "data inspect")
    assert content["counts"]["two_targets"] == 2
    assert content["counts"]["bad_row"] == 1
    refused = run(*inspect, "--output", folder / "again", "--fix")
    assert refused.code == 2
    assert "--fix" in refused.err


@pytest.mark.slow
def test_compare_over_sizes(tmp_path, monkeypatch):
    options = dataclasses.replace(RNN_SEQ2SEQ.options, units=8, embed_dim=8, beam_size=1)
    tiny = dataclasses.replace(RNN_SEQ2SEQ, options=options, recipe=Recipe(epochs=1))
    monkeypatch.setitem(registry._ENTRIES, "rnn_seq2seq", tiny)
    table = write_table(tmp_path / "rows.csv", 60)
    arguments = ("--task", "generation", "--models", "rnn_seq2seq", "--data", table, *COLUMNS)
    result = run("compare", *arguments, "--sizes", "20,all", "--output", tmp_path / "both")
    assert result.code == 0, result.err
    content = json.loads((tmp_path / "both" / "comparison.json").read_text())
    assert content["leaderboard"][0]["headline"] == "exact_match"
    assert list(content["learning_curve"]) == ["20", "42"]
