"""The whole journey: train on a named dataset, evaluate, export and predict."""

import csv
import json

import pytest

from kerasnlp_lab.data import load_dataset
from tests.cli.command import run

HEADLINES = [
    "Striker scores twice as the team wins the cup final",
    "Shares fall as oil prices rise and profits shrink",
    "",
    "New chip makes software and internet searches faster",
]


def test_train_leaves_a_run_directory(trained):
    folder, result = trained
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "config.json",
        "history.csv",
        "metrics.json",
        "predictions.csv",
        "report.html",
        "confusion.png",
        "learning_curves.png",
        "precision_recall.png",
        "reliability.png",
        "model/classifier.json",
        "model/weights.safetensors",
        "model/text/ngrams.txt",
        "model/text/idf.npy",
    }
    assert f"report: {folder / 'report.html'}" in result.out


def test_train_reports_what_its_predictions_are_worth(trained):
    folder, result = trained
    test = load_dataset("news_sample").test
    with open(folder / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    right = [("World", "Sports", "Business", "Sci/Tech")[label] for label in test.labels]
    assert [row["label"] for row in rows] == right
    accuracy = sum(row["predicted"] == row["label"] for row in rows) / len(rows)
    assert accuracy > 0.8
    assert json.loads((folder / "metrics.json").read_text())["test"]["accuracy"] == accuracy
    assert f"accuracy {accuracy:.4f}" in result.out


def test_config_tells_what_was_run(finished_run):
    config = json.loads((finished_run / "config.json").read_text())
    options = {"longest_ngram": 2, "min_df": 2, "max_length": 100_000}
    options |= {"tokens": "words", "max_ngrams": 0}
    assert config["model"] == {"name": "tfidf_linear", "options": options}
    assert config["dataset"]["name"] == "news_sample"
    assert config["dataset"]["fingerprint"] == load_dataset("news_sample").fingerprint
    assert config["seed"] == 0


def test_evaluate_finds_the_same_accuracy_again(finished_run):
    result = run("evaluate", finished_run, "--dataset", "news_sample", "--json")
    assert result.code == 0, result.err
    found = json.loads(result.out)
    expected = json.loads((finished_run / "metrics.json").read_text())["test"]
    for timed in (found, expected):
        del timed["predict_texts_per_second"]
    assert found == expected


def test_evaluate_prints_a_table(finished_run):
    result = run("evaluate", finished_run, "--dataset", "news_sample", "--split", "validation")
    assert result.code == 0, result.err
    assert ", 82 rows" in result.out
    for name in ("World", "Sports", "Business", "Sci/Tech"):
        assert name in result.out


def test_an_export_holds_how_it_was_trained(finished_run, exported):
    manifest = json.loads((exported / "assets.extra" / "manifest.json").read_text())
    assert manifest["trained"]["config"]["model"]["name"] == "tfidf_linear"
    metrics = json.loads((finished_run / "metrics.json").read_text())
    assert manifest["trained"]["test"] == metrics["test"]


def test_predict_arguments(exported):
    result = run("predict", exported, *HEADLINES)
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert [line.split()[0] for line in lines][:2] == ["Sports", "Business"]
    assert lines[3].startswith("Sci/Tech")
    for line, text in zip(lines, HEADLINES, strict=True):
        assert line.endswith(f"  {text}")
        assert 0.25 <= float(line.split()[1]) <= 1


def test_a_long_text_is_shortened_in_the_table_only(exported):
    text = "goal\tscored\n" * 20_000
    (line,) = run("predict", exported, text).out.splitlines()
    assert line.split(maxsplit=2)[2] == ("goal scored " * 9)[:99] + "…"
    (line,) = run("predict", exported, text, "--format", "jsonl").out.splitlines()
    assert json.loads(line)["text"] == text


def test_an_argument_may_hold_any_bytes(exported):
    argument = b"caf\xe9 goal".decode("utf-8", "surrogateescape")  # as in Python's sys.argv
    result = run("predict", exported, argument, "", "--format", "jsonl")
    assert [json.loads(line)["text"] for line in result.out.splitlines()] == ["caf\ufffd goal", ""]


@pytest.mark.parametrize("source", ["exported", "finished_run"])
def test_predict_standard_input(source, request):
    model = request.getfixturevalue(source)
    stdin = "\r\n".join(HEADLINES).encode() + b"\ncaf\xff\n"
    result = run("predict", model, "--format", "jsonl", stdin=stdin)
    answers = [json.loads(line) for line in result.out.splitlines()]
    assert [answer["text"] for answer in answers] == [*HEADLINES, "caf\ufffd"]
    assert [answer["label"] for answer in answers[:2]] == ["Sports", "Business"]
    for answer in answers:
        assert list(answer["probabilities"]) == ["World", "Sports", "Business", "Sci/Tech"]
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert max(answer["probabilities"], key=answer["probabilities"].get) == answer["label"]


def test_predict_a_file_of_many_lines_in_its_order(exported, tmp_path):
    texts = [f"{'goal ' * (i * 37 % 50)}{i}" for i in range(1200)]  # more than two chunks
    file = tmp_path / "texts.txt"
    file.write_text("\n".join(texts))  # the last line has no line end
    result = run("predict", exported, "--file", file, "--format", "jsonl")
    assert [json.loads(line)["text"] for line in result.out.splitlines()] == texts


def test_an_empty_file_has_no_answers(exported, tmp_path):
    (tmp_path / "empty.txt").touch()
    result = run("predict", exported, "--file", tmp_path / "empty.txt")
    assert (result.code, result.out) == (0, "")


def test_train_takes_options_and_recipe(tmp_path):
    sizes = ("max_length=16", "vocab_size=100", "embed_dim=4", "ff_dim=4", "num_heads=1")
    result = run(
        *("train", "--model", "transformer", "--dataset", "news_sample"),
        *(argument for size in sizes for argument in ("--option", size)),
        *("--epochs", 2, "--min-steps-per-epoch", 1, "--batch-size", 100),
        *("--learning-rate", 0.01, "--seed", 3, "--split-seed", 4, "--validation-fraction", 0.5),
        *("--strategy", "cpu", "--output", tmp_path / "run"),
    )
    assert result.code == 0, result.err
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["model"]["options"]["embed_dim"] == 4
    assert config["recipe"]["batch_size"] == 100
    assert config["seed"] == 3
    expected = load_dataset("news_sample", validation_fraction=0.5, seed=4)
    assert config["dataset"]["fingerprint"] == expected.fingerprint
    with open(tmp_path / "run" / "history.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 2
    assert result.out.count("val_loss") == 2
    # Colours and the bar of the progress are for a terminal.
    assert "\x1b" not in result.out + result.err and "━" not in result.out + result.err
