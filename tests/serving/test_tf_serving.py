"""TensorFlow Serving's requests and responses, as its public documentation describes them."""

import json

import numpy as np
import pytest

from kerasnlp_lab.serving.errors import RequestError
from kerasnlp_lab.serving.tf_serving import Path, Predict, parse_path, read_predict, response

SIGNATURES = {"serving_default": ("text",), "pairs": ("text", "second_text")}


def read(body, signatures=SIGNATURES):
    return read_predict(body if isinstance(body, bytes) else json.dumps(body).encode(), signatures)


@pytest.mark.parametrize(
    "method, path, expected",
    [
        ("POST", "/v1/models/news:predict", Path("news", None, "", "predict")),
        ("POST", "/v1/models/news/versions/3:predict", Path("news", 3, "", "predict")),
        (
            "POST",
            "/v1/models/news/labels/stable:classify",
            Path("news", None, "stable", "classify"),
        ),
        ("POST", "/v1/models/news:REGRESS", Path("news", None, "", "regress")),
        ("GET", "/v1/models/news", Path("news", None, "", "")),
        ("GET", "/v1/models/my%20news/versions/12", Path("my%20news", 12, "", "")),
        ("GET", "/v1/models/news/metadata", Path("news", None, "", "metadata")),
        ("GET", "/v1/models/news/versions/12/metadata", Path("news", 12, "", "metadata")),
    ],
)
def test_paths(method, path, expected):
    assert parse_path(method, path) == expected


@pytest.mark.parametrize(
    "method, path, message",
    [
        ("POST", "/v1/models/news", "Malformed request: POST /v1/models/news"),
        ("POST", "/v1/models/news:train", "Malformed request: POST /v1/models/news:train"),
        ("POST", "/v1/models/a/b:predict", "Malformed request: POST /v1/models/a/b:predict"),
        ("GET", "/v1/models/a:predict", "Malformed request: GET /v1/models/a:predict"),
        ("GET", "/v1/models/a/versions/x", "Malformed request: GET /v1/models/a/versions/x"),
        (
            "GET",
            "/v1/models/a/versions/9223372036854775808",
            "Failed to convert version: 9223372036854775808 to numeric.",
        ),
    ],
)
def test_malformed_paths(method, path, message):
    with pytest.raises(RequestError) as caught:
        parse_path(method, path)
    assert caught.value.status == 400
    assert caught.value.as_json() == {"error": message}


@pytest.mark.parametrize(
    "body, signature, form, rows",
    [
        ({"instances": ["a", "b"]}, "serving_default", "row", [(b"a",), (b"b",)]),
        ({"instances": [{"text": "a"}]}, "serving_default", "row", [(b"a",)]),
        ({"instances": [{"b64": "/w=="}, "b"]}, "serving_default", "row", [(b"\xff",), (b"b",)]),
        ({"instances": [{"text": {"b64": "_w"}}]}, "serving_default", "row", [(b"\xff",)]),
        ({"inputs": ["a"]}, "serving_default", "columnar", [(b"a",)]),
        (
            {"inputs": {"text": ["a", "é"]}},
            "serving_default",
            "columnar",
            [(b"a",), ("é".encode(),)],
        ),
        ({"inputs": []}, "serving_default", "columnar", []),
        (
            {"signature_name": "pairs", "instances": [{"second_text": "b", "text": "a"}]},
            "pairs",
            "row",
            [(b"a", b"b")],
        ),
        (
            {"signature_name": "pairs", "inputs": {"text": ["a", "c"], "second_text": ["b", "d"]}},
            "pairs",
            "columnar",
            [(b"a", b"b"), (b"c", b"d")],
        ),
        (
            {"signature_name": "", "instances": ["a"], "more": 1},
            "serving_default",
            "row",
            [(b"a",)],
        ),
    ],
)
def test_requests(body, signature, form, rows):
    assert read(body) == Predict(signature, form, rows)


NULL = "JSON Value: null Type: Null is not of expected type: string"
PLAIN = "as multiple input tensors required as per tensorinfo_map"


@pytest.mark.parametrize(
    "body, message",
    [
        (b"", "JSON Parse error: The document is empty"),
        (b"{", "JSON Parse error: Expecting property name enclosed in double quotes at line 1"),
        (b'{"instances": ["\xff"]}', "JSON Parse error: the byte at offset 16 is not UTF-8"),
        (b'{"instances": ["\\ud83d"]}', "JSON Parse error: a string has half of a surrogate"),
        (b'{"instances": ' + b"[" * 100_000, "JSON Parse error: the JSON is nested too deeply"),
        (b'{"instances": ' + b"9" * 5000 + b"}", "JSON Parse error: Exceeds the limit"),
        ([], "JSON Parse error: expected a JSON object, got []"),
        ({}, "Missing 'inputs' or 'instances' key"),
        ({"signature_name": 1, "instances": ["a"]}, "'signature_name' key must be a string value."),
        ({"signature_name": "x", "instances": ["a"]}, 'Serving signature name: "x" not found in'),
        ({"instances": ["a"], "inputs": ["a"]}, "expecting only one of 'inputs' or 'instances'"),
        ({"instances": "a"}, "Expecting 'instances' to be an list/array"),
        ({"instances": []}, "No values in 'instances' array"),
        ({"instances": [None]}, f"element: 0 of 'instances' list. Error: {NULL}"),
        ({"instances": [["a"]]}, "Encountered list at unexpected level"),
        ({"instances": ["a", 1.5]}, "JSON Value: 1.5 Type: Number is not of expected type: string"),
        ({"instances": [True]}, "JSON Value: true Type: True is not of expected type: string"),
        ({"instances": ["a", {"text": "b"}]}, "Expecting value/list but got object at item 1"),
        ({"instances": [{"text": "b"}, "a"]}, "Expecting object but got list at item 1"),
        ({"instances": [{"txt": "b"}]}, "JSON object: does not have named input: txt"),
        ({"instances": [{}]}, "JSON object: {} keys must be equal to: text"),
        ({"instances": [{"b64": "?"}]}, "Unable to base64 decode"),
        ({"instances": [{"text": {"x": 1}}]}, "not formatted correctly for base64 data"),
        ({"inputs": "a"}, "the input text must be a list of strings, got one"),
        ({"inputs": {"txt": ["a"]}}, "Missing named input: text in 'inputs' object."),
        ({"inputs": {"text": [["a"]]}}, "Encountered list at unexpected level"),
        ({"signature_name": "pairs", "instances": ["a"]}, f"expecting list of objects {PLAIN}"),
        ({"signature_name": "pairs", "inputs": ["a"]}, f"expecting an object {PLAIN}"),
        ({"signature_name": "pairs", "instances": [{"text": "a"}]}, "equal to: second_text,text"),
        (
            {"signature_name": "pairs", "inputs": {"text": ["a"], "second_text": []}},
            "all inputs must have the same number of strings, got text 1, second_text 0",
        ),
    ],
)
def test_bad_requests(body, message):
    with pytest.raises(RequestError) as caught:
        read(body)
    assert caught.value.status == 400
    assert message in caught.value.message


def test_deep_json_in_an_error_message():
    deep = b'{"instances": [{"text": ' + b"[" * 900 + b"]" * 900 + b"}]}"
    with pytest.raises(RequestError, match="unexpected level"):
        read(deep)


def answer(format, parts, padded=()):
    return json.loads(response(Predict("serving_default", format, []), parts, padded))


CLASSES = {
    "label": np.array([b"a", "é".encode()], object),
    "label_id": np.array([0, 1]),
    "probabilities": np.array([[0.2, 0.8], [0.1, 1.0]], np.float32),
}


def test_responses_of_several_outputs():
    assert answer("row", [CLASSES]) == {
        "predictions": [
            {"label": "a", "label_id": 0, "probabilities": [0.2, 0.8]},
            {"label": "é", "label_id": 1, "probabilities": [0.1, 1.0]},
        ]
    }
    assert answer("columnar", [CLASSES]) == {
        "outputs": {
            "label": ["a", "é"],
            "label_id": [0, 1],
            "probabilities": [[0.2, 0.8], [0.1, 1.0]],
        }
    }


def test_responses_of_one_output_leave_out_its_name():
    logits = {"logits": np.array([[1.5, np.inf]], np.float32)}
    assert answer("row", [logits]) == {"predictions": [[1.5, float("inf")]]}
    assert answer("columnar", [logits]) == {"outputs": [[1.5, float("inf")]]}


def test_a_neighbour_in_the_batch_does_not_change_the_padding():
    parts = [
        {"count": np.array([1]), "labels": np.array([[b"a", b"", b""]], object)},
        {"count": np.array([2]), "labels": np.array([[b"b", b"c"]], object)},
    ]
    assert answer("columnar", parts, ["labels"]) == {
        "outputs": {"count": [1, 2], "labels": [["a", ""], ["b", "c"]]}
    }
    nothing = [{"count": np.array([0]), "labels": np.array([[b"", b""]], object)}]
    assert answer("row", nothing, ["labels"]) == {"predictions": [{"count": 0, "labels": []}]}


def test_parts_of_different_lengths_are_padded_to_the_longest():
    parts = [{"logits": np.ones((1, 2, 1), np.float32)}, {"logits": np.ones((1, 1, 1), np.float32)}]
    assert answer("row", parts) == {"predictions": [[[1.0], [1.0]], [[1.0], [0.0]]]}
