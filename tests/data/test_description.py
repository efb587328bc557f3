"""`load_again` loads a run's rows from its config.json alone."""

import json

import pytest

from kerasnlp_lab.data import (
    Split,
    TextDataset,
    describe_dataset,
    load_again,
    load_dataset,
    load_shards,
    load_table,
    without_leaks,
    write_shards,
)
from kerasnlp_lab.errors import DataError, RunError


def again(data):
    """Loads a dataset again, and checks that its description is unchanged."""
    description = json.loads(json.dumps(describe_dataset(data)))
    loaded = load_again(description)
    assert (loaded.source, loaded.leaks_left_out) == (data.source, data.leaks_left_out)
    assert describe_dataset(loaded) == description
    return loaded


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.tsv"
    rows = [f"title {n}\tbody {n % 50}\t{'good' if n % 3 else 'bad'}" for n in range(90)]
    path.write_text("\n".join(["title\tbody\tkind", *rows, "too\tfew"]) + "\n")
    return path


def test_a_dataset_by_its_name():
    data = load_dataset("news_sample", validation_fraction=0.3, seed=5)
    assert again(data).fingerprint == data.fingerprint


def test_a_table_with_all_that_was_said_of_it(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = load_table(
        "table.tsv",
        text_columns=["title", "body"],
        label_column="kind",
        validation_fraction=0.2,
        test_fraction=0.1,
        seed=3,
        skip_bad_rows=True,
    )
    monkeypatch.chdir("/")  # from anywhere
    assert again(data).fingerprint == data.fingerprint


def test_one_table_a_split_and_leaks_left_out(table, tmp_path):
    parts = {part: tmp_path / f"{part}.tsv" for part in ("validation", "test")}
    for path in parts.values():
        path.write_text("title\tbody\tkind\ntitle 1\tbody 1\tgood\nnew\tone\tbad\n")
    data = without_leaks(
        load_table(
            table, **parts, text_columns=["title", "body"], label_column="kind", skip_bad_rows=True
        )
    )
    assert data.leaks_left_out.train == 1
    assert again(data).fingerprint == data.fingerprint


def test_shards(tmp_path):
    write_shards(load_dataset("news_sample"), tmp_path / "shards", shards=4)
    data = load_shards(tmp_path / "shards")
    assert again(data).fingerprint == data.fingerprint


def test_other_rows_are_refused(table):
    data = load_table(
        table, text_columns=["title"], label_column="kind", skip_bad_rows=True, seed=3
    )
    table.write_text(table.read_text().replace("title 7\t", "title 7!\t"))
    with pytest.raises(RunError, match="holds other rows than when the run was started"):
        again(data)
    table.unlink()
    with pytest.raises(DataError, match="no such file"):
        again(data)


def test_rows_made_in_python_cannot_be_made_again():
    split = Split(["one", "two"], [0, 1])
    with pytest.raises(RunError, match="made in Python.*run_experiment as before"):
        again(TextDataset("mine", ("a", "b"), split, split, split))
