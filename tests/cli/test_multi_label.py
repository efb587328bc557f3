"""Several labels a text on the command line: train, compare, evaluate, predict, export, explain."""

import csv
import json

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401  # registers operations of the export

from tests.cli.command import run
from tests.cli.json_keys import assert_documented

LABELS = ("cats, big", "oil", "goal")
WORDS = ("tiger", "crude", "striker")
FILLERS = "the a of on in and for to at by".split()


def write_table(path, rows, seed):
    """Writes texts whose labels are told by a word each, as a CSV with quoted names."""
    rng = np.random.default_rng(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["text", "labels"])
        for has in rng.random((rows, 3)) < (0.4, 0.3, 0.2):
            names = [f'"{name}"' if "," in name else name for name in np.array(LABELS)[has]]
            text = " ".join([*rng.choice(FILLERS, 4), *np.array(WORDS)[has]])
            table.writerow([text, ",".join(names)])
    return path


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    table = write_table(folder / "rows.csv", 200, 0)
    models = ("--models", "tfidf_linear,transformer")
    arguments = ("--task", "multi_label", "--data", table, "--label-column", "labels")
    result = run("compare", *models, *arguments, "--output", folder / "both")
    assert result.code == 0, result.err
    return folder, result


@pytest.mark.usefixtures("compared")
def test_neighbours_are_compared_by_their_macro_f1(compared):
    folder, result = compared
    content = json.loads((folder / "both" / "comparison.json").read_text())
    for row in content["leaderboard"]:
        assert row["headline"] == "macro_f1" and row["value"] > 0.8
        assert f"{row['micro_f1']:.4f}" in result.out
    (sentence,) = content["paired_tests"]
    assert "points of macro-F1 (95% " in sentence and sentence in result.out
    page = (folder / "both" / "report.html").read_text()
    assert "A paired bootstrap of the F1" in page and "micro-F1" in page
    assert (
        "The most surely missed labels"
        in (folder / "both" / "transformer" / "report.html").read_text()
    )


def test_evaluate_prints_documented_keys(compared, tmp_path):
    folder, _ = compared
    table = write_table(tmp_path / "new.csv", 40, 1)
    result = run("evaluate", folder / "both" / "tfidf_linear", "--data", table, "--json")
    assert result.code == 0, result.err
    content = json.loads(result.out)
    assert content["rows"] == 40 and list(content["per_label"]) == sorted(LABELS)
    assert_documented(content, "evaluate of several labels")


def test_an_export_answers_as_the_run(compared, tmp_path):
    folder, _ = compared
    exported = tmp_path / "exported"
    chosen = folder / "both" / "transformer"
    assert run("export", chosen, "--to", exported).code == 0
    texts = ["the tiger saw the striker", "of the and a", "crude"]
    answers = []
    for model in (chosen, exported):
        result = run("predict", model, *texts, "--json")
        assert result.code == 0, result.err
        answers.append([json.loads(line) for line in result.out.splitlines()])
    for one, other in zip(*answers, strict=True):
        assert one["labels"] == other["labels"]
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)
    assert_documented(answers[0][0], "predict of several labels")
    assert [set(one["labels"]) for one in answers[0]] == [{"cats, big", "goal"}, set(), {"oil"}]
    lines = run("predict", exported, *texts).out.splitlines()
    assert lines[1].startswith("none  of the") and "oil 0." in lines[2]
    serve = tf.saved_model.load(str(exported)).signatures["serving_default"]
    outputs = serve(text=tf.constant(texts))
    assert outputs["count"].numpy().tolist() == [2, 0, 1]
    names = [[one.decode() for one in row if one] for row in outputs["labels"].numpy()]
    assert names == [one["labels"] for one in answers[1]]
    assert outputs["thresholds"].shape == outputs["probabilities"].shape == (3, 3)


def test_a_label_is_explained(compared, tmp_path):
    folder, _ = compared
    chosen = folder / "both" / "transformer"
    words = ("the tiger saw the striker", "--label", "goal", "--to", tmp_path, "--json")
    result = run("explain", chosen, *words)
    assert result.code == 0, result.err
    content = json.loads(result.out)
    assert content["label"] == "goal"
    by_word = {word["text"]: word["contribution"] for word in content["words"]}
    assert max(by_word, key=by_word.get) == "striker"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--threshold", "f1"), "auto, macro_f1, micro_f1, common or a probability, got 'f1'"),
        (("--positive-class", "oil"), "positive_class must be left out for multi_label"),
        (("--class-weight", "oli=2"), "did you mean 'oil'"),
        (("--model", "hash_embed_cnn"), "task must be entities for hash_embed_cnn"),
    ],
)
def test_options_of_other_tasks_are_refused(compared, tmp_path, arguments, message):
    folder, _ = compared
    given = ("--task", "multi_label", "--data", folder / "rows.csv", "--label-column", "labels")
    model = () if "--model" in arguments else ("--model", "transformer")
    result = run("train", *model, *given, *arguments, "--output", tmp_path / "run")
    assert result.code == 2 and message in result.err
