"""`data shard` writes a folder that --data can read."""

import json

import pytest

from kerasnlp_lab.cli.rows import RowsOptions
from kerasnlp_lab.data import load_dataset, load_table
from kerasnlp_lab.errors import OptionError
from tests.cli.command import run
from tests.cli.test_own_table import BAD, assert_mistake, write


def load(folder, **options):
    return RowsOptions(data=folder, **options).load()


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards") / "the news"
    result = run("data", "shard", "--dataset", "news_sample", "--to", folder, "--shards", 4)
    assert result.code == 0, result.err
    return folder, result


def test_a_dataset_is_the_same_in_shards(news):
    folder, result = news
    data, expected = load(folder), load_dataset("news_sample")
    assert sorted(data.train.texts) == sorted(expected.train.texts)
    assert list(data.validation.texts) == list(expected.validation.texts)
    assert data.test.labels.tolist() == expected.test.labels.tolist()
    assert (data.name, data.source.split_seed) == ("news_sample", 0)
    megabytes = sum(file.stat().st_size for file in folder.glob("*.tfrecord")) / 1e6
    assert result.out == (
        "news_sample: 462 rows to train on in 4 shards, 82 to validate on, 128 to test on; "
        f"{megabytes:.1f} MB in {folder}\n"
        f"next: kerasnlp-lab train --data '{folder}' --model transformer\n"
    )


def test_a_table_with_its_options(tmp_path):
    table = write(tmp_path / "messages.csv", [BAD[4]])
    options = ["--text-column", "text", "--label-column", "label", "--bad-rows", "skip"]
    options += ["--split-seed", 3, "--validation-fraction", 0.2, "--test-fraction", 0.1]
    to = tmp_path / "s"
    result = run("data", "shard", "--data", table, *options, "--to", to, "--shards", 2)
    assert result.code == 0, result.err
    assert f"1 rows were skipped: {to / 'rejects.csv'}" in result.out
    assert str(table) in (to / "rejects.csv").read_text()
    expected = load_table(
        table, validation_fraction=0.2, test_fraction=0.1, seed=3, skip_bad_rows=True
    )
    data = load(to)
    assert sorted(data.train.texts) == sorted(expected.train.texts)
    assert list(data.test.texts) == list(expected.test.texts)
    assert data.source.made_from.text_columns == ("text",)


def test_leaks_are_dropped_before(tmp_path):
    table = write(tmp_path / "messages.csv", ["see you,ham"] * 40)
    to = tmp_path / "s"
    result = run("data", "shard", "--data", table, "--leaks", "drop", "--to", to, "--shards", 2)
    assert result.code == 0, result.err
    assert "left out because their texts are tested on" in result.out
    data = load(to)
    assert "see you" in data.test.texts and "see you" not in data.train.texts
    assert data.leaks_left_out.train > 0


@pytest.mark.parametrize(
    "given, option",
    [
        ({"text_column": ["text"]}, "--text-column"),
        ({"label_column": "label"}, "--label-column"),
        ({"validation_data": "v.csv"}, "--validation-data"),
        ({"test_data": "t.csv"}, "--test-data"),
        ({"test_fraction": 0.1}, "--test-fraction"),
        ({"validation_fraction": 0.1}, "--validation-fraction"),
        ({"split_seed": 0}, "--split-seed"),
        ({"bad_rows": "skip"}, "--bad-rows"),
    ],
)
def test_options_of_a_table_come_too_late(given, option, news):
    with pytest.raises(OptionError, match=f"were read and split .*: say {option} to 'kerasnlp"):
        load(news[0], **given)


def test_so_does_leaks(news):
    with pytest.raises(OptionError, match="kerasnlp-lab data shard --leaks drop"):
        load(news[0], leaks="drop")


def test_what_cannot_be_sharded(news, tmp_path):
    folder = news[0]
    shard = ("data", "shard", "--dataset", "news_sample")
    assert_mistake(run(*shard, "--to", folder), f"{folder} already exists", "another --to")
    for shards in (0, 463):
        result = run(*shard, "--to", tmp_path / "s", "--shards", shards)
        assert_mistake(result, "shards must be from 1 to 462", f"got {shards}")
    assert_mistake(run("data", "shard", "--to", tmp_path / "s"), "say either --dataset NAME")
    again = run("data", "shard", "--data", folder, "--to", tmp_path / "s")
    assert_mistake(again, "news_sample is sharded already")
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("model", ["transformer", "tfidf_linear"])
def test_training_on_what_is_no_shards(model, tmp_path):
    (tmp_path / "folder").mkdir()
    arguments = ("--data", tmp_path / "folder", "--output", tmp_path / "run")
    result = run("train", "--model", model, *arguments)
    assert_mistake(result, "no table in this folder", "shards of 'kerasnlp-lab data shard'")


def test_training_on_a_folder_that_is_not_whole(news, tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    for file in news[0].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    description = json.loads((folder / "shards.json").read_text())
    (folder / "test.tfrecord").unlink()
    assert "test.tfrecord" in description["files"]
    result = run("train", "--model", "transformer", "--data", folder, "--output", tmp_path / "run")
    assert_mistake(result, f"{folder / 'test.tfrecord'}: is missing; copy the folder again")
    assert not (tmp_path / "run").exists()
