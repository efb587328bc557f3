"""The training rows of shards as documents."""

import pytest

from kerasnlp_lab.errors import DataError
from tests.data.corpus.opening import opened, written
from tests.data.sharded import sharded

TEXTS = ["One is here. And more.", " two ", "half \ud800 a letter", "Five.\n\nAnd six."]


def test_each_training_row_of_shards_is_a_document(tmp_path):
    rows = sharded(TEXTS, tmp_path / "in" / "shards", shards=2).train.texts
    written(tmp_path / "in" / "a.txt", "Text. Beside it.\n")
    corpus = opened(tmp_path / "in")
    found = list(corpus.documents())
    assert found == list(corpus.documents())
    assert sorted(found[1:]) == sorted(
        [["One is here.", "And more."], ["two"], ["half \ud800 a letter"], ["Five.", "And six."]]
    )
    assert ["".join(one)[:3] for one in found[1:]] == [row.strip()[:3] for row in rows]
    (note,) = [note for note in corpus.notes if "training row" in note]
    assert note.endswith("each training row is a document; validation and test rows are left out")


def test_the_fingerprint_of_shards_is_that_of_their_texts(tmp_path):
    for name, texts in (("a", TEXTS), ("b", TEXTS), ("c", TEXTS[::-1])):
        sharded(texts, tmp_path / name, shards=1)
    a, b, c = (opened(tmp_path / name).fingerprint for name in "abc")
    assert a == b != c


def test_damaged_shards_name_their_file(tmp_path):
    sharded(TEXTS, tmp_path / "shards", shards=2)
    file = next((tmp_path / "shards").glob("train-*"))
    content = bytearray(file.read_bytes())
    content[20] ^= 255
    file.write_bytes(content)
    with pytest.raises(DataError, match=file.name):
        opened(tmp_path / "shards")
