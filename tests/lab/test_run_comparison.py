"""`compare_runs`: trained runs on rows that none of them was trained on."""

import json
import re
import shutil

import numpy as np
import pytest

from kerasnlp_lab.data import load_table
from kerasnlp_lab.data.unlabelled_files import UnlabelledFiles
from kerasnlp_lab.errors import OptionError, RunError
from kerasnlp_lab.evaluation.paired_tests import mcnemar_exact
from kerasnlp_lab.lab import (
    ExperimentConfig,
    compare_runs,
    experiment,
    run_comparison,
    run_experiment,
)
from kerasnlp_lab.lab.distillation import Distillation, Teaching, teacher_rows
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.zoo import load_classifier, predict_logits
from tests.data.inspection.tables import plain_rows, write_table

NOISE = [(f"the {word} of the {word}", label) for word in "abcdefgh" for label in ("ham", "spam")]


@pytest.fixture(scope="module", autouse=True)
def without_figures():
    """Draws no figures, which take most of the time and are tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "_write_figures", lambda *_: {})
        yield


@pytest.fixture(autouse=True)
def quick_turns(monkeypatch):
    monkeypatch.setattr(run_comparison, "MOST_TEXTS", 100)


def train(data, folder, seed=0, **options):
    config = ExperimentConfig("tfidf_linear", {"min_df": 1, **options}, seed=seed)
    run_experiment(config, data, folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs on the same rows, on other rows, on another split, and a student."""
    folder = tmp_path_factory.mktemp("runs")
    table = write_table(folder / "t.csv", [*plain_rows(), *NOISE])
    data = load_table(table)
    train(data, folder / "words")
    train(data, folder / "characters", tokens="characters")
    train(load_table(table, seed=5), folder / "other_split")
    moved = write_table(folder / "others.csv", plain_rows()[::-1])
    train(load_table(moved), folder / "others")
    (folder / "more.txt").write_text(f"a new text\n{data.test.texts[0]}")
    files = UnlabelledFiles(paths=(str(folder / "more.txt"),))
    settings = Distillation(teacher=str(folder / "words"), unlabelled=files)
    teaching = Teaching(settings, teacher_rows(settings))
    tiny = {"max_length": 16, "vocab_size": 60, "embed_dim": 8, "ff_dim": 8}
    config = teaching.student("transformer", tiny, {"epochs": 1, "min_steps_per_epoch": 1})
    run_experiment(config, data, folder / "student", teaching=teaching)
    return folder


@pytest.fixture(scope="module")
def compared(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_comparison, "MOST_TEXTS", 100)
        names = [folder / name for name in ("characters", "student", "words")]
        return compare_runs(names, folder / "compared")


def test_a_run_has_the_accuracy_of_its_training(compared, folder):
    assert [row["value"] for row in compared.rows] == sorted(
        (row["value"] for row in compared.rows), reverse=True
    )
    for row in compared.rows:
        run = RunDirectory.open(row["run"])
        test = run.read_json("metrics.json")["test"]
        assert row["figures"] == {name: test[name] for name in ("accuracy", "macro_f1", "mcc")}
        assert list(row["interval"]) == test["accuracy_95_interval"]
        assert row["model_bytes"] == run.model_bytes()
        turns = row["predict_texts_per_second_of_turns"]
        assert len(turns) == 5 and row["predict_texts_per_second"] == np.median(turns) > 0


def test_agreement_is_with_the_teacher(compared, folder):
    assert compared.reference == str(folder / "words")
    tested = load_table(folder / "t.csv").test

    def answers(name):
        classifier = load_classifier(folder / name / "model")
        return predict_logits(classifier, tested.texts).argmax(axis=1)

    for row in compared.rows:
        name = row["run"].rpartition("/")[2]
        assert row["agreement"] == np.mean(answers(name) == answers("words"))
        assert row["teacher"] == (str(folder / "words") if name == "student" else None)


def test_neighbours_are_put_to_a_paired_test(compared, folder):
    tested = load_table(folder / "t.csv").test
    best, second, _ = (row["run"] for row in compared.rows)
    right = []
    for run in (best, second):
        logits = predict_logits(load_classifier(f"{run}/model"), tested.texts)
        right.append(logits.argmax(axis=1) == tested.labels)
    p = mcnemar_exact(*right)
    assert len(compared.verdicts) == 2
    assert re.search(
        rf"{best} and {second}: .* is within noise \(p = {p:.2g}\)", compared.verdicts[0]
    )


def test_the_files_have_all_of_it(compared, folder):
    saved = json.loads((folder / "compared" / "comparison.json").read_text())
    assert saved["leaderboard"] == json.loads(json.dumps(compared.rows))
    assert saved["test_source"] == str(folder / "t.csv")
    page = (folder / "compared" / "report.html").read_text()
    for row in compared.rows:
        assert f"{100 * row['value']:.2f}" in page and row["run"] in page
    for sentence in (*compared.verdicts, *compared.notes):
        assert sentence.replace("'", "&#39;") in page


def test_unlabelled_texts_that_are_tested_on_are_only_said(compared, folder):
    tested = len(load_table(folder / "t.csv").test)
    line = f"{folder / 'student'}: 1 of the {tested} test rows were among the unlabelled texts"
    assert line in compared.notes


def test_unlabelled_texts_that_are_gone_are_only_said(folder, tmp_path):
    student = shutil.copytree(folder / "student", tmp_path / "student")
    path = student / "config.json"
    path.write_text(path.read_text().replace("more.txt", "gone.txt"))
    notes = compare_runs([folder / "words", student], tmp_path / "compared").notes
    assert any(
        "unlabelled texts cannot be compared" in note and "gone.txt" in note for note in notes
    )


@pytest.mark.parametrize("name", ["other_split", "others"])
def test_a_run_that_was_trained_on_the_test_rows_is_refused(name, folder, tmp_path):
    message = (
        rf"{folder / name} was trained on \d+ of the \d+ test rows, such as .*t\.csv, line \d+"
    )
    with pytest.raises(RunError, match=message):
        compare_runs([folder / "words", folder / name], tmp_path / "compared")
    assert not (tmp_path / "compared").exists()


def test_a_run_without_rows_held_out_is_refused(folder, tmp_path):
    table = str(folder / "others.csv")
    train(load_table(table, validation=table, test=table), tmp_path / "all")
    names = [tmp_path / "all", folder / "others"]
    with pytest.raises(RunError, match=r"all was trained on 60 of the 60 test rows"):
        compare_runs(names, tmp_path / "compared")


def test_new_rows_can_be_tested_on(folder, tmp_path):
    new = load_table(
        write_table(
            tmp_path / "new.csv", [(f"{text} !?new", label) for text, label in plain_rows()]
        )
    )
    names = [folder / "words", folder / "other_split", folder / "others"]
    result = compare_runs(names, tmp_path / "compared", test=new.test)
    assert len(result.rows) == 3 and result.notes == []
    assert result.reference == str(folder / "words")
    assert all(row["value"] > 0.8 for row in result.rows)


def test_texts_that_a_dataset_has_twice_are_only_said(tmp_path):
    rows = plain_rows()
    table = write_table(tmp_path / "t.csv", rows)
    tested = write_table(tmp_path / "test.csv", [*rows[:10], ("a new text", "spam")])
    data = load_table(table, test=tested)
    twice = len({*data.test.texts} & {*data.train.texts})
    names = [train(data, tmp_path / "one"), train(data, tmp_path / "two", tokens="characters")]
    notes = compare_runs(names, tmp_path / "compared").notes
    line = f"{twice} of the 11 test rows have the text of a training row"
    assert notes == [f"{names[0]}, {names[1]}: {line}"]


def test_a_moved_table_is_named(folder, tmp_path):
    table = write_table(tmp_path / "t.csv", plain_rows())
    names = [train(load_table(table), tmp_path / "one"), train(load_table(table), tmp_path / "two")]
    table.rename(tmp_path / "moved.csv")
    with pytest.raises(RunError, match="one: its training rows cannot be found again"):
        compare_runs(names, tmp_path / "compared")
    moved = {"data": str(tmp_path / "moved.csv")}
    result = compare_runs(names, tmp_path / "compared", moved=moved)
    assert [row["agreement"] for row in result.rows] == [1, 1]


def test_runs_of_other_classes_or_tasks_are_refused(folder, tmp_path):
    table = write_table(tmp_path / "t.csv", [(text, label.upper()) for text, label in plain_rows()])
    other = train(load_table(table), tmp_path / "other")
    with pytest.raises(
        OptionError, match="words has the classes ham, spam, and .*other has HAM, SPAM"
    ):
        compare_runs([folder / "words", other], tmp_path / "compared")


@pytest.mark.parametrize("names", [[], ["words"], ["words", "others", "words"]], ids=len)
def test_each_run_is_named_once(names, folder, tmp_path):
    with pytest.raises(OptionError, match="name two runs or more, each once, got"):
        compare_runs([folder / name for name in names], tmp_path / "compared")
