"""What an installed module is compared with."""

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
# Where each place is on the server of origins.py.
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
    """The name of the folder that TF Hub's cache has for an address."""
    return hashlib.sha1(address.encode()).hexdigest()


def content(folder):
    """A module's files, without the manifest that installing adds."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    files.pop(MANIFEST, None)
    return files


def leftovers(cache):
    """All in a cache that is no module, no lock and no download that waits for its rest."""
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
    """The real ids of TEXT, and pooled_output, as TF Hub's own layer gives them."""
    inputs = hub.KerasLayer(str(preprocess))(tf.constant([TEXT]))
    pooled = hub.KerasLayer(str(encoder))(inputs)["pooled_output"]
    real = inputs["input_mask"].numpy()[0] > 0
    return inputs["input_word_ids"].numpy()[0][real].tolist(), pooled.numpy()[0]


def assert_modules_compute(encoder, preprocess, checkpoint):
    """Two modules that were built of a checkpoint give what BERT's formulas give for it."""
    ids, pooled = answers(encoder, preprocess)
    assert ids == IDS
    _, expected = bert_outputs(checkpoint, [IDS], np.ones((1, len(IDS))), gelu_tanh)
    np.testing.assert_allclose(pooled, expected[0], atol=1e-4)
