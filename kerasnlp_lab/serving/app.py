"""`make_app`: the routes: TensorFlow Serving's, the friendly ones, health, metrics and the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from kerasnlp_lab import __version__
from kerasnlp_lab.serving import batches, tf_serving
from kerasnlp_lab.serving.batches import QueueFull
from kerasnlp_lab.serving.errors import RequestError
from kerasnlp_lab.serving.json_body import quoted, read_object
from kerasnlp_lab.serving.metrics import Metrics
from kerasnlp_lab.serving.models import ServedModel, Version
from kerasnlp_lab.serving.settings import Settings
from kerasnlp_lab.serving.worker_process import BatchFailed, WorkerLost

__all__ = ["State", "make_app"]

PAGE = Path(__file__).with_name("templates") / "page.html"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; " + (
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
EXAMPLE = {"texts": ["Oil slips below 45 dollars."]}
AGAIN = {"Retry-After": "1"}


class State:
    """What the server serves.

    Args:
        models: The models by name.
        settings: Limits and sizes.
        metrics: What is counted.

    Attributes:
        draining: Whether the server is about to stop.
    """

    def __init__(self, models: Mapping[str, ServedModel], settings: Settings, metrics: Metrics):
        self.models, self.settings, self.metrics = models, settings, metrics
        self.draining = False

    @property
    def waiting_for(self) -> list[str]:
        """The names of the models that do not answer."""
        return [name for name, model in self.models.items() if not model.ready]

    async def answers(
        self,
        request: Request,
        model: ServedModel,
        version: Version,
        rows: list[tuple[bytes, ...]],
        **how: Any,
    ) -> list[batches.Reply]:
        """Returns the replies to rows of texts; see `Lane.answer`.

        Raises:
            RequestError: They cannot be answered.
        """
        request.state.log = {"model": model.name, "version": version.number, "texts": len(rows)}
        self._check_size(rows)
        lane = version.lane
        if lane is None:
            raise RequestError(503, f"{model.name} is not loaded yet", "Try again.", AGAIN)
        asked = batches.Request(rows, most_rows=self.settings.batch_texts, **how)
        try:
            found = await lane.answer(asked)
        except QueueFull:
            raise RequestError(
                429,
                f"too many texts wait: {len(lane.batcher)} of at most {self.settings.max_queue}",
                "Send the request again after the seconds in Retry-After.",
                {"Retry-After": str(lane.seconds_to_empty())},
            ) from None
        except TimeoutError:
            reason = f"there was no answer within {self.settings.timeout:g} seconds"
            advice = "Send fewer texts at a time, or raise --timeout."
            raise RequestError(503, reason, advice, AGAIN) from None
        except WorkerLost:
            reason = "the process that computed the answer died, more than once"
            advice = "If it dies again with the same text, report the text."
            raise RequestError(503, reason, advice, AGAIN) from None
        except BatchFailed as error:
            raise RequestError(400, f"the model cannot answer this text: {error}") from None
        self.metrics.texts.labels(model.name).inc(len(rows))
        return found

    def _check_size(self, rows: list[tuple[bytes, ...]]) -> None:
        most, longest = self.settings.max_texts, self.settings.max_characters
        if len(rows) > most:
            raise RequestError(
                413, f"expected at most {most} texts, got {len(rows)}", "Send several requests."
            )
        for place, row in enumerate(rows):
            for text in row:
                if len(text) > longest and len(text.decode("utf-8", "replace")) > longest:
                    raise RequestError(
                        413,
                        f"the text at place {place}, from 0, has more than {longest} characters",
                        "Cut it.",
                    )

    def model(self, name: str | None) -> ServedModel:
        """Returns a model by its name, or the only one.

        Raises:
            RequestError: There is none, or a name is needed.
        """
        known = ", ".join(self.models)
        if name is None and len(self.models) == 1:
            return next(iter(self.models.values()))
        if name is None:
            raise RequestError(400, f"there are several models: {known}", 'Name one as "model".')
        if name not in self.models:
            raise RequestError(404, f"no model is called {quoted(name)}; known: {known}")
        return self.models[name]


def make_app(state: State) -> FastAPI:
    """Returns the application, without the limits of `Gate`."""
    app = FastAPI(
        title="kerasnlp-lab serve",
        version=__version__,
        description="Answers texts. POST /classify is the simple way; /v1/models/ is TensorFlow "
        "Serving's REST interface.",
        redirect_slashes=False,
    )
    _add_classify(app, state)
    _add_tf_serving(app, state)
    _add_probes(app, state)

    @app.exception_handler(RequestError)
    async def refuse(request: Request, error: RequestError) -> Response:
        return JSONResponse(error.as_json(), error.status, dict(error.headers))

    @app.exception_handler(404)
    async def not_found(request: Request, error: Exception) -> Response:
        advice = "POST to /classify or /v1/models/NAME:predict; / is a page to try it."
        return JSONResponse(
            {"error": "there is nothing at this address", "what_to_do": advice}, 404
        )

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return JSONResponse({"error": "internal error; the server's log has more"}, 500)

    @app.exception_handler(405)
    async def wrong_method(request: Request, error: Any) -> Response:
        allowed = error.headers.get("Allow", "")
        message = {
            "error": f"this address has no {request.method}",
            "what_to_do": f"Use {allowed}.",
        }
        return JSONResponse(message, 405, error.headers)

    return app


def _add_classify(app: FastAPI, state: State) -> None:
    text = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    schema = {
        "type": "object",
        "required": ["texts"],
        "properties": {
            "texts": {"type": "array", "items": text, "description": "Texts, or pairs of texts."},
            "model": {"type": "string", "description": "Needed if there are several."},
        },
        "example": EXAMPLE,
    }
    body = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}

    @app.post("/classify", openapi_extra=body, summary="Answer texts")
    async def classify(request: Request) -> Response:
        """Returns model, version, task, and the answer to each text, as `predict --json` gives it:
        label and probabilities, labels, entities, or an output, as the task has them."""
        given = read_object(await request.body())
        if unknown := set(given) - {"texts", "model"}:
            advice = "Leave them out." if "texts" in given else 'The texts are "texts", a list.'
            raise RequestError(400, f"unknown keys: {quoted(sorted(unknown))}", advice)
        name = given.get("model")
        if not isinstance(name, str | None):
            raise RequestError(400, f'"model" must be a string, got {quoted(name)}')
        model = state.model(name)
        version = _served(model.find(None), model)
        assert version.lane
        about = version.lane.about
        rows = _rows(given.get("texts"), about.pair)
        answers: list[str] = []
        if rows:
            found = await state.answers(
                request, model, version, rows, signature="serving_default", arrays=False
            )
            answers = [one for reply in found for one in reply.answers]
        head = {"model": model.name, "version": version.number, "task": about.task}
        # The worker has written the answers as JSON already.
        content = f'{json.dumps(head)[:-1]}, "answers": [{", ".join(answers)}]}}'
        return Response(content, media_type="application/json")

    @app.get("/models", summary="The models that are served")
    async def models() -> Response:
        listed = []
        for model in state.models.values():
            current = model.current
            about = current.lane.about if current and current.lane else None
            listed.append(
                {
                    "name": model.name,
                    "ready": model.ready,
                    "version": current and current.number,
                    "task": about and about.task,
                    "label_names": about and about.label_names,
                    "pair": about and about.pair,
                    "max_texts": state.settings.max_texts,
                }
            )
        return JSONResponse({"models": listed})


def _rows(texts: Any, pair: tuple[str, str] | None) -> list[tuple[bytes, ...]]:
    if not isinstance(texts, list):
        expected = f'"texts" must be a list, got {quoted(texts)}'
        raise RequestError(400, expected, f"Send, for example, {json.dumps(EXAMPLE)}.")
    rows = []
    for place, text in enumerate(texts):
        sides = text if pair and isinstance(text, list) else [text]
        if len(sides) != (2 if pair else 1) or not all(isinstance(side, str) for side in sides):
            expected = f"a list of two strings, {' and '.join(pair)}," if pair else "a string"
            reason = f"the text at place {place}, from 0, must be {expected} got {quoted(text)}"
            raise RequestError(400, reason.replace("string got", "string, got"))
        rows.append(tuple(side.encode() for side in sides))
    return rows


def _served(version: Version | None, model: ServedModel, wanted: str = "") -> Version:
    if version is not None:
        return version
    if model.current is None:
        raise RequestError(503, f"{model.name} is not loaded yet", "Try again.", AGAIN)
    request = f"Specific({model.name}, {wanted})" if wanted else f"Latest({model.name})"
    raise RequestError(404, f"Servable not found for request: {request}")


def _add_tf_serving(app: FastAPI, state: State) -> None:
    def find(path: tf_serving.Path) -> ServedModel:
        name = unquote(path.model)
        if name not in state.models:
            if not path.action:
                raise RequestError(404, f"Could not find any versions of model {name}")
            version = path.version
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise RequestError(404, f"Servable not found for request: {wanted}")
        if path.label:
            label = unquote(path.label)
            raise RequestError(400, f"Unrecognized servable version label: {label}")
        return state.models[name]

    def served(model: ServedModel, path: tf_serving.Path) -> Version:
        number = "" if path.version is None else str(path.version)
        return _served(model.find(path.version), model, number)

    @app.post("/v1/models/{rest:path}", summary="TensorFlow Serving: predict")
    async def predict(request: Request) -> Response:
        """`/v1/models/NAME[/versions/N]:predict` with "instances" or "inputs"."""
        body = await request.body()  # first: a version that was found must be asked at once
        path = tf_serving.parse_path("POST", _raw_path(request))
        model = find(path)
        version = served(model, path)
        assert version.lane
        if path.action != "predict":
            noun = {"classify": "classification", "regress": "regression"}[path.action]
            raise RequestError(
                400,
                f"Expected {noun} signature method_name to be tensorflow/serving/{path.action}. "
                "Was: tensorflow/serving/predict",
            )
        about = version.lane.about
        asked = tf_serving.read_predict(body, about.inputs)
        default = asked.signature == "serving_default"
        apart = not default or not asked.rows
        found = await state.answers(
            request,
            model,
            version,
            asked.rows,
            signature=asked.signature,
            arrays=True,
            apart=apart,
        )
        padded = about.padded if default else ()
        content = tf_serving.response(asked, [one.arrays for one in found], padded)
        return Response(content, media_type="application/json")

    @app.get("/v1/models/{rest:path}", summary="TensorFlow Serving: status and metadata")
    async def status(request: Request) -> Response:
        """`/v1/models/NAME[/versions/N]`, and the same with `/metadata`."""
        path = tf_serving.parse_path("GET", _raw_path(request))
        model = find(path)
        if path.action == "metadata":
            return JSONResponse(tf_serving.model_metadata(model, served(model, path)))
        return JSONResponse(tf_serving.model_status(model, path))

    @app.get("/v1/models", include_in_schema=False)
    async def nameless() -> Response:
        raise RequestError(400, "Missing model name in request.")


def _raw_path(request: Request) -> str:
    return request.scope["raw_path"].decode("ascii", "replace")


def _add_probes(app: FastAPI, state: State) -> None:
    @app.get("/healthz", summary="Whether the server runs")
    async def health() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", summary="Whether all models answer")
    async def ready() -> Response:
        if state.draining:
            return JSONResponse({"status": "stopping"}, 503)
        if waiting_for := state.waiting_for:
            return JSONResponse({"status": "loading", "models": waiting_for}, 503)
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", summary="Metrics for Prometheus")
    async def metrics() -> Response:
        return Response(state.metrics.page(), media_type="text/plain; version=0.0.4")

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
        return HTMLResponse(PAGE.read_text(encoding="utf-8"), headers=headers)
