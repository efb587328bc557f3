"""The built-in corpus keeps its promises about rows and splits."""

import csv
import re
from collections import Counter
from importlib import resources

import pytest

from kerasnlp_lab.data import load_dataset
from kerasnlp_lab.errors import UnknownNameError


@pytest.fixture(scope="module")
def rows():
    """The rows of the files, by split."""
    folder = resources.files("kerasnlp_lab.data") / "news_sample"
    parts = {}
    for part in ("train", "test"):
        with (folder / f"{part}.csv").open(encoding="utf-8", newline="") as file:
            parts[part] = list(csv.DictReader(file))
    return parts


@pytest.fixture(scope="module")
def data():
    return load_dataset("news_sample")


def test_counts_and_balance(rows):
    assert len(rows["train"]) >= 480
    assert len(rows["test"]) >= 120
    for part in rows.values():
        counts = Counter(row["label"] for row in part)
        assert set(counts) == {"World", "Sports", "Business", "Sci/Tech"}
        assert len(set(counts.values())) == 1


def test_rows_are_whole_and_ascii(rows):
    for row in rows["train"] + rows["test"]:
        assert set(row) == {"label", "title", "description"}
        assert row["title"].strip() and row["description"].strip()
        assert (row["title"] + row["description"]).isascii()


def test_no_text_comes_twice(rows):
    everything = rows["train"] + rows["test"]
    for key in (
        lambda row: row["title"].lower(),
        lambda row: " ".join(row["description"].lower().split()),
    ):
        assert len({key(row) for row in everything}) == len(everything)


def test_parts_share_no_text(data):
    parts = [set(split.texts) for split in (data.train, data.validation, data.test)]
    assert sum(map(len, parts)) == len(set.union(*parts))


def test_load_dataset_keeps_every_row(rows, data):
    def pairs(part):
        return [(f"{r['title']} {r['description']}", r["label"]) for r in rows[part]]

    def named(split):
        return [(t, data.label_names[i]) for t, i in zip(split.texts, split.labels, strict=True)]

    assert named(data.test) == pairs("test")  # complete and in the file's order
    assert sorted(named(data.train) + named(data.validation)) == sorted(pairs("train"))
    assert data.label_names == ("World", "Sports", "Business", "Sci/Tech")


def test_validation_is_stratified_and_seeded(data):
    assert len(data.validation) == pytest.approx(
        0.15 * (len(data.train) + len(data.validation)), abs=1
    )
    counts = Counter(data.validation.labels.tolist()).values()
    assert max(counts) - min(counts) <= 1
    assert load_dataset("news_sample").fingerprint == data.fingerprint
    other = load_dataset("news_sample", seed=1, validation_fraction=0.25)
    assert len(other.validation) == (len(data.train) + len(data.validation)) // 4
    assert set(other.validation.texts) != set(data.validation.texts)
    assert other.test.texts == data.test.texts


def test_unknown_name():
    message = "no dataset is called 'ag-news'; did you mean 'ag_news'?; known: ag_news, dates, news"
    with pytest.raises(UnknownNameError, match=re.escape(message)):
        load_dataset("ag-news")
