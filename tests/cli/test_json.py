"""`--json` prints one document, with the keys that docs/json.md promises."""

import json
import math

import pytest
import typer

from kerasnlp_lab.cli.json_output import print_json
from kerasnlp_lab.cli.main import app
from tests.cli.command import run
from tests.cli.json_keys import assert_documented, documented_commands
from tests.cli.test_mistakes import assert_mistake
from tests.data.inspection.tables import plain_rows, write_table

NEWS = ("--dataset", "news_sample")


def commands():
    """Returns all commands by name, such as "hub install"."""

    def walk(group, path):
        for name, command in group.commands.items():
            words = [*path, name]
            if hasattr(command, "commands"):
                yield from walk(command, words)
            else:
                yield " ".join(words), command

    return dict(walk(typer.main.get_command(app), []))


def document_of(*arguments):
    result = run(*arguments, "--json")
    assert result.code == 0, result.err
    assert "\x1b" not in result.out
    return json.loads(result.out)


def test_every_command_has_it_and_is_on_the_page():
    assert documented_commands() and set(documented_commands()) == set(commands())
    for name, command in commands().items():
        assert any("--json" in parameter.opts for parameter in command.params), name


@pytest.mark.parametrize(
    "command",
    ["zoo list", "zoo recipes", "zoo tasks", "zoo show transformer", "hub list", "data list"],
)
def test_what_there_is_to_choose_from(command):
    assert_documented(document_of(*command.split()), " ".join(command.split()[:2]))


def test_what_zoo_show_gives_can_be_given_to_train():
    shown = document_of("zoo", "show", "transformer")
    assert shown["options"]["embed_dim"] == 48
    assert shown["recipe"]["batch_size"] == 64


def test_train_and_where_it_is_finished_already(tmp_path):
    table = write_table(tmp_path / "t.csv", plain_rows())
    words = ("--model", "tfidf_linear", "--data", table, "--output", tmp_path / "run")
    result = run("train", *words, "--json")
    assert result.code == 0, result.err
    trained = json.loads(result.out)
    assert_documented(trained, "train")
    assert_documented(trained["test"], "evaluate")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert trained["test"] == metrics["test"]
    assert trained["run"] == str(tmp_path / "run")
    assert document_of("train", "--resume", tmp_path / "run") == trained


def test_progress_goes_to_standard_error(tmp_path):
    quick = ("--epochs", 1, "--min-steps-per-epoch", 1, "--batch-size", 200)
    words = ("--model", "transformer", *NEWS, *quick, "--output", tmp_path / "run")
    result = run("train", *words, "--leaks", "drop", "--json")
    assert result.code == 0, result.err
    assert len(json.loads(result.out)["training"]["history"]) == 1
    assert "val_loss" in result.err and "left out because" in result.err


def test_compare(tmp_path):
    table = write_table(tmp_path / "t.csv", plain_rows())
    words = ("--models", "tfidf_linear", "--data", table, "--output", tmp_path / "all")
    result = run("compare", *words, "--json")
    assert result.code == 0, result.err
    compared = json.loads(result.out)
    assert_documented(compared, "compare")
    assert compared["leaderboard"][0]["folder"] == "tfidf_linear"
    assert "tfidf_linear" in result.err  # the progress names the model


def test_evaluate(finished_run):
    words = ("evaluate", finished_run, *NEWS)
    assert_documented(document_of(*words), "evaluate")
    asked = document_of(*words, "--fpr", 0.1, "--fpr", 0.5)["recall_at_fpr"]
    assert list(asked) == ["0.1", "0.5"] and list(asked["0.1"])[0] == "World"


def test_export(finished_run, tmp_path):
    exported = document_of("export", finished_run, "--to", tmp_path / "exported")
    assert_documented(exported, "export")
    assert exported["folder"] == str(tmp_path / "exported")
    files = [file for file in (tmp_path / "exported").rglob("*") if file.is_file()]
    assert exported["bytes"] == sum(file.stat().st_size for file in files)


def test_predict_answers_a_line_a_text(exported):
    texts = ("Striker scores twice", "Größere Märkte fallen\nheute")
    result = run("predict", exported, *texts, "--json")
    answers = [json.loads(line) for line in result.out.splitlines()]
    assert [answer["text"] for answer in answers] == list(texts)
    for answer in answers:
        assert_documented(answer, "predict")
    assert result.out == run("predict", exported, *texts, "--format", "jsonl").out


def test_data(tmp_path):
    table = write_table(tmp_path / "t.csv", [*plain_rows(), plain_rows()[0]])
    words = ("--model", "tfidf_linear", "--output", tmp_path / "inspected", "--fix")
    inspected = document_of("data", "inspect", table, *words)
    assert_documented(inspected, "data inspect")
    assert str(tmp_path / "inspected" / "changes.csv") in inspected["cleaned"]["files"]
    sharded = document_of("data", "shard", "--data", table, "--to", tmp_path / "s", "--shards", 2)
    assert_documented(sharded, "data shard")
    assert sharded["rows"].keys() == {"train", "validation", "test"}


def test_data_install(test_data, tmp_path):
    source = next(test_data.rglob("spamdata_v2.csv"))
    words = ("sms_spam", "--from", source, "--data-dir", tmp_path)
    assert_documented(document_of("data", "install", *words), "data install")


def test_a_mistake_is_still_one_line_on_standard_error(tmp_path):
    result = run("train", "--model", "transfomer", *NEWS, "--output", tmp_path / "run", "--json")
    assert_mistake(result, "did you mean 'transformer'?")
    assert result.out == ""


def test_a_number_that_is_none_is_null(capsys):
    print_json({"a": math.nan, "b": [math.inf, 1.5], "c": ("d",)})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [None, 1.5], "c": ["d"]}


def test_hub_build(monkeypatch, tmp_path):
    build = "kerasnlp_lab.export.hub_modules.build_modules"  # slow, and tested in test_hub_build.py
    monkeypatch.setattr(build, lambda *arguments, **options: print("building"))
    built = document_of("hub", "build", "--from", tmp_path, "--to", tmp_path / "to")
    assert_documented(built, "hub build")
