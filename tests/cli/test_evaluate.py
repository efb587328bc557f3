"""`evaluate` uses the run's own validation rows, and warns of texts in another language."""

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
    table = tmp_path / "russian.csv"
    rows = ["World,Правительство объявило выборы", "Sports,Команда выиграла матч"] * 2
    table.write_text("\n".join(["label,text", *rows]), encoding="utf-8")
    found = run("evaluate", tmp_path / "run", "--data", table)
    assert found.code == 0
    assert "100% of these texts is unknown to tfidf_linear" in found.err
