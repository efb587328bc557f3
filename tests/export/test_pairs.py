"""A model of pairs: saved, loaded, exported and asked, with the same answers each time."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.data.pairs import join_pair
from kerasnlp_lab.errors import DataError, OptionError
from kerasnlp_lab.export import export_classifier, open_predictor
from kerasnlp_lab.export.predictor import Predictor
from kerasnlp_lab.tasks import Classification, Entities
from kerasnlp_lab.training import train
from kerasnlp_lab.zoo import create_model, load_classifier, predict_logits

NAMES = ("premise", "hypothesis")
PAIRS = [
    ("The cat sat.", "A dog ran."),
    ("a dog ran. [SEP] the cat", "[SEP]"),
    ("stock " * 40, "oil " * 3),
    ("stock", "oil " * 40),
    ("", "only the second"),
    ("only the first", "\x07"),
    ("a\x1fb", "c\x1fd"),  # as in an export, which takes any bytes
    (b"caf\xe9", "\ud800 half a character"),
    ("", ""),
]
SIZES = {"max_length": 16, "vocab_size": 50, "embed_dim": 8, "ff_dim": 8}


def made(model, options):
    keras.utils.set_random_seed(0)
    texts = [join_pair("the cat sat", "a dog ran"), join_pair("oil stock", "team game")]
    return create_model(model, Classification(["yes", "no"]), texts, pair=NAMES, options=options)


@pytest.fixture(scope="module")
def bert(tiny_checkpoint):
    return made(str(tiny_checkpoint), {"max_length": 16, "precision": "float32"})


@pytest.fixture(scope="module")
def transformer():
    return made("transformer", SIZES)


@pytest.mark.parametrize("name", ["bert", "transformer"])
def test_the_same_answers_from_files_and_exports(name, request, tmp_path):
    classifier = request.getfixturevalue(name)
    classifier.save(tmp_path / "model")
    loaded = load_classifier(tmp_path / "model")
    assert loaded.pair == NAMES
    export_classifier(classifier, tmp_path / "export")
    manifest = json.loads((tmp_path / "export" / "assets.extra" / "manifest.json").read_text())
    assert manifest["pair"] == list(NAMES)
    exported = open_predictor(tmp_path / "export")
    assert exported.pair == NAMES

    def answer(texts):
        logits = predict_logits(loaded, texts)
        return loaded.task.answers(logits, loaded.decision, [one.decode() for one in texts])

    of_run = list(Predictor(loaded.task, answer, pair=loaded.pair).predict(PAIRS))
    of_export = list(exported.predict(iter(PAIRS)))
    for one, other in zip(of_run, of_export, strict=True):
        assert (one.text, one.second_text) == (other.text, other.second_text)
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-5)
    assert of_export[0].as_json() == {
        "text": "The cat sat.",
        "second_text": "A dog ran.",
        "label": of_export[0].label,
        "probabilities": of_export[0].probabilities,
        "labels": [of_export[0].label],
    }
    assert (of_export[6].text, of_export[6].second_text) == ("a b", "c d")
    assert (of_export[7].text, of_export[7].second_text) == ("caf\ufffd", "\ufffd half a character")
    # In the other order they are another pair: a BERT tells the texts from each other.
    turned = list(exported.predict([PAIRS[0][::-1]]))[0]
    same = turned.probabilities == pytest.approx(of_export[0].probabilities, abs=1e-6)
    assert not same


def test_the_signatures_take_two_texts(bert, tmp_path):
    export_classifier(bert, tmp_path / "export")
    loaded = tf.saved_model.load(str(tmp_path / "export"))
    pairs = PAIRS[:3]
    first, second = (tf.constant(list(column)) for column in zip(*pairs, strict=True))
    for name in ("serving_default", "logits"):
        _, inputs = loaded.signatures[name].structured_input_signature
        assert set(inputs) == {"text", "second_text"}
    found = loaded.signatures["logits"](text=first, second_text=second)["logits"]
    expected = predict_logits(bert, [join_pair(*pair) for pair in pairs])
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["alone"], "row 0 must be a pair of premise and hypothesis, got 'alone'"),
        (("a", "b"), "row 0 must be a pair of premise and hypothesis, got 'a'"),
        ([("a", "b", "c")], "must be a pair of premise and hypothesis, got \\('a', 'b', 'c'\\)"),
        ([("a", "b"), ("a", None)], "the text of row 1 is missing"),
        ("a\x1fb", "expected a list of pairs"),
    ],
    ids=["one text", "a pair alone", "three", "missing", "a string"],
)
def test_what_is_no_pair_is_refused(bert, given, message):
    predictor = Predictor(bert.task, lambda texts: [], pair=NAMES)
    with pytest.raises(DataError, match=message):
        list(predictor.predict(given))


def test_logits_of_single_texts_are_refused(bert):
    with pytest.raises(DataError, match="row 1 must be a pair of premise and hypothesis"):
        predict_logits(bert, [join_pair("a", "b"), "a"])


def test_a_pair_for_a_model_of_single_texts_is_refused(bert):
    predictor = Predictor(bert.task, lambda texts: [])
    with pytest.raises(DataError, match="the text of row 0 must be a string"):
        list(predictor.predict([("a", "b")]))


def test_entities_of_pairs_are_refused(tiny_checkpoint):
    with pytest.raises(OptionError, match="in single texts, not in pairs of premise and hypo"):
        create_model(str(tiny_checkpoint), Entities(("PER",)), [], pair=NAMES)


def test_a_keras_file_of_a_model_of_pairs_reads_pairs(transformer, tmp_path):
    transformer.model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    texts = tf.constant([join_pair("the cat sat", "a dog ran")])
    np.testing.assert_allclose(loaded(texts), transformer.model(texts), atol=1e-6)
    assert "cat" in transformer.text.vocabulary() and "a" in transformer.text.vocabulary()
    assert not any("\x1f" in word for word in transformer.text.vocabulary())


@pytest.mark.parametrize("pair", [NAMES, None], ids=["pairs for single texts", "the reverse"])
def test_a_training_on_the_other_kind_is_refused(transformer, pair, tmp_path):
    classifier = dataclasses.replace(transformer, pair=None if pair else NAMES)
    rows = Split([join_pair("cat", "dog"), join_pair("oil", "war")], [0, 1])
    data = TextDataset("rows", ("yes", "no"), rows, rows, rows, pair=pair)
    with pytest.raises(DataError, match="rows has (single|pairs of) texts: give both the names"):
        train(classifier, data, classifier.entry.recipe, tmp_path)
