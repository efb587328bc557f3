"""RowStore returns its rows in any order, and memory does not grow with them."""

import subprocess
import sys

import numpy as np
import pytest

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.row_store import RowStore, StoredTexts
from kerasnlp_lab.errors import StorageError

TEXTS = ["", "a", "two words", "", "日本語", "lone \ud800 surrogate", "x" * 5000, "\0\n,\r"]


def test_rows_come_back_in_any_order():
    rows = [text.encode("utf-8", "surrogatepass") for text in TEXTS]
    store = RowStore.of_rows(rows)
    assert (len(store), store.sizes.tolist()) == (len(rows), [len(row) for row in rows])
    for order in ([0, 1, 2, 3, 4, 5, 6, 7], [7, 0, 0, 6, 5], [3], []):
        assert store.read(np.array(order, int)) == [rows[row] for row in order]


def test_rows_that_come_some_at_a_time_are_the_same():
    rows = [text.encode("utf-8", "surrogatepass") for text in TEXTS]
    blocks = [
        (b"".join(rows[begin:end]), np.array([len(row) for row in rows[begin:end]], np.int64))
        for begin, end in ((0, 3), (3, 3), (3, 7), (7, 8))
    ]
    store = RowStore(iter(blocks))
    assert store.sizes.tolist() == RowStore.of_rows(rows).sizes.tolist()
    assert store.read(np.arange(8)) == rows
    for order in ([2, 3, 4], [4, 3, 4, 5], [7, 0, 0, 1], [3], [0, 3], []):
        block, sizes = store.read_block(np.array(order, int))
        assert block == b"".join(rows[row] for row in order)
        assert sizes.tolist() == [len(rows[row]) for row in order]


def test_more_rows_than_are_written_at_once():
    rows = [bytes([row % 251]) * (row % 3000) for row in range(2500)]  # 3.7 MB
    store = RowStore.of_rows(iter(rows))
    assert store.read(np.arange(2500)) == rows
    assert len(RowStore.of_rows([])) == 0


def test_stored_texts_are_a_sequence():
    texts = StoredTexts.write(iter(TEXTS))
    assert list(texts) == TEXTS
    assert [texts[i] for i in range(-2, 3)] == [TEXTS[i] for i in range(-2, 3)]
    assert list(texts[1:6:2]) == TEXTS[1:6:2]
    assert list(texts.take(np.array([4, 2]))[1:]) == ["two words"]
    with pytest.raises(IndexError):
        texts[len(TEXTS)]


def test_a_split_of_stored_texts_is_as_one_in_memory():
    split = Split(StoredTexts.write(TEXTS), np.arange(8), "t.csv", np.arange(8) + 2)
    assert list(split.take(np.array([5, 1])).texts) == [TEXTS[5], TEXTS[1]]
    assert split.take(np.array([5, 1])).where(0) == "t.csv, line 7"


def test_nowhere_to_write_is_a_storage_error(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(StorageError, match="none"):
        RowStore.of_rows([b"a"])


def test_memory_does_not_grow_with_the_texts():
    code = (
        "import resource, sys\n"
        "from kerasnlp_lab.data.row_store import StoredTexts\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "texts = StoredTexts.write(f'{i:0500}' for i in range(200_000))\n"
        "assert sum(map(len, texts)) == 100_000_000\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert int(result.stdout) < 30_000, result.stderr  # kB; the texts are 100 MB
