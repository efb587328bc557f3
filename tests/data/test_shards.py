"""Shards return their rows, share them evenly, and report damage."""

import json

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.data import (
    LeaksLeftOut,
    PythonRows,
    Shards,
    Split,
    TextDataset,
    load_shards,
    load_table,
    without_leaks,
    write_shards,
)
from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.data.tables import RejectedRow
from kerasnlp_lab.errors import DataError, OptionError, RunError, StorageError
from kerasnlp_lab.text import TfidfVectorizer, WordVectorizer
from tests.data.sharded import numbered, sharded
from tests.limits import file_size_limit

ODD = ["a", "two  words\n", "日本語", "lone \ud800 surrogate", "x" * 5000, "\0\n,\r"]
TEXTS = ODD + [f"t{row} text" for row in range(6, 103)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards") / "of 4"
    write_shards(numbered(TEXTS), folder, shards=4)
    return folder


@pytest.fixture
def copy(folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def records(path):
    """Returns the (text, label) pairs of a TFRecord file, with protocol buffers only."""
    rows = []
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        (text,), (label,) = feature["text"].bytes_list.value, feature["label"].int64_list.value
        rows.append((text.decode("utf-8", "surrogatepass"), label))
    return rows


def test_every_row_is_in_one_shard(folder):
    files = [folder / f"train-{index:05}-of-00004.tfrecord" for index in range(4)]
    rows = [records(file) for file in files]
    assert sorted(len(some) for some in rows) == [25, 26, 26, 26]
    assert sorted(label for some in rows for _, label in some) == list(range(103))
    assert all(text == TEXTS[label] for some in rows for text, label in some)
    data = load_shards(folder)
    assert (data.train.files, data.train.rows.tolist()) == (tuple(files), [26, 26, 26, 25])
    assert list(data.train.texts) == [text for some in rows for text, _ in some]
    assert list(data.train.texts) == list(data.train.texts)  # every iteration reads them again
    assert (len(data.train), len(data.train.texts)) == (103, 103)
    assert "日本語" in data.train.texts and "日本" not in data.train.texts
    assert data.train.where(0) == f"{files[0]}, record 1"
    assert data.train.where(102) == f"{files[3]}, record 25"
    assert data.train.label_counts(105).tolist() == [1] * 103 + [0, 0]


def test_a_sorted_table_is_dealt_at_random(tmp_path):
    labels = np.arange(4000) // 2000
    train = Split([f"t{row}" for row in range(4000)], labels)
    write_shards(TextDataset("sorted", ("a", "b"), train, train, train), tmp_path / "s", shards=4)
    for file in load_shards(tmp_path / "s").train.files:
        found = np.array([label for _, label in records(file)])
        assert 400 < found.sum() < 600  # of 1,000, binomial with a standard deviation of 16
        assert 170 < found[:400].sum() < 230  # and in any part of the file, with 10


def test_the_rest_of_the_dataset_comes_back(tmp_path):
    part = Split(StoredTexts.write(["b", "", "a\n"]), [1, 0, 1])
    train = Split(("x", "y", "z"), [0, 1, 1])
    source = PythonRows("mine", "mine.csv", 0.25, 7)
    left_out = LeaksLeftOut(3, 1)
    data = TextDataset("mine", ("n", "p"), train, part, part, source, leaks_left_out=left_out)
    write_shards(data, tmp_path / "s", shards=2)
    again = load_shards(tmp_path / "s")
    for name in ("name", "label_names", "leaks_left_out"):
        assert getattr(again, name) == getattr(data, name)
    for name in ("place", "validation_fraction", "split_seed"):
        assert getattr(again.source, name) == getattr(source, name)
    for split in (again.validation, again.test):
        assert list(split.texts) == ["b", "", "a\n"]
        assert split.labels.tolist() == [1, 0, 1]
    assert again.train.label_counts(2).tolist() == train.label_counts(2).tolist() == [1, 2]
    assert again.source == Shards(source, str(tmp_path / "s"), 2, data.fingerprint)


def test_the_fingerprint_is_the_files(folder, tmp_path):
    same = sharded(TEXTS, tmp_path / "same", 4)
    assert same.fingerprint == load_shards(folder).fingerprint
    others = [
        sharded(TEXTS, tmp_path / "shards", 5),
        sharded([*TEXTS[:-1], "another"], tmp_path / "text", 4),
        numbered(TEXTS),
    ]
    write_shards(numbered(TEXTS), tmp_path / "seed", shards=4, seed=1)
    others.append(load_shards(tmp_path / "seed"))
    assert len({same.fingerprint, *(other.fingerprint for other in others)}) == 5


def test_a_thousand_shards(tmp_path):
    train = sharded([f"t{row}" for row in range(1500)], tmp_path / "s", 1000).train
    assert train.rows.tolist() == [2] * 500 + [1] * 500
    assert sorted(train.texts) == sorted(f"t{row}" for row in range(1500))


def test_rejected_rows_are_written_too(tmp_path):
    rejected = (RejectedRow("a.csv", 3, "no text", ""),)
    train = Split(("x", "y"), [0, 1])
    data = TextDataset("mine", ("n", "p"), train, train, train, rejected=rejected)
    write_shards(data, tmp_path / "s", shards=1)
    assert "a.csv" in (tmp_path / "s" / "rejects.csv").read_text()
    assert len(load_shards(tmp_path / "s").train) == 2


@pytest.mark.parametrize("shards", [0, -1, 104])
def test_how_many_shards(shards, tmp_path):
    with pytest.raises(OptionError, match=f"shards must be from 1 to 103, .* got {shards}"):
        write_shards(numbered(TEXTS), tmp_path / "s", shards=shards)
    assert not (tmp_path / "s").exists()


def test_shards_are_not_sharded_nor_thinned_out(folder, tmp_path):
    data = load_shards(folder)
    with pytest.raises(OptionError, match="numbered is sharded already"):
        write_shards(data, tmp_path / "s", shards=2)
    with pytest.raises(OptionError, match="data shard --leaks drop"):
        without_leaks(data)


def test_pairs_come_back_as_pairs(tmp_path):
    rows = "".join(f"a man {i},a woman {i},{'yes no'.split()[i % 2]}\n" for i in range(40))
    path = tmp_path / "m.csv"
    path.write_text("premise,hypothesis,label\n" + rows)
    table = load_table(path, text_columns="premise", second_text_column="hypothesis")
    write_shards(table, tmp_path / "shards", shards=2)
    data = load_shards(tmp_path / "shards")
    assert data.pair == ("premise", "hypothesis")
    assert data.source.made_from == table.source
    assert sorted(data.train.texts) == sorted(table.train.texts)


def test_several_labels_are_refused(tmp_path):
    rows = Split(["a", "b"], label_sets=[(0,), (0, 1)])
    data = TextDataset("mine", ("x", "y"), rows, rows, rows)
    with pytest.raises(OptionError, match="mine has texts with several labels, which shards can"):
        write_shards(data, tmp_path / "shards", shards=1)


def test_a_folder_that_is_not_empty(folder):
    before = (folder / "shards.json").read_bytes()
    with pytest.raises(RunError, match="already exists"):
        write_shards(numbered(TEXTS), folder, shards=4)
    assert (folder / "shards.json").read_bytes() == before


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    with file_size_limit(4096), pytest.raises(StorageError, match="cannot write"):
        write_shards(numbered(["x" * 1000] * 40), tmp_path / "s", shards=1)
    assert not list(tmp_path.iterdir())


NAMES = ["train-00002-of-00004.tfrecord", "validation.tfrecord", "test.tfrecord"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_missing_or_cut_off(name, copy):
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[:-1])
    with pytest.raises(DataError, match=rf"{name}: expected {len(content)} bytes, got .*; copy"):
        load_shards(copy)
    (copy / name).unlink()
    with pytest.raises(DataError, match=f"{name}: is missing; copy the folder again, or write"):
        load_shards(copy)


def test_a_folder_without_shards(tmp_path):
    with pytest.raises(DataError, match=r"shards.json: no such file: .*'kerasnlp-lab data shard'"):
        load_shards(tmp_path)


def without(key):
    def change(description):
        del description[key]

    return change


def negative_rows(description):
    description["files"]["train-00000-of-00004.tfrecord"]["rows"] = -5


@pytest.mark.parametrize(
    "change",
    [
        *map(without, ("label_names", "files", "train_label_counts", "name", "format_version")),
        lambda description: description.update(files=[1]),
        lambda description: description.update(train_label_counts=[103]),
        lambda description: description.update(train_label_counts=["x"] * 103),
        lambda description: description["files"].pop("train-00003-of-00004.tfrecord"),
        lambda description: description["files"].update({"../../passwd": {}}),
        lambda description: description["files"]["test.tfrecord"].pop("bytes"),
        negative_rows,
    ],
)
def test_a_damaged_description(change, copy):
    description = json.loads((copy / "shards.json").read_text())
    change(description)
    (copy / "shards.json").write_text(json.dumps(description))
    with pytest.raises(DataError, match="shards.json"):
        load_shards(copy)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"null"])
def test_a_description_that_is_none(content, copy):
    (copy / "shards.json").write_bytes(content)
    with pytest.raises(DataError, match="shards.json: cannot be read .*; copy the folder again"):
        load_shards(copy)


def test_shards_of_the_future(copy):
    description = json.loads((copy / "shards.json").read_text())
    (copy / "shards.json").write_text(json.dumps({**description, "format_version": 2}))
    with pytest.raises(DataError, match="expected format version 1, got 2; update kerasnlp_lab"):
        load_shards(copy)


@pytest.mark.parametrize("vectorizer", [WordVectorizer(8, 100), TfidfVectorizer()])
def test_a_damaged_record_names_its_file(vectorizer, copy):
    file = copy / "train-00001-of-00004.tfrecord"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    data = load_shards(copy)  # a hash would need to read everything
    with pytest.raises(DataError, match=f"{file.name}: cannot be read after record .*; copy"):
        list(data.train.texts)
    with pytest.raises(DataError, match=file.name):
        vectorizer.adapt(data.train.texts)


@pytest.mark.parametrize("records", [1, 2])
def test_records_of_something_else(records, copy):
    file = copy / "train-00001-of-00004.tfrecord"
    size = file.stat().st_size
    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in range(records):
            writer.write(b"\xff" * (size // records - 16 + (size % records if record else 0)))
    with pytest.raises(DataError, match=f"{file.name}: cannot be read after record 0"):
        list(load_shards(copy).train.texts)


def test_another_number_of_records(copy):
    file = copy / "train-00003-of-00004.tfrecord"
    description = json.loads((copy / "shards.json").read_text())
    with tf.io.TFRecordWriter(str(file)) as writer:
        for text, label in records(copy / "test.tfrecord"):
            values = {
                "text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()])),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
            }
            features = tf.train.Features(feature=values)
            writer.write(tf.train.Example(features=features).SerializeToString())
    description["files"][file.name]["bytes"] = file.stat().st_size
    (copy / "shards.json").write_text(json.dumps(description))
    with pytest.raises(DataError, match=f"{file.name}: expected 25 records, got 2; copy"):
        list(load_shards(copy).train.texts)


@pytest.mark.parametrize("make", [lambda: WordVectorizer(8, 100), TfidfVectorizer])
def test_a_vocabulary_is_that_of_the_texts(make, tmp_path):
    texts = sharded([f"the cat sat {row % 7} times" for row in range(90)], tmp_path / "s", 4)
    learned = []
    for number, source in enumerate((texts.train.texts, list(texts.train.texts))):
        vectorizer, folder = make(), tmp_path / str(number)
        vectorizer.adapt(source)
        folder.mkdir()
        vectorizer.save_files(folder)
        learned.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert learned[0] == learned[1]
