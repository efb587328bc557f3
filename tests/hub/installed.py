"""Compares installed modules with their expected files and outputs."""

import hashlib
import io
import zipfile

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
import tensorflow_text  # noqa: F401  # registers the ops of preprocessing modules

from tests.bert.bert_reference import bert_outputs, gelu_tanh
from tests.tiny_bert import TINY_VOCABULARY

SMALLEST = "small_bert/bert_en_uncased_L-2_H-128_A-2"
ENCODER = f"https://tfhub.dev/tensorflow/{SMALLEST}/1"
PREPROCESS = "https://tfhub.dev/tensorflow/bert_en_uncased_preprocess/3"
KAGGLE = "tensorflow/bert/tensorFlow2"
KAGGLE_ENCODER = f"{KAGGLE}/bert-en-uncased-l-2-h-128-a-2/1"
KAGGLE_PREPROCESS = f"{KAGGLE}/en-uncased-preprocess/3"
# The path of each origin on the server of origins.py.
TFHUB = {
    name: address.replace("https://tfhub.dev", "/tfhub")
    for name, address in (("encoder", ENCODER), ("preprocess", PREPROCESS))
}
RELEASE = "/storage/bert_models/2020_02_20/uncased_L-2_H-128_A-2.zip"
HUGGING_FACE = "/hf/google/bert_uncased_L-2_H-128_A-2/resolve/main"
MANIFEST = "assets.extra/kerasnlp_lab.json"
TEXT, PIECES = "The cat sat.", ["[CLS]", "the", "cat", "sat", ".", "[SEP]"]
IDS = [TINY_VOCABULARY.index(piece) for piece in PIECES]


def place_of(address):
    """Returns the name of an address's folder in TF Hub's cache."""
    return hashlib.sha1(address.encode()).hexdigest()


def content(folder):
    """Returns a module's files, without the manifest that the installation adds."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    files.pop(MANIFEST, None)
    return files


def leftovers(cache):
    """Returns everything in a cache except modules, locks and resumable downloads."""
    paths = [*cache.iterdir(), *(cache / ".downloads").glob("*")]
    known = (".downloads", ".lock", ".part.etag")
    odd = [path for path in paths if len(path.name) != 40 and not path.name.endswith(known)]
    waiting = [path for path in odd if path.parent.name == ".downloads" and path.suffix == ".part"]
    return [path.name for path in odd if path not in waiting]


def zipped(folder, top=""):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, f"{top}{path.relative_to(folder)}")
    return buffer.getvalue()


def answers(encoder, preprocess):
    """Returns the real ids of TEXT and pooled_output, from TF Hub's own layer."""
    inputs = hub.KerasLayer(str(preprocess))(tf.constant([TEXT]))
    pooled = hub.KerasLayer(str(encoder))(inputs)["pooled_output"]
    real = inputs["input_mask"].numpy()[0] > 0
    return inputs["input_word_ids"].numpy()[0][real].tolist(), pooled.numpy()[0]


def assert_modules_compute(encoder, preprocess, checkpoint):
    """Checks that two modules built from a checkpoint match BERT's formulas."""
    ids, pooled = answers(encoder, preprocess)
    assert ids == IDS
    _, expected = bert_outputs(checkpoint, [IDS], np.ones((1, len(IDS))), gelu_tanh)
    np.testing.assert_allclose(pooled, expected[0], atol=1e-4)
