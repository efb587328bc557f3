"""`read_object`: reads a request's body as a JSON object, or says what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

from kerasnlp_lab.serving.errors import RequestError

__all__ = ["quoted", "read_object"]

QUOTED = 256  # characters of a value in an error message


def read_object(body: bytes, prefix: str = "") -> dict[str, Any]:
    """Returns a JSON object, all of whose strings are valid Unicode.

    Args:
        body: A request's body.
        prefix: What error messages begin with.

    Raises:
        RequestError: The body is none.
    """
    advice = 'Send a JSON object in UTF-8, such as {"texts": ["A text."]}.'
    if not body.strip():
        raise RequestError(400, f"{prefix}The document is empty", advice)
    try:
        text = body.decode("utf-8-sig")
        given = json.loads(text)
    except UnicodeDecodeError as error:
        reason = f"the byte at offset {error.start} is not UTF-8"
        raise RequestError(400, prefix + reason, advice) from None
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise RequestError(400, prefix + reason, advice) from None
    except RecursionError:
        raise RequestError(400, f"{prefix}the JSON is nested too deeply", advice) from None
    except ValueError as error:  # a number of more digits than Python reads
        raise RequestError(400, prefix + str(error).split(";")[0], advice) from None
    if not isinstance(given, dict):
        raise RequestError(400, f"{prefix}expected a JSON object, got {quoted(given)}", advice)
    # Only an escape can bring half of a surrogate pair, which no text has.
    if "\\ud" in text.lower():
        try:
            json.dumps(given, ensure_ascii=False).encode()
        except RecursionError:
            raise RequestError(400, f"{prefix}the JSON is nested too deeply", advice) from None
        except UnicodeEncodeError:
            reason = "a string has half of a surrogate pair, such as \\ud83d alone"
            raise RequestError(400, prefix + reason, "Escape both halves, or send UTF-8.") from None
    return given


def quoted(value: Any) -> str:
    """Returns the beginning of a value as JSON, for an error message."""
    try:
        return json.dumps(value)[:QUOTED]
    except RecursionError:
        return f"a deeply nested {type(value).__name__}"
