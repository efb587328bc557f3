"""Cross-validation: every row is answered by a model that was not trained on its text."""

import dataclasses
import io

import numpy as np
import pytest
import rich.console

from kerasnlp_lab.data import Split, TextDataset, load_table
from kerasnlp_lab.errors import DataError, OptionError
from kerasnlp_lab.lab import ExperimentConfig, find_preset, run_experiment
from kerasnlp_lab.lab.folds import divide_into_folds, out_of_fold_logits
from kerasnlp_lab.tasks import Classification
from kerasnlp_lab.training import RunDirectory, make_strategy, train
from kerasnlp_lab.zoo import create_model, find_model, predict_logits

WORDS = {"fruit": ["apple", "pear", "plum"], "tool": ["saw", "hammer", "drill"], "car": ["van"]}


def rows(*counts):
    texts, labels = [], []
    for label, (words, count) in enumerate(zip(WORDS.values(), counts, strict=False)):
        texts += [f"a {words[n % len(words)]} number {label}{n}" for n in range(count)]
        labels += [label] * count
    whole = Split(texts, labels)
    return TextDataset("things", tuple(WORDS)[: len(counts)], whole, whole, whole)


@pytest.mark.parametrize("counts", [(2, 2), (2, 2, 2), (8, 8, 8), (30, 3, 2)], ids=str)
@pytest.mark.parametrize("most", [2, 5])
def test_each_row_is_in_one_fold_and_each_class_outside_every_fold(counts, most):
    data = rows(*counts)
    folds = divide_into_folds(ExperimentConfig("tfidf_linear", folds=most), data)
    assert len(folds) == min(most, sum(counts))
    assert sorted(np.concatenate(folds)) == list(range(sum(counts)))
    for fold in folds:
        outside = np.delete(data.train.labels, fold)
        assert set(outside) == set(range(len(counts)))
        shares = np.bincount(data.train.labels[fold], minlength=len(counts))
        assert np.all(np.abs(shares - np.array(counts) / len(folds)) < 1)


def test_the_same_texts_stay_in_one_fold():
    texts = ["A saw", "a  saw", "an apple", "a pear", "a SAW", "a drill"]
    whole = Split(texts, [1, 1, 0, 0, 1, 1])
    data = TextDataset("things", ("fruit", "tool"), whole, whole, whole)
    folds = divide_into_folds(ExperimentConfig("tfidf_linear", folds=5), data)
    assert [0, 1, 4] in [fold.tolist() for fold in folds]


def test_a_class_with_a_single_text_is_named():
    data = rows(4, 4, 1)
    with pytest.raises(DataError, match=r"two different texts of each class, and class 'car' has"):
        divide_into_folds(ExperimentConfig("tfidf_linear", folds=5), data)


def test_rows_that_are_held_out_need_no_folds():
    data = rows(4, 4)
    held_out = dataclasses.replace(data, validation=data.train.take(np.arange(4)))
    assert divide_into_folds(ExperimentConfig("tfidf_linear"), held_out) == []
    with pytest.raises(OptionError, match="set folds to 0"):
        divide_into_folds(ExperimentConfig("tfidf_linear", folds=2), held_out)


def test_folds_are_answered_by_models_that_did_not_see_them_and_are_not_trained_again(tmp_path):
    data = rows(6, 6)
    config = ExperimentConfig("tfidf_linear", {"min_df": 1}, folds=3)
    folds = divide_into_folds(config, data)
    task, strategy = Classification.for_data(data), make_strategy("auto")
    kept = np.full((len(folds[0]), 2), 7, np.float32)
    (tmp_path / "checkpoints").mkdir()
    np.save(tmp_path / "checkpoints" / "fold-1.npy", kept)  # of a run that was stopped
    arguments = (folds, config, data, task, RunDirectory(tmp_path), strategy)
    found = out_of_fold_logits(*arguments, None)
    np.testing.assert_array_equal(found[folds[0]], kept)
    others = data.train.take(np.setdiff1d(np.arange(12), folds[1]))
    classifier = create_model("tfidf_linear", task, others.texts, options=config.options)
    part = dataclasses.replace(data, train=others, validation=others)
    train(classifier, part, config.recipe, tmp_path / "again")
    alone = predict_logits(classifier, [data.train.texts[row] for row in folds[1]])
    np.testing.assert_array_equal(found[folds[1]], alone)


def test_a_run_trains_on_every_row_and_reports_the_folds(tmp_path):
    table = tmp_path / "things.csv"
    data = rows(2, 2)
    lines = [f"{text},{data.label_names[n]}" for text, n in zip(*_columns(data), strict=True)]
    table.write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    data = load_table(table, validation=table, test=table)
    assert data.validation is data.train and data.test is data.train and not data.rejected
    console = rich.console.Console(file=io.StringIO(), width=200)
    config = ExperimentConfig("tfidf_linear", {"min_df": 1, "tokens": "words"}, folds=5)
    done = run_experiment(config, data, tmp_path / "run", console=console)
    shown = console.file.getvalue()
    assert "all 4 rows are trained on, and the results come from 4 more models" in shown
    assert done.evaluation.as_json()["rows"] == 4
    record = done.run.read_json("config.json")
    assert record["folds"] == 5 and record["dataset"]["train_rows"] == 4
    assert not done.run.checkpoints.exists()
    report = (done.run.path / "report.html").read_text(encoding="utf-8")
    assert "No row was held out: the answers to training rows are" in report


def _columns(data):
    return data.train.texts, data.train.labels.tolist()


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"folds": 1}, "folds must be 2 or more"),
        ({"folds": 3, "strategy": "multi_worker"}, "one for a single machine with folds"),
        ({"model": "minilm_l6_h384", "folds": 3, "task": "entities"}, "0 for entities"),
    ],
    ids=["one", "several machines", "entities"],
)
def test_folds_that_cannot_be_are_refused(settings, message):
    with pytest.raises(OptionError, match=message):
        ExperimentConfig(**{"model": "tfidf_linear", **settings})


def test_json_without_folds_holds_rows_out():
    content = ExperimentConfig("tfidf_linear").to_json()
    assert content.pop("folds") == 0
    assert ExperimentConfig.from_json(content).folds == 0


def test_few_shot_leaves_other_models_their_learning_rate():
    preset = find_preset("few_shot")
    options, fields = preset.settings_for(find_model("transformer"), Classification)
    assert options == {} and "epochs" not in fields and "learning_rate" not in fields
    options, fields = preset.settings_for(find_model(preset.model), Classification)
    assert options == {"pooling": "unit_mean"} and fields == preset.training
