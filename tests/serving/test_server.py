"""A real server: both interfaces, health, limits, bad requests, and a worker that dies."""

import json
import os
import signal
import subprocess
import sys

import pytest

from kerasnlp_lab.export import open_predictor
from tests.serving.test_worker import close

TEXTS = ["the cat sat", "a dog ran , the cat ran !", "", "日本 team game", "oil"]


@pytest.fixture(scope="module")
def expected(export_of):
    predictor = open_predictor(export_of("classification"))
    return [one.as_json() for one in predictor.predict(TEXTS)]


def test_classify(client, expected):
    found = client.post("/classify", json={"texts": TEXTS, "model": "model"})
    assert found.status_code == 200
    content = found.json()
    assert (content["model"], content["task"]) == ("model", "classification")
    assert close(content["answers"], expected)


def test_classify_pairs(client, export_of):
    pairs = [["the cat sat", "a dog"], ["", "oil"]]
    found = client.post("/classify", json={"texts": pairs, "model": "pairs"}).json()
    answers = open_predictor(export_of("pairs")).predict(map(tuple, pairs))
    assert close(found["answers"], [one.as_json() for one in answers])


def test_classify_nothing(client):
    assert client.post("/classify", json={"texts": [], "model": "model"}).json()["answers"] == []


def test_predict_as_tensorflow_serving(client, expected):
    address = "/v1/models/model:predict"
    rows = client.post(address, content=json.dumps({"instances": TEXTS})).json()["predictions"]
    assert [row["label"] for row in rows] == [one["label"] for one in expected]
    probabilities = [list(one["probabilities"].values()) for one in expected]
    assert close([row["probabilities"] for row in rows], probabilities)
    outputs = client.post(address, json={"inputs": {"text": TEXTS}}).json()["outputs"]
    assert close(outputs["probabilities"], probabilities)
    assert outputs["label_id"] == [row["label_id"] for row in rows]
    logits = client.post(address, json={"signature_name": "logits", "instances": TEXTS}).json()
    assert [len(row) for row in logits["predictions"]] == [3] * len(TEXTS)
    assert client.post(address, json={"inputs": []}).json()["outputs"]["label"] == []


def test_predict_pairs_as_tensorflow_serving(client, export_of):
    pairs = [("the cat sat", "a dog"), ("", "oil")]
    answers = open_predictor(export_of("pairs")).predict(pairs)
    expected = [list(one.probabilities.values()) for one in answers]
    rows = [{"second_text": second, "text": text} for text, second in pairs]
    found = client.post("/v1/models/pairs:predict", json={"instances": rows}).json()
    assert close([row["probabilities"] for row in found["predictions"]], expected)
    columns = {"second_text": ["a dog", "oil"], "text": ["the cat sat", ""]}
    found = client.post("/v1/models/pairs:predict", json={"inputs": columns}).json()
    assert close(found["outputs"]["probabilities"], expected)


def test_status_and_metadata(client):
    assert client.get("/v1/models/pairs").json() == {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    metadata = client.get("/v1/models/pairs/versions/1/metadata").json()
    assert metadata["model_spec"] == {"name": "pairs", "signature_name": "", "version": "1"}
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    assert set(signatures) == {"serving_default", "logits", "__saved_model_init_op"}
    assert set(signatures["serving_default"]["inputs"]) == {"text", "second_text"}


@pytest.mark.parametrize(
    "method, path, status, error",
    [
        ("POST", "/v1/models/x:predict", 404, "Servable not found for request: Latest(x)"),
        ("POST", "/v1/models/pairs/versions/9:predict", 404, "Servable not found for request: "),
        ("GET", "/v1/models/x", 404, "Could not find any versions of model x"),
        ("GET", "/v1/models/pairs/versions/9", 404, "Could not find version 9 of model pairs"),
        ("GET", "/v1/models/x/metadata", 404, "Servable not found for request: Latest(x)"),
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("POST", "/v1/models/pairs/labels/stable:predict", 400, "Unrecognized servable version la"),
        ("POST", "/v1/models/pairs:classify", 400, "Expected classification signature method_name"),
        ("POST", "/v1/models/pairs:regress", 400, "Expected regression signature method_name to"),
        ("POST", "/v1/models/pairs:tune", 400, "Malformed request: POST /v1/models/pairs:tune"),
        ("GET", "/nothing", 404, "there is nothing at this address"),
        ("GET", "/classify", 405, "this address has no GET"),
        ("DELETE", "/v1/models/pairs", 405, "this address has no DELETE"),
    ],
)
def test_wrong_addresses(client, method, path, status, error):
    found = client.request(
        method, path, content=b'{"instances": ["a"]}' if method == "POST" else b""
    )
    assert found.status_code == status
    assert found.json()["error"].startswith(error)


@pytest.mark.parametrize(
    "content, status, error",
    [
        (b"", 400, "The document is empty"),
        (b"texts", 400, "Expecting value at line 1, column 1"),
        (b'{"text": ["a"]}', 400, 'unknown keys: ["text"]'),
        (b"{}", 400, "there are several models: model, pairs"),
        (b'{"model": "model"}', 400, '"texts" must be a list, got null'),
        (b'{"model": "cats", "texts": []}', 404, 'no model is called "cats"; known: model, pairs'),
        (b'{"model": 1, "texts": []}', 400, '"model" must be a string, got 1'),
        (
            b'{"model": "model", "texts": ["a", 2]}',
            400,
            "the text at place 1, from 0, must be a str",
        ),
        (
            b'{"model": "model", "texts": [["a", "b"]]}',
            400,
            "the text at place 0, from 0, must be a",
        ),
        (b'{"model": "pairs", "texts": ["a"]}', 400, "the text at place 0, from 0, must be a list"),
        (b'{"model": "pairs", "texts": [["a"]]}', 400, "the text at place 0, from 0, must be a li"),
    ],
)
def test_bad_requests_to_classify(client, content, status, error):
    found = client.post("/classify", content=content)
    assert found.status_code == status
    assert found.json()["error"].startswith(error)


def test_limits(client):
    many = client.post("/classify", json={"texts": ["a"] * 101, "model": "model"})
    assert (many.status_code, many.json()) == (
        413,
        {"error": "expected at most 100 texts, got 101", "what_to_do": "Send several requests."},
    )
    long = client.post("/classify", json={"texts": ["a", "é" * 100_001], "model": "model"})
    assert long.status_code == 413
    assert "the text at place 1, from 0, has more than 100000 characters" in long.json()["error"]
    fits = client.post("/classify", json={"texts": ["é" * 100_000], "model": "model"})
    assert fits.status_code == 200
    large = client.post("/classify", content=b" " * (9 * 2**20))
    assert large.status_code == 413
    assert large.json()["error"] == "expected a body of at most 8388608 bytes"


def test_health_models_and_openapi(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    models = client.get("/models").json()["models"]
    assert [(one["name"], one["task"], one["pair"]) for one in models] == [
        ("model", "classification", None),
        ("pairs", "classification", ["premise", "hypothesis"]),
    ]
    paths = client.get("/openapi.json").json()["paths"]
    assert "/classify" in paths and "/v1/models/{rest}" in paths


def test_metrics_and_the_log_have_no_texts(client, server):
    client.post(
        "/classify",
        json={"texts": ["a secret sentence"], "model": "model"},
        headers={"X-Request-ID": "mine"},
    )
    page = client.get("/metrics").text
    assert 'kerasnlp_lab_requests_total{endpoint="classify",status="200"}' in page
    assert 'kerasnlp_lab_batch_texts_bucket{le="1.0",model="model"}' in page
    assert "kerasnlp_lab_labels_total{label=" in page
    assert 'kerasnlp_lab_queue_texts{model="model"} 0.0' in page
    [line] = [one for one in server.events("request") if one["id"] == "mine"]
    assert (line["status"], line["model"], line["texts"]) == (200, "model", 1)
    assert "secret" not in server.log.read_text() + page


def test_a_worker_that_dies_is_replaced_and_no_request_is_lost(client, server):
    """The request is sent while the process is dead, and waits for the next one."""
    [worker] = [pid for pid in children(server.process.pid) if "pairs" not in command_of(pid)]
    os.kill(worker, signal.SIGKILL)
    found = client.post("/classify", json={"texts": ["the cat"], "model": "model"})
    assert found.status_code == 200
    assert [event["model"] for event in server.events("worker lost")] == ["model"]
    assert client.get("/readyz").status_code == 200


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return list(map(int, file.read().split()))


def command_of(pid):
    with open(f"/proc/{pid}/cmdline") as file:
        return file.read().replace("\0", " ")


@pytest.mark.starts_tensorflow
def test_an_export_that_cannot_be_served_ends_the_command(tmp_path):
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "saved_model.pb").touch()
    words = [sys.executable, "-m", "kerasnlp_lab", "serve", str(tmp_path / "news"), "--port", "0"]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout) == (2, "")
    *events, last = ran.stderr.splitlines()
    assert [json.loads(line)["event"] for line in events] == ["loading", "refused", "stopped"]
    assert last.startswith(f"kerasnlp-lab: {tmp_path / 'news'} has no assets.extra/manifest.json")
