"""Features of a frozen encoder equal the network's, are computed once, and are never stale."""

import functools
import hashlib
import io
import json
import os
import re
import shutil
import time

import numpy as np
import pytest
import rich.console
import tensorflow as tf

from kerasnlp_lab import paths
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.errors import StorageError
from kerasnlp_lab.text import tokenize
from kerasnlp_lab.training import train
from kerasnlp_lab.training.feature_cache import FeatureCache
from kerasnlp_lab.training.frozen_features import frozen_features
from kerasnlp_lab.zoo import Recipe, create_classifier
from tests import processes
from tests.limits import file_size_limit
from tests.tiny_bert import TINY_VOCABULARY

SCRIPT = "tests.training.fill_features"
WORDS = TINY_VOCABULARY[5:21]
OPTIONS = {"max_length": 32, "dropout": 0.0, "precision": "float32"}


def some_texts(count, longest, seed=0):
    """Returns distinct texts of up to `longest` words, the empty text among them."""
    rng = np.random.default_rng(seed)
    texts = {"": None}
    while len(texts) < count:
        texts[" ".join(rng.choice(WORDS, rng.integers(1, longest + 1)))] = None
    return list(texts)


TEXTS = some_texts(90, 28)  # more than a batch, none of them truncated


@pytest.fixture(scope="module", autouse=True)
def tiny(tiny_hub_cache):
    """The name of a two-layer BERT in TF Hub's cache."""
    name, environment = tiny_hub_cache
    with pytest.MonkeyPatch.context() as monkeypatch:
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        yield name


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The folder for the features of this test."""
    monkeypatch.setenv("KERASNLP_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("kerasnlp_lab.training.frozen_features.cache_dir", paths.cache_dir)
    logits_of.cache_clear()
    return tmp_path / "cache" / "features"


@pytest.fixture(scope="module")
def classifier(tiny):
    return create_classifier(tiny, ["a", "b"], [], options=OPTIONS)


@pytest.fixture(scope="module")
def cutting(tiny):
    """The same encoder with texts truncated to six word pieces between [CLS] and [SEP]."""
    return create_classifier(tiny, ["a", "b"], [], options=OPTIONS | {"max_length": 8})


@pytest.fixture(scope="module")
def averaging(tiny):
    return create_classifier(tiny, ["a", "b"], [], options=OPTIONS | {"pooling": "mean"})


@functools.cache
def logits_of(classifier, texts):
    """Returns the whole model's logits for the strings."""
    return classifier.model(tf.constant(texts)).numpy()


def assert_right(classifier, texts, features):
    """Checks that the head computes the same logits from the features."""
    expected = logits_of(classifier, tuple(texts))
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(classifier.head(features).numpy(), expected, atol=1e-4)


def computed(classifier, texts):
    """Checks the features of texts, and returns the printed number of computed ones."""
    out = io.StringIO()
    tokens = tokenize(classifier.text, texts)
    console = rich.console.Console(file=out, width=200)
    found = frozen_features(classifier, {"train": tokens}, console)["train"]
    assert_right(classifier, texts, found.load(tf.range(len(texts))).numpy())
    number, total = re.match(r" *features +(\d+) of (\d+) texts through", out.getvalue()).groups()
    assert int(total) == len(texts)
    return int(number)


def test_each_text_goes_through_the_encoder_once(classifier):
    assert computed(classifier, TEXTS) == 90
    assert computed(classifier, TEXTS) == 0
    assert computed(classifier, TEXTS[::-1]) == 0
    assert computed(classifier, [*TEXTS[:50], "the cat sat on a changed text"]) == 1
    assert computed(classifier, TEXTS[:7] * 3 + ["dog dog dog", "dog dog dog"]) == 1


def test_parts_share_what_they_have_in_common(classifier):
    out = io.StringIO()
    parts = {"train": TEXTS[:40] * 2, "validation": TEXTS[30:50]}
    tokens = {part: tokenize(classifier.text, texts) for part, texts in parts.items()}
    found = frozen_features(classifier, tokens, rich.console.Console(file=out, width=200))
    for part, texts in parts.items():
        assert_right(classifier, texts, found[part].load(tf.range(len(texts))).numpy())
    assert "50 of 100 texts" in out.getvalue()


def two_splits():
    """Returns 60 training rows and 30 validation rows, the empty text among the latter."""
    labels = np.arange(90) % 2
    others = Split(TEXTS[:30], labels[:30])
    return TextDataset("some", ("a", "b"), Split(TEXTS[30:], labels[30:]), others, others)


def test_epochs_do_not_compute_features_again(classifier, tmp_path, monkeypatch):
    """Only `frozen_features` calls the encoder, not the epochs of the head."""
    rows = []
    compute = classifier.fused_features()

    def counted(batch):
        rows.append(len(batch["input_word_ids"]))
        return compute(batch)

    monkeypatch.setitem(classifier.__dict__, "fused_features", lambda: counted)
    recipe = Recipe(epochs=0, frozen_epochs=4, patience=9)
    result = train(classifier, two_splits(), recipe, tmp_path)
    assert [line["phase"] for line in result.history] == ["frozen"] * 4
    assert sum(rows) == 90


def test_the_head_learns_as_it_would_on_the_whole_network(classifier, tmp_path):
    """The reported losses equal those of the final network on strings."""
    data = two_splits()
    recipe = Recipe(epochs=0, frozen_epochs=3, patience=9)
    result = train(classifier, data, recipe, tmp_path)
    logits = classifier.model(tf.constant(TEXTS[:30]))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(data.validation.labels, logits)
    loss = losses.numpy().mean()
    line = result.history[result.best_epoch - 1]
    assert line["val_loss"] == min(one["val_loss"] for one in result.history)
    assert loss == pytest.approx(line["val_loss"], abs=1e-4)


def test_another_encoder_has_a_folder_of_its_own(classifier, folder):
    assert computed(classifier, TEXTS) == 90
    variable = next(one for one in classifier.encoder.weights if one.dtype.is_floating)
    before = variable.numpy()
    try:
        variable.assign(before + np.float32(0.05))
        logits_of.cache_clear()
        assert computed(classifier, TEXTS) == 90
    finally:
        variable.assign(before)
        logits_of.cache_clear()
    assert len(list(folder.iterdir())) == 2
    assert computed(classifier, TEXTS) == 0


@pytest.mark.parametrize("first", ["whole", pytest.param("cut", marks=pytest.mark.slow)])
def test_a_text_and_its_truncation_are_two_texts(first, classifier, cutting):
    """The encoder and its cache are the same; max_length determines the token ids."""
    long = ["cat " * count + "dog" for count in range(8, 24)]
    order = (classifier, cutting) if first == "whole" else (cutting, classifier)
    # Cut to six pieces, both are the same text.
    assert [computed(one, long) for one in order] == ([16, 1] if first == "whole" else [1, 16])
    assert [computed(one, long) for one in order] == [0, 0]


def test_short_texts_are_shared_for_any_max_length(classifier, cutting):
    short = ["cat", "dog dog", "the oil . game", ""]
    assert computed(classifier, short) == 4
    assert computed(cutting, short) == 0


def test_another_pooling_has_a_folder_of_its_own(classifier, averaging, folder):
    assert computed(classifier, TEXTS[:20]) == 20
    assert computed(averaging, TEXTS[:20]) == 20
    assert len(list(folder.iterdir())) == 2


def only_file(folder):
    (file,) = folder.glob("*/*")
    return file


def flip(place):
    def spoil(content):
        at = round(place * (len(content) - 1))
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    return spoil


SPOILT = {
    "a byte of the header": flip(0.001),
    "a byte of the rows": flip(0.5),
    "the last byte": flip(1.0),
    "the last row missing": lambda content: content[:-80],
    "half of it missing": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "a byte too many": lambda content: content + b"\0",
}


QUICK = ("a byte of the rows",)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(spoil, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, spoil in SPOILT.items()
    ],
)
def test_a_damaged_file_is_reported_and_computed_again(spoil, classifier, folder, caplog):
    computed(classifier, TEXTS)
    file = only_file(folder)
    whole = file.read_bytes()
    file.write_bytes(spoil(whole))
    assert computed(classifier, TEXTS) == 90
    assert [record.message for record in caplog.records] == [
        f"{file} is damaged; its features are computed again"
    ]
    again = only_file(folder)
    assert hashlib.sha256(again.read_bytes()).hexdigest() == again.stem
    assert computed(classifier, TEXTS) == 0


@pytest.mark.parametrize(
    "damage",
    ["moved", *(pytest.param(one, marks=pytest.mark.slow) for one in ("nan", "another width"))],
)
def test_wrong_features_with_a_right_hash_are_noticed(damage, classifier, folder, caplog):
    """Another version of a library may compute other features, with a matching hash."""
    computed(classifier, TEXTS)
    file = only_file(folder)
    rows = np.load(file)
    if damage == "another width":
        texts = rows["key"].shape[1]
        narrow = np.zeros(1, [("key", "<u8", (texts, 2)), ("features", "<f4", (texts, 8))])
        narrow["key"] = rows["key"]
        rows = narrow
    else:
        rows["features"] = np.nan if damage == "nan" else rows["features"] + 0.5
    file.unlink()
    buffer = io.BytesIO()
    np.save(buffer, rows)
    name = hashlib.sha256(buffer.getvalue()).hexdigest()
    (file.parent / f"{name}.npy").write_bytes(buffer.getvalue())
    assert computed(classifier, TEXTS) == 90
    assert len(caplog.records) == 1
    assert computed(classifier, TEXTS) == 0


def test_a_full_disk_is_told_and_leaves_nothing(classifier, folder):
    tokens = tokenize(classifier.text, TEXTS)
    with pytest.raises(StorageError, match=f"cannot write {folder}"), file_size_limit(3000):
        frozen_features(classifier, {"train": tokens})
    assert list(folder.glob("*/*")) == []
    assert computed(classifier, TEXTS) == 90


def test_a_cache_that_cannot_be_made(classifier, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("KERASNLP_LAB_CACHE", str(tmp_path / "file"))
    with pytest.raises(StorageError, match=f"cannot write {tmp_path}/file/features/"):
        computed(classifier, TEXTS[:3])


class Filling:
    """A process that computes features of texts after a signal."""

    def __init__(self, tiny, texts, folder, seconds_a_batch=0.0):
        folder.mkdir()
        (folder / "task.json").write_text(json.dumps([tiny, OPTIONS, texts]))
        self.folder = folder
        words = [folder / name for name in ("task.json", "ready", "go", "features.npy")]
        self.log = folder / "said"
        self.process = processes.start(SCRIPT, [*words, seconds_a_batch], out=self.log)

    def wait_for(self, find):
        for _ in range(12_000):
            if find():
                return
            assert self.process.exitcode is None, self.log.read_text()
            time.sleep(0.01)
        raise AssertionError("timed out")

    def wait_until_ready(self):
        self.wait_for((self.folder / "ready").exists)

    def start(self):
        (self.folder / "go").mkdir()

    def result(self):
        self.process.join(120)
        assert self.process.exitcode == 0, self.log.read_text()
        return np.load(self.folder / "features.npy")


@pytest.mark.slow
def test_two_processes_fill_one_cache_at_once(tiny, classifier, tmp_path):
    texts = some_texts(300, 28, seed=1)
    both = [Filling(tiny, texts, tmp_path / name, 0.02) for name in ("one", "two")]
    for one in both:
        one.wait_until_ready()
    for one in both:
        one.start()
    for one in both:
        assert_right(classifier, texts, one.result())
    assert computed(classifier, texts) == 0


@pytest.mark.slow  # a damaged file and a full disk, above, need no other process
def test_a_killed_process_leaves_a_working_cache(tiny, classifier, folder, tmp_path):
    texts = some_texts(300, 28, seed=2)
    filling = Filling(tiny, texts, tmp_path / "killed", 0.2)
    filling.wait_until_ready()
    filling.start()
    filling.wait_for(lambda: len(list(folder.glob("*/*.npy"))) >= 2)
    filling.process.kill()
    filling.process.join()
    assert 0 < computed(classifier, texts) < 300  # whole files are kept
    assert computed(classifier, texts) == 0


def test_features_are_found_by_their_whole_key(tmp_path):
    """It compares with a dictionary, with many files and with keys that share their first half."""
    rng = np.random.default_rng(0)
    keys = np.unique(rng.integers(0, 2**63, (500, 2), np.uint64), axis=0)
    keys[1::7, 0] = keys[0::7, 0][: len(keys[1::7])]
    rng.shuffle(keys)
    features = rng.normal(size=(500, 3)).astype(np.float32)
    cache = FeatureCache(tmp_path / "cache", 3)
    for some in np.split(np.arange(400), 8):
        cache.add(keys[some], lambda places, some=some: iter([features[some][places]]))
    for one in (cache, FeatureCache(tmp_path / "cache", 3)):  # the open cache, and a reopened one
        places = one.find(keys)
        assert ((places[:, 0] >= 0) == (np.arange(500) < 400)).all()
        np.testing.assert_array_equal(one.read(places[:400]), features[:400])


def test_a_file_that_cannot_be_read_is_kept(tmp_path, monkeypatch):
    """With too many open files, or without permission, the file may still be whole."""
    cache = FeatureCache(tmp_path, 2)
    cache.add(np.array([[1, 2]], "<u8"), lambda rows: iter([np.ones((1, 2), np.float32)]))
    (file,) = tmp_path.glob("*.npy")
    assert file.stat().st_mode & 0o444 == (0o666 & ~umask()) & 0o444

    def fails(*args, **kwargs):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("numpy.load", fails)
    assert (FeatureCache(tmp_path, 2).find(np.array([[1, 2]], "<u8")) == -1).all()
    assert file.is_file()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.slow  # it builds the modules of two BERTs
def test_the_activation_is_part_of_the_key(tiny_checkpoint, tmp_path):
    fingerprints = set()
    for activation in ("gelu", "gelu_new"):
        folder = tmp_path / activation
        shutil.copytree(tiny_checkpoint, folder)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"hidden_act": activation}))
        for encoder in ("module", "reopened"):
            options = {"encoder": encoder, "max_length": 32}
            classifier = create_classifier(str(folder), ("a", "b"), ["cat"], options=options)
            fingerprints.add(classifier.encoder_fingerprint())
    assert len(fingerprints) == 4
