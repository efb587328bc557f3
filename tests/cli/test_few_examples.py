"""`train --recipe few_shot` and --folds on the command line."""

import csv
import json
import signal

import pytest

from kerasnlp_lab.lab import folds
from tests.cli.command import run

WORDS = {"animals": ("cat", "dog"), "money": ("oil", "stock"), "sport": ("team", "goal")}
RECIPE = ("train", "--recipe", "few_shot")


def write_table(path, rows_a_class):
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for label, words in WORDS.items():
            count = rows_a_class.get(label, 0)
            rows.writerows(
                [f"the {words[n % 2]} {'sat' * (n % 3)} {n}", label] for n in range(count)
            )
    return path


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("few") / "few.csv"
    return write_table(path, dict.fromkeys(WORDS, 4))


def of_bert(tiny_checkpoint, table, output):
    quick = ("--frozen-epochs", 1, "--epochs", 1, "--min-steps-per-epoch", 2, "--folds", 2)
    bert = ("--model", tiny_checkpoint, "--max-length", 16, "--precision", "float32")
    return (*RECIPE, *bert, "--data", table, *quick, "--output", output)


@pytest.fixture(scope="module")
def finished(tiny_checkpoint, table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    result = run(*of_bert(tiny_checkpoint, table, folder))
    assert result.code == 0, result.err
    return folder, result


def test_every_row_is_trained_on_and_tested(finished):
    folder, result = finished
    said = " ".join(result.out.split())
    assert "no row is held out: all 12 rows are trained on" in said
    assert "the results come from 2 more models" in said
    config = json.loads((folder / "config.json").read_text())
    assert config["dataset"]["train_rows"] == 12 and config["folds"] == 2
    assert config["model"]["options"]["pooling"] == "unit_mean"
    assert json.loads((folder / "metrics.json").read_text())["test"]["rows"] == 12
    with open(folder / "predictions.csv", encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 12


def test_it_is_a_run_as_every_other(finished, table, tmp_path):
    folder, _ = finished
    assert run("evaluate", folder, "--data", table).code == 0
    assert run("export", folder, "--to", tmp_path / "exported").code == 0
    texts = ("the cat sat", "a team")
    answers = []
    for model in (folder, tmp_path / "exported"):
        result = run("predict", model, *texts, "--json")
        assert result.code == 0, result.err
        answers.append([json.loads(line) for line in result.out.splitlines()])
    for one, other in zip(*answers, strict=True):
        assert one["label"] == other["label"]
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)
    again = run("train", "--resume", folder)
    assert again.code == 0 and "this run is finished" in again.out


def test_a_run_that_was_stopped_between_two_parts_ends_the_same(
    finished, tiny_checkpoint, table, tmp_path, monkeypatch
):
    whole, _ = finished
    train_and_answer, parts = folds._train_and_answer, []

    def stopped(*arguments):
        parts.append(arguments[0].name)
        if len(parts) == 2:
            signal.raise_signal(signal.SIGTERM)
        return train_and_answer(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(folds, "_train_and_answer", stopped)
        result = run(*of_bert(tiny_checkpoint, table, tmp_path / "run"))
    assert result.code != 0 and "train --resume" in result.err
    parts.clear()
    with monkeypatch.context() as patch:
        patch.setattr(
            folds, "_train_and_answer", lambda *a: parts.append(a[0].name) or train_and_answer(*a)
        )
        result = run("train", "--resume", tmp_path / "run")
    assert result.code == 0, result.err
    assert parts == ["fold-2.npy"]  # the first part was kept
    metrics = [json.loads((one / "metrics.json").read_text()) for one in (whole, tmp_path / "run")]
    assert metrics[0]["training"]["final_sha256"] == metrics[1]["training"]["final_sha256"]
    assert metrics[0]["test"]["accuracy"] == metrics[1]["test"]["accuracy"]
    files = [(one / "predictions.csv").read_bytes() for one in (whole, tmp_path / "run")]
    assert files[0] == files[1]


def test_a_class_with_one_text_is_named(tmp_path):
    table = write_table(tmp_path / "few.csv", {"animals": 4, "money": 4, "sport": 1})
    result = run(*RECIPE, "--model", "tfidf_linear", "--data", table, "--output", tmp_path / "run")
    assert result.code == 2
    assert "class 'sport' has fewer" in result.err and "--folds 0" in result.err
    assert "(--rare-classes drop --rare-minimum 2)" in result.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--folds", 1), "folds must be 2 or more"),
        (("--folds", 3, "--validation-fraction", 0.2), "what holds rows out"),
        (("--folds", 3, "--test-fraction", 0.2), "--folds does not go with --test-fraction"),
        (("--folds", 3, "--leaks", "drop"), "what holds rows out"),
        (("--folds", 3, "--task", "multi_label", "--label-column", "label"), "a label a text"),
    ],
    ids=["one", "rows held out", "a fraction", "leaks", "several labels"],
)
def test_folds_that_cannot_be_are_refused(words, message, table, tmp_path):
    model = ("--model", "tfidf_linear", "--data", table, "--output", tmp_path / "run")
    result = run("train", *model, *words)
    assert result.code == 2 and message in result.err
    assert not (tmp_path / "run").exists()


def test_rows_that_are_held_out_take_the_place_of_the_cross_validation(table, tmp_path):
    words = ("--model", "tfidf_linear", "--data", table, "--validation-fraction", 0.25)
    fractions = (*words, "--test-fraction", 0.25, "--option", "min_df=1")
    result = run(*RECIPE, *fractions, "--output", tmp_path / "run")
    assert result.code == 0, result.err
    assert "no row is held out" not in result.out
    options = "--validation-fraction and --test-fraction"
    assert f"rows are held out: no cross-validation goes with {options}" in result.out
    assert json.loads((tmp_path / "run" / "config.json").read_text())["folds"] == 0
