"""`load_again` loads a run's rows from its config.json alone."""

import gzip
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
from kerasnlp_lab.errors import DataError, OptionError, RunError


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


def told_again(dataset, **moved):
    """Loads a dataset again from its description, with new places of files that moved."""
    return load_again(json.loads(json.dumps(describe_dataset(dataset))), moved)


COLUMNS = {"text_columns": ["title"], "label_column": "kind", "skip_bad_rows": True}


def test_a_table_that_was_moved(table, tmp_path, monkeypatch):
    data = load_table(table, **COLUMNS)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    table.rename(elsewhere / "renamed.tsv")
    with pytest.raises(DataError, match="table.tsv: no such file.*moved.*--data NEW_PLACE"):
        told_again(data)
    monkeypatch.chdir(elsewhere)
    found = told_again(data, data="renamed.tsv")
    assert found.fingerprint == data.fingerprint
    monkeypatch.chdir("/")  # the new place is found from anywhere, too
    assert told_again(found).source.paths == {"train": str(elsewhere / "renamed.tsv")}


def test_a_table_that_was_moved_and_compressed(table):
    data = load_table(table, **COLUMNS)
    packed = table.with_name("table.tsv.gz")
    packed.write_bytes(gzip.compress(table.read_bytes()))
    table.unlink()
    assert told_again(data, data=packed).fingerprint == data.fingerprint


def test_a_new_place_with_other_rows_is_refused(table):
    data = load_table(table, **COLUMNS)
    other = table.with_name("other.tsv")
    other.write_text(table.read_text().replace("title 7\t", "title 7!\t"))
    with pytest.raises(RunError, match="other.tsv holds other rows than when the run was started"):
        told_again(data, data=other)


def test_one_of_several_tables_was_moved(table, tmp_path):
    test = tmp_path / "test.tsv"
    test.write_text("title\tbody\tkind\ntitle 1\tbody 1\tgood\nnew\tone\tbad\n")
    data = load_table(table, test=test, **COLUMNS)
    test.rename(tmp_path / "new.tsv")
    with pytest.raises(DataError, match="test.tsv: no such file.*--test-data"):
        told_again(data)
    found = told_again(data, test_data=tmp_path / "new.tsv")
    assert found.fingerprint == data.fingerprint
    assert found.source.paths["train"] == str(table)
    with pytest.raises(OptionError, match="reads nothing from --validation-data"):
        told_again(data, validation_data=table)


def test_a_folder_that_was_moved_with_its_tables(table, tmp_path, monkeypatch):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    table.rename(before / "table.tsv")
    monkeypatch.chdir(before)
    data = load_table("table.tsv", **COLUMNS)
    monkeypatch.chdir("/")
    before.rename(after)
    with pytest.raises(DataError, match="no such file"):
        told_again(data)
    monkeypatch.chdir(after)
    found = told_again(data)
    assert found.fingerprint == data.fingerprint
    assert found.source.paths == {"train": str(after / "table.tsv")}


def test_a_table_behind_a_link(table, tmp_path):
    link = tmp_path / "link.tsv"
    link.symlink_to(table)
    data = load_table(link, **COLUMNS)
    assert again(data).fingerprint == data.fingerprint
    link.unlink()
    assert told_again(data, data=table).fingerprint == data.fingerprint


def test_shards_that_were_moved(tmp_path):
    write_shards(load_dataset("news_sample"), tmp_path / "shards", shards=4)
    data = load_shards(tmp_path / "shards")
    (tmp_path / "shards").rename(tmp_path / "moved")
    with pytest.raises(DataError, match="--data NEW_PLACE"):
        told_again(data)
    found = told_again(data, data=tmp_path / "moved")
    assert found.fingerprint == data.fingerprint
    assert again(found).source.folder == str(tmp_path / "moved")


def test_a_folder_of_datasets_that_was_moved(tmp_path):
    data = load_dataset("news_sample", data_dir=tmp_path / "before")
    found = told_again(data, data_dir=tmp_path / "after")
    assert found.source.data_dir == str(tmp_path / "after")
    with pytest.raises(OptionError, match="reads nothing from --data; leave it out"):
        told_again(data, data=tmp_path)


def test_rows_made_in_python_cannot_be_made_again():
    split = Split(["one", "two"], [0, 1])
    with pytest.raises(RunError, match="made in Python.*run_experiment as before"):
        again(TextDataset("mine", ("a", "b"), split, split, split))
