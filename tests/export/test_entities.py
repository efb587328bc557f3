"""Exported entities equal Python's, on hard and long texts, and none is lost at a border."""

import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import TextDataset
from kerasnlp_lab.export import export_classifier, open_predictor
from kerasnlp_lab.tasks import Entities, HeadOptions
from kerasnlp_lab.tasks.entities import EntityDecision
from kerasnlp_lab.zoo import create_model, load_classifier, predict_logits
from kerasnlp_lab.zoo.network import with_head
from tests.bert.hard_texts import EQUAL_TEXTS
from tests.tasks.cases import with_entities

INVALID = [b"the \xff cat", b"\xe6\x9d team game\xf0\x9f\x98", b"\xed\xa0\x80dog"]
TEXTS = [
    *EQUAL_TEXTS,
    "\U0001f600 cat e\u0301 cat \U0001f468\u200d\U0001f469 cat",
    "\u6771\u4eac cat \u540d\u524d",
    "\u05d9\u05e8\u05d5\u05e9\u05dc\u05d9\u05dd cat \u0627\u0644\u0642\u0627\u0647\u0631\u0629",
    "cat\x00team game",
    "@cat_1 cat #cat ada@cat.org \u6771@cat\u6771cat",
    "na\u00efve cat " * 30 + "team game",
]
NAMES = ("pets", "sport")
B_PETS, B_SPORT, I_SPORT = 1, 3, 4


def dataset(texts=("the cat saw a team game", "a dog")):
    rows = with_entities(texts)
    return TextDataset("few", NAMES, rows, rows, rows)


@pytest.fixture(scope="module")
def by_hand():
    """A model that knows the tag of each word: "cat", "team" and "game", and no context."""
    options = {"max_length": 16, "buckets": 5000, "embed_dim": 4, "width": 4, "depth": 1}
    task = Entities(NAMES, web_words=True)
    model = create_model("hash_embed_cnn", task, [], options=options)
    inputs = model.text.inputs()
    table = keras.layers.Embedding(5000, 5, name="table")
    network = with_head("by_hand", inputs, table(inputs["words"]), task, HeadOptions())
    ids = model.text(tf.constant(["cat team game"]))["words"].numpy()[0]
    weights = np.zeros((5000, 5), np.float32)
    weights[:, 0] = 1
    weights[ids[0], B_PETS] = weights[ids[1], B_SPORT] = weights[ids[2], I_SPORT] = 3
    table.set_weights([weights])
    network.get_layer("head").set_weights([np.eye(5), np.zeros(5)])
    return dataclasses.replace(model, network=network, decision=EntityDecision(2.0))


def python_answers(model, texts):
    valid = [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in texts]
    return model.task.answers(predict_logits(model, texts), model.decision, valid)


def test_no_entity_is_lost_at_a_border(by_hand):
    """An entity of two words moves through texts of several windows of 16 words."""
    texts = ["the " * place + "team game" + " the" * (60 - place) for place in range(61)]
    for place, answer in enumerate(python_answers(by_hand, texts)):
        assert [(one.start, one.text) for one in answer.entities] == [(4 * place, "team game")]


def test_a_web_word_has_one_tag(by_hand):
    text = "@cat cat #cat_here @ cat a@cat.org"
    [answer] = python_answers(by_hand, [text])
    assert [one.start for one in answer.entities] == [5, 21]
    other = dataclasses.replace(by_hand, task=Entities(NAMES))
    [answer] = python_answers(other, [text])
    assert [one.start for one in answer.entities] == [1, 5, 10, 21, 27]


def test_an_entity_longer_than_a_window(by_hand):
    [answer] = python_answers(by_hand, ["cat team" + " game" * 40 + " the"])
    assert [one.text for one in answer.entities] == ["cat", "team" + " game" * 40]


def assert_equal_answers(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.text == other.text
        for entity, same in zip(one.entities, other.entities, strict=True):
            assert vars(entity) | {"score": 0} == vars(same) | {"score": 0}
            assert entity.score == pytest.approx(same.score, abs=1e-5)
            assert one.text[entity.start : entity.end] == entity.text


@pytest.fixture(scope="module")
def tiny_bert(tiny_checkpoint):
    """A BERT with random weights, which finds some entities everywhere."""
    keras.utils.set_random_seed(0)
    options = {"max_length": 16, "precision": "float32", "layers": 1}
    task = Entities(NAMES, web_words=True)
    model = create_model(str(tiny_checkpoint), task, [], options=options)
    kernel, bias = model.head.get_weights()
    model.head.set_weights([30 * kernel, bias])
    return model


@pytest.mark.parametrize("name", ["by_hand", pytest.param("tiny_bert", marks=pytest.mark.slow)])
def test_an_export_equals_python(name, request, tmp_path):
    model = request.getfixturevalue(name)
    export_classifier(model, tmp_path / "exported")
    predictor = open_predictor(tmp_path / "exported")
    texts = [*TEXTS, *INVALID]
    expected = python_answers(model, texts)
    assert sum(len(one.entities) for one in expected) > 30
    encoded = [one if isinstance(one, bytes) else one.encode() for one in texts]
    assert_equal_answers(predictor.predict(encoded), expected)

    serve = tf.saved_model.load(str(tmp_path / "exported")).signatures["serving_default"]
    given = {key: one.numpy() for key, one in serve(text=tf.constant(encoded)).items()}
    count, most = len(texts), max(len(one.entities) for one in expected)
    shapes = {key: one.shape for key, one in given.items()}
    assert shapes.pop("count") == (count,)
    assert set(shapes) == {"starts", "ends", "byte_starts", "byte_ends", "labels", "scores"}
    assert set(shapes.values()) == {(count, most)}
    for row, answer in enumerate(expected):
        valid = answer.text.encode()
        for at in range(given["count"][row]):
            part = valid[given["byte_starts"][row, at] : given["byte_ends"][row, at]]
            assert part.decode() == answer.entities[at].text
        assert not given["labels"][row, given["count"][row] :].any()
    none = serve(text=tf.constant([""]))
    assert none["starts"].shape == (1, 0) and none["count"].numpy().tolist() == [0]


def test_invalid_utf8_counts_as_its_replacement(by_hand):
    [first, second, third] = python_answers(by_hand, INVALID)
    assert [(one.start, one.end, one.text) for one in first.entities] == [(6, 9, "cat")]
    assert second.entities[0].start == 2
    assert third.entities == ()


def test_long_training_texts_are_cut_between_entities(by_hand):
    text = "a cat saw the team game again and " * 8 + "cat"
    data = dataset((text, "a dog ran", "team " + "x" * 3))
    prepared = by_hand.task.rows_to_train_on(by_hand.text, data)
    assert "".join(prepared.train.texts[:-2]) == text
    whole = [text[a:b] for a, b, _ in data.train.spans[0]]
    parts = zip(prepared.train.texts[:-2], prepared.train.spans[:-2], strict=True)
    assert [part[a:b] for part, spans in parts for a, b, _ in spans] == whole
    lengths = by_hand.text.tokens_in_text(tf.constant(list(prepared.train.texts))).lengths
    assert int(tf.reduce_max(lengths)) <= by_hand.text.room
    assert any("1 training texts have more than 16 tokens" in note for note in prepared.notes)
    short = dataset(("a cat team",))
    assert by_hand.task.rows_to_train_on(by_hand.text, short).notes == ()


def test_a_bert_in_lower_case_sees_capitals(tiny_bert, tmp_path):
    def new(**more):
        """A model whose types of tokens move the embeddings, each by its number."""
        options = {"max_length": 16, "precision": "float32", "layers": 1, **more}
        model = create_model(tiny_bert.name, tiny_bert.task, [], options=options)
        [types] = [one for one in model.encoder.weights if "type_embeddings" in one.name]
        numbers = tf.range(types.shape[0], dtype=tf.float32)[:, tf.newaxis]
        types.assign(types + numbers * tf.sin(tf.range(types.shape[1], dtype=tf.float32)))
        return model

    def logits(model, text):
        return predict_logits(model, [text]).values

    types = tiny_bert.text(tf.constant(["the CAT saw A Dog"]))["input_type_ids"]
    assert types.numpy()[0, :7].tolist() == [0, 0, 3, 0, 2, 2, 0]
    # before training, new types are as the first one
    np.testing.assert_array_equal(logits(tiny_bert, "the CAT"), logits(tiny_bert, "the cat"))
    seen = new()
    written = [logits(seen, text) for text in ("the cat", "the Cat", "the CAT", "the cAt")]
    for first, second in itertools.combinations(written, 2):
        assert np.abs(first - second).max() > 1e-4
    seen.save(tmp_path / "seen")
    np.testing.assert_array_equal(
        logits(load_classifier(tmp_path / "seen"), "the CAT"), logits(seen, "the CAT")
    )
    blind = new(word_shapes=False)
    np.testing.assert_array_equal(logits(blind, "the CAT"), logits(blind, "the cat"))
