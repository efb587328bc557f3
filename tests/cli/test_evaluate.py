"""`evaluate` on the dataset that a run was trained on uses the run's own validation rows."""

import csv
import json

import pytest

from tests.cli.command import run


def test_validation_rows_are_the_runs_own(tmp_path):
    words = ["--model", "tfidf_linear", "--dataset", "news_sample", "--output", tmp_path / "run"]
    split = ["--split-seed", "3", "--validation-fraction", "0.3"]
    assert run("train", *words, *split).code == 0
    with (tmp_path / "run" / "history.csv").open() as file:
        best = min(csv.DictReader(file), key=lambda line: float(line["val_loss"]))
    where = ["--dataset", "news_sample", "--split", "validation", "--json"]
    found = json.loads(run("evaluate", tmp_path / "run", *where).out)
    assert found["rows"] == 164  # 0.3 of 544
    assert found["accuracy"] == pytest.approx(float(best["val_accuracy"]))
