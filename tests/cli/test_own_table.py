"""`train`, `compare` and `evaluate` on a user's own table, and mistakes in naming it."""

import csv
import json

import pytest
from sklearn.metrics import accuracy_score

from tests.cli.command import run

GOOD = {"spam": "win free cash prize now number", "ham": "see you at home for lunch day"}
BAD = ['free, "cash" now,spam', ",ham", '"he\rllo",', '"a\rb', "caf\xe9,ham"]
REASONS = [
    "expected 2 columns, got 3",
    "no text in column text",
    "no label in column label",
    "a quotation mark that is never closed",
    "not valid UTF-8",
]


def write(path, bad=(), rows=60, header="text,label"):
    lines = [header]
    lines += [f"{GOOD[label]} {i},{label}" for i in range(rows // 2) for label in GOOD]
    path.write_bytes(("\n".join([*lines, *bad]) + "\n").encode("latin-1"))
    return path


def read_rejects(run_folder):
    with (run_folder / "rejects.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def assert_mistake(result, *parts):
    assert result.code == 2, result.out + result.err
    assert result.err.count("\n") == 1, result.err
    assert result.err.startswith("kerasnlp-lab: ")
    for part in parts:
        assert part in result.err


def train(*arguments):
    return run("train", "--model", "tfidf_linear", *arguments)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run on 60 good rows and 5 bad ones, with --bad-rows skip."""
    folder = tmp_path_factory.mktemp("own_table")
    table = write(folder / "messages.csv", [BAD[4], *BAD[:4]])
    columns = ["--text-column", "text", "--label-column", "label", "--bad-rows", "skip"]
    result = train("--data", table, *columns, "--output", folder / "run")
    assert result.code == 0, result.err
    return folder, result


def test_rejects_csv_has_every_bad_row_with_its_reason(trained):
    folder, result = trained
    rejected = read_rejects(folder / "run")
    assert list(rejected[0]) == ["path", "line", "reason", "content"]
    rows = [list(row.values()) for row in rejected]
    assert [row[0] for row in rows] == [str(folder / "messages.csv")] * 5
    assert [row[1] for row in rows] == ["62", "63", "64", "65", "66"]
    for row, reason in zip(rows, [REASONS[4], *REASONS[:4]], strict=True):
        assert row[2].startswith(reason)
    assert rows[3][3] == "he\rllo"  # a carriage return needs quotes
    assert f"5 rows were skipped: {folder / 'run' / 'rejects.csv'}" in result.out


def test_the_run_counts_its_rows(trained):
    run_folder = trained[0] / "run"
    assert json.loads((run_folder / "metrics.json").read_text())["rejected_rows"] == 5
    dataset = json.loads((run_folder / "config.json").read_text())["dataset"]
    assert [dataset[f"{part}_rows"] for part in ("train", "validation", "test")] == [42, 9, 9]
    assert dataset["rejected_rows"] == 5
    assert dataset["label_names"] == ["ham", "spam"]
    assert dataset["reading"]["text_columns"] == ["text"]
    assert dataset["reading"]["label_column"] == "label"


def test_no_bad_rows_no_rejects(tmp_path):
    result = train("--data", write(tmp_path / "m.csv"), "--output", tmp_path / "run")
    assert result.code == 0, result.err
    assert not (tmp_path / "run" / "rejects.csv").exists()
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["rejected_rows"] == 0
    assert "left out" not in result.out


@pytest.mark.parametrize("bad, reason", list(zip(BAD, REASONS, strict=True)))
def test_a_bad_row_stops_before_there_is_a_run(bad, reason, tmp_path):
    table = write(tmp_path / "m.csv", [bad])
    result = train("--data", table, "--output", tmp_path / "run")
    assert_mistake(result, f"{table}, line 62: {reason}", "--bad-rows skip")
    assert not (tmp_path / "run").exists()


def test_given_splits(tmp_path):
    tables = ["--data", write(tmp_path / "train.csv")]
    tables += ["--validation-data", write(tmp_path / "validation.csv", rows=8)]
    tables += ["--test-data", write(tmp_path / "test.csv", ["x,eggs"], rows=6)]
    result = train(*tables, "--output", tmp_path / "run")
    assert_mistake(result, f"{tmp_path / 'test.csv'}, line 8: label 'eggs' is none of ham, spam")
    result = train(*tables, "--bad-rows", "skip", "--output", tmp_path / "run")
    assert result.code == 0, result.err
    dataset = json.loads((tmp_path / "run" / "config.json").read_text())["dataset"]
    assert [dataset[f"{part}_rows"] for part in ("train", "validation", "test")] == [60, 8, 6]
    (rejected,) = read_rejects(tmp_path / "run")
    assert rejected["path"] == str(tmp_path / "test.csv")
    assert rejected["reason"] == "label 'eggs' is none of ham, spam"


def test_the_sms_file_as_it_is(test_data, tmp_path):
    table = test_data / "sms_spam" / "spamdata_v2.csv"
    result = train("--data", table, "--split-seed", "2018", "--output", tmp_path / "run")
    assert result.code == 0, result.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["rejected_rows"] == 0
    assert metrics["test"]["rows"] == 836
    assert metrics["test"]["accuracy"] > 0.97
    with (tmp_path / "run" / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    right = accuracy_score([r["label"] for r in rows], [r["predicted"] for r in rows])
    assert metrics["test"]["accuracy"] == pytest.approx(right)


def test_evaluate_tests_every_row_of_a_table(trained, tmp_path):
    table = write(tmp_path / "m.csv", [f"{GOOD['spam']},ham"], rows=10, header="sms,class")
    result = run("evaluate", trained[0] / "run", "--data", table, "--json")
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["rows"] == 11
    assert found["accuracy"] == pytest.approx(10 / 11)


def test_evaluate_with_bad_rows(trained, tmp_path):
    table = write(tmp_path / "m.csv", ["a,eggs", "short"], rows=10)
    command = ["evaluate", trained[0] / "run", "--data", table, "--json"]
    assert_mistake(run(*command), f"{table}, line 12: label 'eggs' is none of ham, spam")
    result = run(*command, "--bad-rows", "skip")
    assert json.loads(result.out)["rows"] == 10
    assert result.err.splitlines() == [
        f"skipped: {table}, line 12: label 'eggs' is none of ham, spam",
        f"skipped: {table}, line 13: expected 2 columns, got 1",
    ]


@pytest.mark.slow  # tests/cli/test_compare.py compares
def test_compare_on_a_table(tmp_path):
    table = write(tmp_path / "m.csv", ["short"])
    words = ["--models", "tfidf_linear", "--data", table, "--output", tmp_path / "all"]
    assert_mistake(run("compare", *words), f"{table}, line 62: expected 2 columns, got 1")
    assert not (tmp_path / "all").exists()
    result = run("compare", *words, "--bad-rows", "skip")
    assert result.code == 0, result.err
    (rejects,) = (tmp_path / "all").rglob("rejects.csv")
    (rejected,) = read_rejects(rejects.parent)
    assert list(rejected.values()) == [str(table), "62", "expected 2 columns, got 1", "short"]
    assert json.loads((rejects.parent / "metrics.json").read_text())["rejected_rows"] == 1
    # Every dropped row is reported.
    assert "1 rows were skipped: see rejects.csv of each run" in result.out


@pytest.mark.parametrize("command", [("train", "--model"), ("compare", "--models")])
@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "say either --dataset NAME (see 'data list') or --data FILE"),
        (["--data", "TABLE", "--dataset", "news_sample"], "say either --dataset NAME"),
        (["--data", "TABLE", "--bad-rows", "drop"], "--bad-rows must be stop or skip, got 'drop'"),
        (["--data", "nowhere.csv"], "nowhere.csv: no such file"),
        (["--data", "TABLE", "--validation-data", "nowhere.csv"], "nowhere.csv: no such file"),
        (["--data", "TABLE", "--label-column", "Label"], "no column 'Label'; there are text, lab"),
        (["--data", "TABLE", "--text-column", "sms"], "no column 'sms'; there are text, label"),
        (["--data", "TABLE", "--test-fraction", "1"], "fraction must be a share of the rows"),
        (["--data", "TABLE", "--validation-fraction", "0"], "the validation fraction must be"),
        (["--data", "TABLE", "--split-seed", "-1"], "the seed of the split must be"),
        (["--dataset", "news_sample", "--text-column", "text"], "--text-column belongs to"),
        (["--dataset", "news_sample", "--label-column", "label"], "--label-column belongs to"),
        (["--dataset", "news_sample", "--validation-data", "a.csv"], "--validation-data belongs"),
        (["--dataset", "news_sample", "--test-data", "a.csv"], "--test-data belongs to"),
        (["--dataset", "news_sample", "--test-fraction", "0.2"], "--test-fraction belongs to"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_cannot_be(command, arguments, message, tmp_path):
    table = write(tmp_path / "m.csv")
    arguments = [table if word == "TABLE" else word for word in arguments]
    result = run(*command, "tfidf_linear", *arguments, "--output", tmp_path / "run")
    assert_mistake(result, message)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "say either --dataset NAME (see 'data list') or --data FILE"),
        (["--data", "TABLE", "--dataset", "news_sample"], "say either --dataset NAME"),
        (["--data", "TABLE", "--bad-rows", "drop"], "--bad-rows must be stop or skip, got 'drop'"),
        (["--dataset", "news_sample", "--text-column", "text"], "--text-column belongs to"),
        (["--data", "nowhere.csv"], "nowhere.csv: no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_of_evaluate_that_cannot_be(arguments, message, trained, tmp_path):
    table = write(tmp_path / "m.csv")
    arguments = [table if word == "TABLE" else word for word in arguments]
    assert_mistake(run("evaluate", trained[0] / "run", *arguments), message)
