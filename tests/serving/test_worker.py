"""The worker's answers to every task are those of `Predictor`, alone and in a batch."""

import functools
import io
import json

import numpy as np
import pytest

from kerasnlp_lab.export import open_predictor
from kerasnlp_lab.export.exported_model import ExportedModel
from kerasnlp_lab.serving import worker
from kerasnlp_lab.serving.frames import Answered, Ask, packed, read_frame
from tests.serving.conftest import PAIR

TASKS = ["classification", "multi_label", "entities", "generation"]
TEXTS = [
    "the cat sat",
    "a dog ran , the cat ran !",
    "",
    "日本 \U0001f600 team game",
    "oil \x1f stock",
]


@pytest.fixture(scope="module")
def opened(export_of):
    """A function that returns an export, opened once."""
    return functools.cache(lambda name: ExportedModel.open(export_of(name)))


def ask(columns, *, signature="serving_default", answers=True, arrays=False):
    columns = tuple(tuple(text.encode() for text in column) for column in columns)
    return Ask(7, signature, columns, answers, arrays)


def close(one, other):
    if isinstance(one, float):
        return one == pytest.approx(other, abs=1e-5)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    return one == other


@pytest.mark.parametrize("task", TASKS)
def test_answers_of_every_task(export_of, opened, task):
    model = opened(task)
    found = worker._answer(model, ask([TEXTS]))
    expected = [one.as_json() for one in open_predictor(export_of(task)).predict(TEXTS)]
    assert close([json.loads(one) for one in found.answers], expected)
    assert found.arrays == {}
    given = [label for one in expected for label in worker._labels(one)]
    assert sum(found.labels.values()) == len(given)


def test_answers_to_pairs(export_of, opened):
    pairs = [("the cat sat", "a dog"), ("", "oil"), ("team game", "")]
    model = opened("pairs")
    found = worker._answer(model, ask(zip(*pairs, strict=True)))
    expected = [one.as_json() for one in open_predictor(export_of("pairs")).predict(pairs)]
    assert close([json.loads(one) for one in found.answers], expected)
    assert [json.loads(one)["second_text"] for one in found.answers] == ["a dog", "oil", ""]


@pytest.mark.parametrize("task", TASKS)
def test_the_outputs_are_the_signatures(opened, task):
    model = opened(task)
    for signature in ("serving_default", "logits"):
        found = worker._answer(model, ask([TEXTS], signature=signature, arrays=True))
        expected = model.call([[text.encode() for text in TEXTS]], signature)
        assert found.arrays.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_array_equal(found.arrays[name], values)


def test_a_batch_without_texts(opened):
    found = worker._answer(opened("multi_label"), ask([[]], arrays=True))
    assert {name: one.shape[0] for name, one in found.arrays.items()} == dict.fromkeys(
        ("count", "labels", "probabilities", "thresholds"), 0
    )


def test_the_description(opened):
    found = worker._description(opened("pairs"))
    assert found.task == "classification" and found.pair == PAIR
    assert found.inputs["serving_default"] == ("text", "second_text")
    assert found.padded == ()
    definition = found.signatures["serving_default"]
    assert definition["method_name"] == "tensorflow/serving/predict"
    assert definition["inputs"]["second_text"] == {
        "dtype": "DT_STRING",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
        "name": "serving_default_second_text:0",
    }
    entities = worker._description(opened("entities"))
    padded = {"starts", "ends", "byte_starts", "byte_ends", "labels", "scores"}
    assert set(entities.padded) == padded


def test_frames():
    message = Answered(3, ["{}"], {"a": np.arange(3)})
    whole = packed(message)
    assert read_frame(io.BytesIO(whole)).answers == ["{}"]
    assert read_frame(io.BytesIO(b"")) is None
    assert read_frame(io.BytesIO(whole[:-1])) is None
