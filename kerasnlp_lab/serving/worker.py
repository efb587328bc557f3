"""The worker process: opens one version of an export, and answers the batches that come in.

python -m kerasnlp_lab.serving.worker FOLDER BATCHES THREADS

It reads messages from standard input and writes replies to standard output; see `frames`. It ends
when standard input does, so it cannot outlive the server.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasnlp_lab.errors import KerasnlpLabError, first_line
from kerasnlp_lab.serving.frames import Answered, Ask, Failed, Ready, packed, read_frame

if TYPE_CHECKING:
    from kerasnlp_lab.export.exported_model import ExportedModel

__all__ = ["answer_json", "main"]

DEFAULT_SIGNATURE = "serving_default"
# A graph is optimized for each number of dimensions, and some kernels prepare on first use.
WARM_UP = ([b"A text."], [b"Another text, which is somewhat longer than the first one."] * 32)


def main(folder: str, batches: int, threads: int) -> None:
    """Answers batches until standard input ends.

    Args:
        folder: The export.
        batches: How many batches to compute at a time.
        threads: How many threads TensorFlow uses; 0 for one a core.
    """
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library's print must not get between the replies
    # The server decides when to stop, also if a signal goes to all processes of the group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    writing = threading.Lock()

    def reply(message: Any) -> None:
        with writing:
            replies.write(packed(message))
            replies.flush()

    try:
        model = _open(Path(folder), threads)
        for texts in WARM_UP:
            _answer(model, Ask(0, DEFAULT_SIGNATURE, (tuple(texts),) * _inputs(model), True, False))
    except Exception as error:  # whatever a broken export raises is the reason to refuse it
        known = isinstance(error, KerasnlpLabError)
        reply(Failed(-1, str(error) if known else f"{folder} does not open: {first_line(error)}"))
        return
    reply(_description(model))
    with ThreadPoolExecutor(batches) as pool:
        while (ask := read_frame(sys.stdin.buffer)) is not None:
            pool.submit(_reply_to, model, ask, reply)
    os._exit(0)  # TensorFlow's own clean-up takes long, and nothing is left to keep


def _open(folder: Path, threads: int) -> ExportedModel:
    from kerasnlp_lab.quiet import quiet_tensorflow

    quiet_tensorflow()
    import tensorflow as tf

    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    from kerasnlp_lab.export.exported_model import ExportedModel

    return ExportedModel.open(folder)


def _inputs(model: ExportedModel) -> int:
    return 2 if model.pair else 1


def _reply_to(model: ExportedModel, ask: Ask, reply: Any) -> None:
    try:
        message: Any = _answer(model, ask)
    except Exception as error:  # the server decides what becomes of the batch
        message = Failed(ask.number, first_line(error))
    try:
        reply(message)
    except OSError:  # the server is gone
        os._exit(1)


def _answer(model: ExportedModel, ask: Ask) -> Answered:
    began = time.monotonic()
    arrays = model.call(ask.columns, ask.signature)
    answers: list[dict[str, Any]] = []
    if ask.signature == DEFAULT_SIGNATURE:
        texts = [[text.decode("utf-8", "replace") for text in column] for column in ask.columns]
        found = model.task.read_answers(arrays, texts[0])
        if model.pair:
            pairs = zip(found, texts[1], strict=True)
            found = [dataclasses.replace(one, second_text=second) for one, second in pairs]
        answers = [one.as_json() for one in found]
    return Answered(
        ask.number,
        [answer_json(one) for one in answers] if ask.answers else [],
        arrays if ask.arrays else {},
        Counter(label for one in answers for label in _labels(one)),
        time.monotonic() - began,
    )


def _labels(answer: dict[str, Any]) -> list[str]:
    if "entities" in answer:
        return [one["label"] for one in answer["entities"]]
    return answer.get("labels", [])


def answer_json(answer: dict[str, Any]) -> str:
    """Returns an answer as one line of JSON, with null for NaN and infinity, as `predict --json`.

    Example:
        >>> answer_json({"label": "spam", "probabilities": {"spam": float("nan")}})
        '{"label": "spam", "probabilities": {"spam": null}}'
    """
    try:
        return json.dumps(answer, ensure_ascii=False, allow_nan=False)
    except ValueError:
        finite = json.loads(json.dumps(answer), parse_constant=lambda name: None)
        return json.dumps(finite, ensure_ascii=False)


def _description(model: ExportedModel) -> Ready:
    from google.protobuf.json_format import MessageToDict
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    from kerasnlp_lab.export.saved_model import INPUTS

    saved = SavedModel()
    saved.ParseFromString((model.folder / "saved_model.pb").read_bytes())
    signatures = {
        name: MessageToDict(
            definition,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        for name, definition in saved.meta_graphs[0].signature_def.items()
    }
    called = model.loaded.signatures
    outputs = called[DEFAULT_SIGNATURE].structured_outputs
    return Ready(
        task=model.task.name,
        model=str(model.manifest.get("model", "")),
        label_names=model.task.label_names,
        pair=model.pair,
        # In the order of `ExportedModel.call`. TensorFlow gives them in any order.
        inputs={name: INPUTS[: _inputs(model)] for name in called},
        padded=tuple(
            name
            for name, spec in outputs.items()
            if spec.shape.rank and spec.shape.rank > 1 and spec.shape[1] is None
        ),
        signatures=signatures,
        most_tokens=_most_tokens(model),
    )


def _most_tokens(model: ExportedModel) -> int:
    if model.task.needs_offsets:
        return 0  # it reads long texts in windows
    try:
        return int(model.manifest["trained"]["config"]["model"]["options"]["max_length"])
    except (KeyError, TypeError, ValueError):  # not exported from a run, or without a limit
        return 0


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
