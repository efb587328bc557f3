"""TensorFlow Serving's REST interface: reads its requests, writes its responses and errors.

https://www.tensorflow.org/tfx/serving/api_rest. Errors have the words of its json_tensor.cc where
a client could depend on them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from kerasnlp_lab.serving.errors import RequestError
from kerasnlp_lab.serving.json_body import quoted, read_object
from kerasnlp_lab.serving.models import ServedModel, Version

__all__ = ["Predict", "model_metadata", "model_status", "parse_path", "read_predict", "response"]

_MODEL = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
POST_PATH = re.compile(_MODEL + r":(classify|regress|predict)", re.IGNORECASE)
GET_PATH = re.compile(_MODEL + r"(?:/(metadata))?", re.IGNORECASE)
TYPES = {bool: "True", int: "Number", float: "Number", str: "String", list: "Array", dict: "Object"}


@dataclass(frozen=True)
class Path:
    """What a path names.

    Args:
        model: The model's name, still quoted as in an address.
        version: The version's number; None for the newest.
        label: The label of a version, or "".
        action: classify, regress, predict, metadata, or "" for the status.
    """

    model: str
    version: int | None
    label: str
    action: str


@dataclass(frozen=True)
class Predict:
    """A predict request.

    Args:
        signature: The signature to call.
        format: "row" for instances, "columnar" for inputs.
        rows: The texts of each row, one for each input.
    """

    signature: str
    format: Literal["row", "columnar"]
    rows: list[tuple[bytes, ...]]


def parse_path(method: str, path: str) -> Path:
    """Returns what the path of a request names.

    Raises:
        RequestError: It is not one of TensorFlow Serving's.
    """
    pattern = POST_PATH if method == "POST" else GET_PATH
    found = pattern.fullmatch(path)
    if not found or method not in ("GET", "POST"):
        raise RequestError(400, f"Malformed request: {method} {path}")
    model, version, label, action = found.groups()
    if version and int(version) >= 2**63:
        raise RequestError(400, f"Failed to convert version: {version} to numeric.")
    number = int(version) if version else None
    return Path(model, number, label or "", (action or "").lower())


def read_predict(body: bytes, signatures: Mapping[str, Sequence[str]]) -> Predict:
    """Reads the body of a predict request.

    Args:
        body: The body.
        signatures: The names of the inputs of each signature, all of them strings of shape [n].

    Raises:
        RequestError: It is no such request; the message says why.
    """
    given = read_object(body, "JSON Parse error: ")
    signature = given.get("signature_name", "")
    if not isinstance(signature, str):
        raise _bad(given, "not formatted correctly. 'signature_name' key must be a string value.")
    signature = signature or "serving_default"
    if signature not in signatures:
        raise RequestError(400, f'Serving signature name: "{signature}" not found in signature def')
    inputs = list(signatures[signature])
    if "instances" in given and "inputs" in given:
        raise _bad(
            given,
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ",
        )
    if "instances" in given:
        return Predict(signature, "row", _rows_of_instances(given, inputs))
    if "inputs" in given:
        return Predict(signature, "columnar", _rows_of_inputs(given["inputs"], inputs))
    raise RequestError(400, "Missing 'inputs' or 'instances' key")


def _rows_of_instances(given: dict[str, Any], inputs: list[str]) -> list[tuple[bytes, ...]]:
    instances = given["instances"]
    if not isinstance(instances, list):
        raise _bad(given, "Expecting 'instances' to be an list/array")
    if not instances:
        raise _bad(given, "No values in 'instances' array")
    named = _is_named(instances[0])
    if not isinstance(instances[0], dict) and len(inputs) > 1:
        raise RequestError(
            400,
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map",
        )
    rows = []
    for place, one in enumerate(instances):
        if named != _is_named(one):
            expected = "object but got list" if named else "value/list but got object"
            raise RequestError(400, f"Expecting {expected} at item {place} of input list")
        if not named and len(inputs) > 1:
            raise _keys(place, one, inputs)
        cells = one if named else {inputs[0]: one}
        row = {}
        for key, value in cells.items():
            where = f"Failed to process element: {place}" + (f" key: {key}" if named else "")
            if key not in inputs:
                reason = f"JSON object: does not have named input: {key}"
            else:
                try:
                    row[key] = _string(value)
                    continue
                except RequestError as error:
                    reason = error.message
            raise RequestError(400, f"{where} of 'instances' list. Error: {reason}")
        if set(row) != set(inputs):
            raise _keys(place, one, inputs)
        rows.append(tuple(row[name] for name in inputs))
    return rows


def _rows_of_inputs(given: Any, inputs: list[str]) -> list[tuple[bytes, ...]]:
    if not _is_named(given):
        if len(inputs) > 1:
            raise RequestError(
                400,
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map",
            )
        given = {inputs[0]: given}
    columns = []
    for name in inputs:
        if name not in given:
            raise RequestError(400, f"Missing named input: {name} in 'inputs' object.")
        if not isinstance(given[name], list):
            _string(given[name])
            raise RequestError(
                400, f"the input {name} must be a list of strings, got one: put it in brackets"
            )
        columns.append([_string(value) for value in given[name]])
    if len({len(column) for column in columns}) > 1:
        sizes = ", ".join(
            f"{name} {len(column)}" for name, column in zip(inputs, columns, strict=True)
        )
        raise RequestError(400, f"all inputs must have the same number of strings, got {sizes}")
    return list(zip(*columns, strict=True))


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and list(value) == ["b64"] and isinstance(value["b64"], str)


def _string(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        raise RequestError(400, "Encountered list at unexpected level: 1 expected < 1")
    if not isinstance(value, dict):
        kind = "Null" if value is None else "False" if value is False else TYPES[type(value)]
        raise _bad(value, f"Type: {kind} is not of expected type: string")
    if not _is_base64(value):
        raise _bad(value, "not formatted correctly for base64 data")
    try:
        text = value["b64"].replace("-", "+").replace("_", "/").rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(400, "Unable to base64 decode") from None


def _bad(value: Any, why: str) -> RequestError:
    return RequestError(400, f"JSON Value: {quoted(value)} {why}")


def _keys(place: int, value: Any, inputs: list[str]) -> RequestError:
    return RequestError(
        400,
        f"Failed to process element: {place} of 'instances' list. JSON object: "
        f"{quoted(value)} keys must be equal to: {','.join(sorted(inputs))}",
    )


def response(predict: Predict, parts: Sequence[Mapping[str, np.ndarray]], padded: Any) -> bytes:
    """Returns the body of the response to a predict request.

    Args:
        predict: The request.
        parts: The outputs of parts of the request's rows, in order.
        padded: The outputs whose second axis ends with the longest row of a batch. They are cut
            after the longest row of this request, as if it had been a batch alone.
    """
    names = sorted(parts[0])
    most = max(
        (int(part["count"].max(initial=0)) for part in parts if "count" in part), default=None
    )
    outputs = {
        name: _values(_joined([part[name] for part in parts], most if name in padded else None))
        for name in names
    }
    content: Any
    if predict.format == "columnar":
        content = {"outputs": outputs if len(names) > 1 else outputs[names[0]]}
    elif len(names) > 1:
        rows = zip(*outputs.values(), strict=True)
        content = {"predictions": [dict(zip(names, row, strict=True)) for row in rows]}
    else:
        content = {"predictions": outputs[names[0]]}
    return json.dumps(content, ensure_ascii=False).encode()


def _joined(arrays: list[np.ndarray], most: int | None) -> np.ndarray:
    """Joins arrays along the rows; the second axis gets the same size everywhere."""
    if arrays[0].ndim > 1:
        size = max(one.shape[1] for one in arrays) if most is None else most
        arrays = [_resized(one, size) for one in arrays]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _resized(array: np.ndarray, size: int) -> np.ndarray:
    array = array[:, :size]
    if array.shape[1] == size:
        return array
    fill: Any = b"" if array.dtype == object else 0
    shape = (array.shape[0], size - array.shape[1], *array.shape[2:])
    return np.concatenate([array, np.full(shape, fill, array.dtype)], axis=1)


def _values(array: np.ndarray) -> Any:
    """Returns an array as lists; strings decoded, and float32 with the fewest digits."""
    if array.dtype == object:
        flat: Any = [value.decode("utf-8", "replace") for value in array.ravel()]
    elif array.dtype == np.float32:
        flat = [float(str(value)) for value in array.ravel()]
    else:
        return array.tolist()
    shaped = np.empty(array.size, object)
    shaped[:] = flat
    return shaped.reshape(array.shape).tolist()


def model_status(model: ServedModel, path: Path) -> dict[str, Any]:
    """Returns the status of a model's versions.

    Raises:
        RequestError: There is no such version.
    """
    chosen = sorted(model.versions.values(), key=lambda one: -one.number)
    if path.version is not None:
        chosen = [one for one in chosen if one.number == path.version]
        if not chosen:
            raise RequestError(404, f"Could not find version {path.version} of model {model.name}")
    return {
        "model_version_status": [
            {
                "version": str(one.number),
                "state": one.state,
                "status": {
                    "error_code": "INVALID_ARGUMENT" if one.error else "OK",
                    "error_message": one.error,
                },
            }
            for one in chosen
        ]
    }


def model_metadata(model: ServedModel, version: Version) -> dict[str, Any]:
    """Returns the metadata of a version that is served."""
    assert version.lane
    return {
        "model_spec": {
            "name": model.name,
            "signature_name": "",
            "version": str(version.number),
        },
        "metadata": {"signature_def": {"signature_def": version.lane.about.signatures}},
    }
