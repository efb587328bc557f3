"""`--recipe` sets options that others can override; `--leaks drop` drops leaked rows."""

import csv
import json

import numpy as np
import pytest

from kerasnlp_lab.data.sms_spam import install_sms_spam
from kerasnlp_lab.lab import find_preset, presets
from tests.cli.command import run
from tests.cli.test_own_table import assert_mistake

WORDS = {"ham": "the cat sat a dog ran".split(), "spam": "oil stock goal match the team".split()}


def messages(count, seed=0):
    """Returns pairs (label, text). A fifth of them are spam."""
    rng = np.random.default_rng(seed)
    labels = ["spam" if number % 5 == 0 else "ham" for number in range(count)]
    return [(label, " ".join(rng.choice(WORDS[label], 7))) for label in labels]


def write_table(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", "text"])
        writer.writerows(rows)
    return path


def config_of(folder):
    return json.loads((folder / "config.json").read_text())


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """An SMS Spam Collection of 200 messages. Half of them repeat the others in capitals."""
    folder = tmp_path_factory.mktemp("sms")
    rows = messages(100)
    source = folder / "SMSSpamCollection"
    twins = [(label, text.upper()) for label, text in rows]
    source.write_text("".join(f"{label}\t{text}\n" for label, text in rows + twins))
    install_sms_spam(source, folder)
    return folder


@pytest.fixture(scope="module")
def trained(data_dir, tiny_modules, tmp_path_factory):
    """A run of the recipe on a tiny BERT with 64 positions."""
    folder = tmp_path_factory.mktemp("recipe") / "run"
    words = ["--recipe", "sms_spam", "--model", tiny_modules, "--data-dir", data_dir]
    result = run("train", *words, "--max-length", "24", "--head-units", "8", "--output", folder)
    assert result.code == 0, result.err
    return folder, result


def test_zoo_recipes_has_every_recipe_with_its_settings():
    lines = run("zoo", "recipes").out.splitlines()
    assert [line.split(":")[0] for line in lines[::2]] == list(presets())
    assert "sms_spam_seed" in presets()
    for name, settings in zip(presets(), lines[1::2], strict=True):
        recipe = find_preset(name)
        shown = dict(one.split("=") for one in settings.split())
        assert shown["model"] == recipe.model and shown["threshold"] == recipe.threshold
        for key, value in {**recipe.options, **recipe.training}.items():
            assert shown[key] == str(value)


def test_the_tutorials_recipe_has_the_tutorials_numbers():
    """max_len is 25, the hidden layer 512, AdamW's rate 1e-5, with ten epochs, balanced weights."""
    recipe = find_preset("sms_spam_seed")
    assert recipe.options["max_length"] == 25 and recipe.options["head_units"] == 512
    training = recipe.training
    assert (training["epochs"], training["frozen_epochs"]) == (0, 10)
    assert training["head_learning_rate"] == 1e-5 and training["class_weight"] == "balanced"
    assert recipe.split_seed == 2018


def test_what_is_not_given_is_the_recipes(trained, tiny_modules):
    config = config_of(trained[0])
    recipe = find_preset("sms_spam")
    assert {**config["recipe"], **recipe.training} == config["recipe"]
    assert config["dataset"]["name"] == "sms_spam" and config["dataset"]["split_seed"] == 2018
    assert config["decision"] == {"threshold": "f1", "positive_class": None}
    assert config["model"]["name"] == str(tiny_modules)
    with (trained[0] / "history.csv").open() as file:
        assert {line["phase"] for line in csv.DictReader(file)} == {"frozen"}


def test_what_is_given_wins(trained):
    options = config_of(trained[0])["model"]["options"]
    assert (options["max_length"], options["head_units"]) == (24, 8)
    weights = json.loads((trained[0] / "metrics.json").read_text())["training"]
    assert weights["trained_parameters"] == 16 * 8 + 8 + 8 * 2 + 2


def test_the_terminal_tells_the_threshold_and_what_it_is_worth(trained):
    folder, result = trained
    metrics = json.loads((folder / "metrics.json").read_text())["test"]
    decision, spam = metrics["decision"], metrics["per_class"]["spam"]
    assert decision["positive"] == 1
    line = f"spam: threshold {decision['threshold']:.4f}, best F1 on the validation"
    assert line in result.out
    assert f"average precision {spam['average_precision']:.4f}" in result.out
    assert f"without the temperature of {decision['temperature']:.2f}" in result.out
    assert "200 texts through the frozen encoder" not in result.out  # the test split is not encoded


def test_predictions_follow_the_threshold(trained):
    folder, _ = trained
    threshold = json.loads((folder / "metrics.json").read_text())["test"]["decision"]["threshold"]
    with (folder / "predictions.csv").open() as file:
        lines = list(csv.DictReader(file))
    near = [line for line in lines if abs(float(line["probability: spam"]) - threshold) > 1e-6]
    assert len(near) > 20
    for line in near:
        assert (line["predicted"] == "spam") == (float(line["probability: spam"]) > threshold)


@pytest.mark.slow
def test_every_setting_may_be_changed(tiny_modules, tmp_path):
    table = write_table(tmp_path / "mine.csv", messages(100))
    words = ["--recipe", "sms_spam", "--model", tiny_modules, "--data", table]
    words += ["--frozen-epochs", "1", "--class-weight", "spam=2.5", "--threshold", "fpr=0.1"]
    words += ["--positive-class", "ham", "--split-seed", "7", "--option", "max_length=16"]
    words += ["--option", "pooling=pooled_output", "--head-units", "0", "--clip-norm", "0"]
    result = run("train", *words, "--head-learning-rate", "0.01", "--output", tmp_path / "run")
    assert result.code == 0, result.err
    config = config_of(tmp_path / "run")
    changed = {"frozen_epochs": 1, "class_weight": "spam=2.5", "clip_norm": 0.0}
    changed |= {"head_learning_rate": 0.01, "patience": 5}
    assert {**config["recipe"], **changed} == config["recipe"]
    options = {"max_length": 16, "pooling": "pooled_output", "head_units": 0}
    assert {**config["model"]["options"], **options} == config["model"]["options"]
    assert config["decision"] == {"threshold": "fpr=0.1", "positive_class": "ham"}
    assert (config["dataset"]["name"], config["dataset"]["split_seed"]) == ("mine.csv", 7)
    saved = json.loads((tmp_path / "run" / "model" / "classifier.json").read_text())
    assert saved["decision"]["positive"] == 0


def test_settings_without_a_recipe(tmp_path):
    table = write_table(tmp_path / "mine.csv", messages(100))
    words = ["--model", "tfidf_linear", "--data", table, "--threshold", "0.25"]
    words += ["--positive-class", "spam", "--class-weight", "balanced", "--max-length", "500"]
    result = run("train", *words, "--output", tmp_path / "run")
    assert result.code == 0, result.err
    config = config_of(tmp_path / "run")
    assert config["decision"] == {"threshold": "0.25", "positive_class": "spam"}
    assert config["recipe"]["class_weight"] == "balanced"
    assert config["model"]["options"]["max_length"] == 500
    assert config["dataset"]["split_seed"] == 0
    assert "spam: threshold 0.2500, as requested" in result.out


def test_an_unknown_recipe_is_told_its_likely_name(tmp_path):
    result = run("train", "--recipe", "sms_spma", "--output", tmp_path / "run")
    assert_mistake(result, "no recipe is called 'sms_spma'; did you mean 'sms_spam'?")
    assert not (tmp_path / "run").exists()


def test_neither_a_model_nor_a_recipe(tmp_path):
    result = run("train", "--dataset", "news_sample", "--output", tmp_path / "run")
    assert_mistake(result, "say --model NAME (see 'zoo list') or --recipe NAME (see 'zoo recipes')")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--threshold", "best"], "threshold must be auto, none, f1, mcc, fpr=SHARE or a"),
        (["--positive-class", "spma"], "no class is called 'spma'; did you mean 'spam'?"),
        (["--class-weight", "spam"], "class_weight must be none, balanced or CLASS=WEIGHT"),
        (["--class-weight", "spma=2"], "no class is called 'spma'; did you mean 'spam'?"),
        (["--head-learning-rate", "0"], "head_learning_rate must be above 0, got 0.0"),
        (["--clip-norm", "-1"], "clip_norm must be 0 or more, got -1.0"),
        (["--leaks", "maybe"], "--leaks must be keep or drop, got 'maybe'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_found_before_there_is_a_run(arguments, message, tmp_path):
    """The corrected command must be able to use the same --output."""
    table = write_table(tmp_path / "mine.csv", messages(100))
    words = ["--model", "tfidf_linear", "--data", table, *arguments]
    assert_mistake(run("train", *words, "--output", tmp_path / "run"), message)
    assert not (tmp_path / "run").exists()


def test_a_threshold_for_four_classes_is_found_before_there_is_a_run(tmp_path):
    words = ["--model", "tfidf_linear", "--dataset", "news_sample", "--threshold", "f1"]
    result = run("train", *words, "--output", tmp_path / "run")
    assert_mistake(result, "a threshold needs two classes; there are 4")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "command",
    [("train", "--model"), pytest.param(("compare", "--models"), marks=pytest.mark.slow)],
    ids=["train", "compare"],
)
def test_leaks_are_counted_and_left_out(command, tmp_path):
    rows = messages(60)
    tables = {"data": rows, "validation-data": messages(10, 1), "test-data": messages(10, 2)}
    tables["test-data"] += [(label, f" {text.title()} ") for label, text in rows[1:4]]
    tables["test-data"].append(tables["validation-data"][2])
    tables["validation-data"].append(rows[5])
    words = [*command, "tfidf_linear"]
    for name, content in tables.items():
        words += [f"--{name}", write_table(tmp_path / f"{name}.csv", content)]
    result = run(*words, "--leaks", "drop", "--output", tmp_path / "run")
    assert result.code == 0, result.err
    counts = "4 rows of 60 to train on, 1 of 11 to validate on"
    assert f"left out because their texts are tested on: {counts}" in result.out
    dataset = config_of(max((tmp_path / "run").rglob("config.json")).parent)["dataset"]
    parts = [dataset[f"{part}_rows"] for part in ("train", "validation", "test")]
    assert parts == [60 - 4, 11 - 1, 14]
    assert dataset["reading"]["leaks_left_out"] == {"train": 4, "validation": 1}


def test_evaluate_takes_the_rows_that_were_left(data_dir, tmp_path):
    """evaluate takes the run's own training and validation rows of the same dataset."""
    words = ["--model", "tfidf_linear", "--dataset", "sms_spam", "--data-dir", data_dir]
    result = run("train", *words, "--leaks", "drop", "--output", tmp_path / "run")
    assert result.code == 0, result.err
    dataset = config_of(tmp_path / "run")["dataset"]
    assert min(dataset["reading"]["leaks_left_out"].values()) > 0
    for part in ("train", "validation", "test"):
        where = ["--dataset", "sms_spam", "--data-dir", data_dir, "--split", part, "--json"]
        found = json.loads(run("evaluate", tmp_path / "run", *where).out)
        assert found["rows"] == dataset[f"{part}_rows"], part


def test_a_recipe_for_another_kind_of_model(data_dir, tmp_path):
    """TF-IDF uses no gradient descent. It takes class weights and rejects the other settings."""
    words = ("--recipe", "sms_spam", "--model", "tfidf_linear", "--data-dir", data_dir)
    result = run("train", *words, "--output", tmp_path / "run")
    assert result.code == 0, result.err
    config = config_of(tmp_path / "run")
    assert config["recipe"]["class_weight"] == "balanced"
    assert config["decision"]["threshold"] == "f1" and config["dataset"]["split_seed"] == 2018
    refused = run("train", *words, "--epochs", "5", "--output", tmp_path / "other")
    assert_mistake(refused, "has no use for epochs")
