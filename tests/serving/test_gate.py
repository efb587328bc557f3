"""Token, size and time of a body, CORS, and errors that nobody foresaw."""

import asyncio
import json
import subprocess
import sys

import httpx
import pytest

from kerasnlp_lab.serving.app import State, make_app
from kerasnlp_lab.serving.gate import MOST_HELD, Gate
from kerasnlp_lab.serving.metrics import Metrics
from kerasnlp_lab.serving.server import with_cors
from kerasnlp_lab.serving.settings import Settings


def gate(**settings):
    state = State({}, Settings(**settings), Metrics())
    return Gate(make_app(state), state)


def ask(app, method="GET", path="/models", **how):
    async def call():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **how)

    return asyncio.run(call())


@pytest.mark.parametrize(
    "authorization, status",
    [
        (None, 401),
        ("Bearer wrong", 401),
        ("secret", 401),
        ("Basic secret", 401),
        ("Bearer secret", 200),
        ("bearer  secret", 200),
    ],
)
def test_token(authorization, status):
    headers = {} if authorization is None else {"Authorization": authorization}
    found = ask(gate(token="secret"), headers=headers)
    assert found.status_code == status
    if status == 401:
        assert found.headers["www-authenticate"] == "Bearer"
        assert found.json()["error"] == "expected the right bearer token"


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/docs", "/openapi.json"])
def test_what_needs_no_token(path):
    assert ask(gate(token="secret"), path=path).status_code == 200


@pytest.mark.parametrize("path", ["/metrics", "/classify", "/v1/models/news", "/nothing"])
def test_what_needs_the_token(path):
    assert ask(gate(token="secret"), path=path).status_code == 401


def through(app, messages, headers=()):
    """Sends ASGI messages to an application and returns the status and the body."""
    sent = []

    async def receive():
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/classify", "raw_path": b"/classify"}
    scope |= {"headers": list(headers), "query_string": b"", "http_version": "1.1"}
    asyncio.run(app(scope, receive, send))
    if not sent:
        return None, None
    return sent[0]["status"], json.loads(sent[1]["body"])


def body(content, more=True):
    return {"type": "http.request", "body": content, "more_body": more}


def test_a_large_body_is_read_to_its_end_and_not_kept():
    app = gate(max_body=10)
    messages = [body(b"123456"), body(b"789012"), body(b"x" * 1000), body(b"", False)]
    status, found = through(app, messages)
    assert (status, found["error"]) == (413, "expected a body of at most 10 bytes")
    assert messages == []
    assert (app.accepted, app.answered) == (0, 0)


def test_a_body_as_large_as_allowed():
    status, found = through(gate(max_body=10), [body(b"1234567890", False)])
    assert (status, found["error"]) == (400, "expected a JSON object, got 1234567890")


def test_a_large_body_that_is_announced_is_refused_before_it_is_sent():
    headers = [(b"expect", b"100-continue"), (b"content-length", b"11")]
    assert through(gate(max_body=10), [], headers)[0] == 413


def test_a_slow_body():
    status, found = through(gate(body_timeout=0.05), [body(b"{")])
    assert (status, found["error"]) == (408, "the body did not arrive within 0.05 seconds")


def test_a_client_that_leaves_before_its_request_is_whole():
    assert through(gate(), [body(b"{"), {"type": "http.disconnect"}]) == (None, None)


def test_bodies_in_memory_are_limited():
    app = gate(max_body=10)
    app._held = 10 * MOST_HELD + 1
    assert through(app, [body(b"{}", False)])[0] == 429


def test_an_error_of_ours_is_logged_and_not_shown(capsys):
    app = gate()

    @app.app.get("/broken")
    async def broken():
        raise ValueError("a secret")

    found = ask(app, path="/broken", headers={"X-Request-ID": "7"})
    assert (found.status_code, found.headers["x-request-id"]) == (500, "7")
    assert found.json() == {"error": "internal error; the server's log has more"}
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert "ValueError: a secret" in events[0]["traceback"]
    assert (events[1]["status"], events[1]["id"]) == (500, "7")
    assert (app.accepted, app.answered) == (1, 1)


def test_a_server_that_stops_says_so_and_closes_connections():
    app = gate()
    app.state.draining = True
    found = ask(app, path="/readyz")
    assert (found.status_code, found.json()) == (503, {"status": "stopping"})
    assert found.headers["connection"] == "close"


@pytest.mark.parametrize("given", ["", "x" * 65, "\x07"])
def test_request_ids_that_are_not_kept(given):
    assert ask(gate(), headers={"X-Request-ID": given}).headers["x-request-id"] == "-"


def test_cors():
    origin = {"Origin": "https://mine.example"}
    assert "access-control-allow-origin" not in ask(gate(), headers=origin).headers
    app = with_cors(gate(token="secret"), ["https://mine.example"])
    found = ask(app, headers=origin | {"Authorization": "Bearer secret"})
    assert found.headers["access-control-allow-origin"] == "https://mine.example"
    preflight = {"Access-Control-Request-Method": "POST"}
    preflight["Access-Control-Request-Headers"] = "authorization,content-type"
    assert ask(app, "OPTIONS", "/classify", headers=origin | preflight).status_code == 200
    other = ask(app, headers={"Origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers


def test_the_server_imports_no_tensorflow():
    script = (
        "import sys, kerasnlp_lab.serving.server, kerasnlp_lab.cli.serve\n"
        "print({'tensorflow', 'tf_keras'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.stdout.strip() == "set()", ran.stderr
