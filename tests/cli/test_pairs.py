"""Pairs of texts on the command line: train, evaluate, predict, explain, export."""

import csv
import json

import pytest

from tests.cli.command import run
from tests.cli.json_keys import assert_documented
from tests.cli.test_mistakes import assert_mistake

WORDS = ("cat", "dog", "oil", "stock", "team", "game", "war", "web")
SMALL = ("max_length=16", "vocab_size=100", "embed_dim=8", "ff_dim=8")


@pytest.fixture(scope="module")
def pairs_run(tmp_path_factory):
    """A run on a table of pairs, with its table and with what train said."""
    folder = tmp_path_factory.mktemp("pairs")
    with open(folder / "pairs.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "premise", "hypothesis", "label"])
        for n in range(96):
            first, second = WORDS[n % 8], WORDS[n * 7 % 5]
            label = "same" if first == second else "other"
            rows.writerow([n, f"the {first}, {n}", f"a {second}", label])
    table = ("--data", folder / "pairs.csv", "--text-column", "premise")
    words = ("train", "--model", "transformer", *table, "--second-text-column", "hypothesis")
    options = [word for option in SMALL for word in ("--option", option)]
    result = run(*words, *options, "--epochs", 1, "--output", folder / "run")
    assert result.code == 0, result.err
    return folder / "run", folder / "pairs.csv", result.out


def answers(*words, stdin=b""):
    result = run("predict", *words, "--json", stdin=stdin)
    assert result.code == 0, result.err
    return [json.loads(line) for line in result.out.splitlines()], result.err


def test_train_says_how_the_model_reads_pairs(pairs_run):
    folder, _, said = pairs_run
    assert "transformer reads premise and hypothesis as one text and does not know where" in said
    with open(folder / "predictions.csv", encoding="utf-8-sig", newline="") as file:
        first = next(csv.DictReader(file))
    assert list(first)[3:6] == ["text", "second_text", "label"]
    assert first["text"].startswith("the ") and first["second_text"].startswith("a ")
    mistakes = json.loads((folder / "metrics.json").read_text())["mistakes"]
    assert all(one["second_text"].startswith("a ") for one in mistakes) and mistakes
    for file in ("report.html", "metrics.json", "predictions.csv", "config.json"):
        assert "\x1f" not in (content := (folder / file).read_text()) and "\\u001f" not in content


def test_evaluate_reads_the_columns_of_the_training(pairs_run):
    folder, table, _ = pairs_run
    result = run("evaluate", folder, "--data", table, "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["rows"] == 96


def test_predict_arguments_lines_and_tables(pairs_run, tmp_path):
    folder, table, _ = pairs_run
    alone, _ = answers(folder, "the cat", "a dog", "the oil", "a stock")
    assert [(one["text"], one["second_text"]) for one in alone] == [
        ("the cat", "a dog"),
        ("the oil", "a stock"),
    ]
    assert_documented(alone[0], "predict")
    by_line, _ = answers(folder, "--file", "-", stdin=b"the cat\ta dog\r\nthe oil\ta stock\n")
    assert [one["probabilities"] for one in by_line] == [one["probabilities"] for one in alone]
    of_table, said = answers(folder, "--file", table)
    assert len(of_table) == 96
    assert (of_table[1]["text"], of_table[1]["second_text"]) == ("the dog, 1", "a oil")
    assert "the pairs are in columns premise and hypothesis" in said
    other = tmp_path / "other.csv"
    other.write_text(table.read_text().replace("premise,hypothesis", "one,two"))
    columns = ("--text-column", "one", "--second-text-column", "two")
    assert answers(folder, "--file", other, *columns)[0] == of_table
    shown = run("predict", folder, "the cat", "a dog").out
    assert shown.endswith("  the cat | a dog\n")


def test_export_answers_alike(pairs_run, tmp_path):
    folder, table, _ = pairs_run
    result = run("export", folder, "--to", tmp_path / "exported")
    assert result.code == 0, result.err
    assert "predict" in result.out and result.out.endswith("'Your premise' 'Your hypothesis'\n")
    found, _ = answers(tmp_path / "exported", "--file", table)
    expected, _ = answers(folder, "--file", table)
    for one, other in zip(found, expected, strict=True):
        assert one["text"] == other["text"] and one["second_text"] == other["second_text"]
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_explain_names_both_texts(pairs_run, tmp_path):
    folder, _, _ = pairs_run
    where = ("--to", tmp_path / "explained")
    result = run("explain", folder, "the cat", "a dog", *where)
    assert result.code == 0, result.err
    lines = [line.split()[0] for line in result.out.splitlines()[2:8]]
    assert lines == ["premise:", "the", "cat", "hypothesis:", "a", "dog"]
    document = json.loads(run("explain", folder, "the cat", "a dog", "--json", *where).out)
    assert_documented(document, "explain")
    assert (document["text"], document["second_text"]) == ("the cat", "a dog")
    assert [(one["of"], one["start"], one["end"]) for one in document["words"]] == [
        ("premise", 0, 3),
        ("premise", 4, 7),
        ("hypothesis", 0, 1),
        ("hypothesis", 2, 5),
    ]


@pytest.mark.parametrize(
    ("words", "stdin", "parts"),
    [
        (("one", "two", "three"), b"", ["pairs of premise and hypothesis: give texts two by two"]),
        (("--file", "-"), b"a\tb\nalone\n", ["line 2", "expected one tab", "got none"]),
        (("--file", "-"), b"a\tb\tc\n", ["line 1", "expected one tab", "got 2"]),
        (("a", "b", "--second-text-column", "x"), b"", ["--second-text-column is for a table"]),
    ],
    ids=["odd", "no tab", "two tabs", "no table"],
)
def test_what_is_no_pair(pairs_run, words, stdin, parts):
    result = run("predict", pairs_run[0], *words, stdin=stdin)
    result.err = result.err.splitlines(keepends=True)[-1]
    assert_mistake(result, *parts)


def test_a_model_of_single_texts_takes_no_pairs(finished_run, pairs_run):
    table = ("--file", pairs_run[1], "--text-column", "premise", "--second-text-column", "label")
    assert_mistake(run("predict", finished_run, *table), "was trained on single texts")


def test_skipping_lines_without_a_tab(pairs_run):
    words = (pairs_run[0], "--file", "-", "--bad-rows", "skip")
    found, said = answers(*words, stdin=b"a\tb\nalone\nc\td\n")
    assert [one["line"] for one in found] == [1, 3]
    assert "skipped: -, line 2: expected one tab, between premise and hypothesis, got none" in said
