"""`download`: fetches a file over HTTP, whole or not at all, and resumes after a cut."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import requests

from kerasnlp_lab.errors import HubError, first_line
from kerasnlp_lab.paths import explain_os_error

__all__ = ["download"]

CONNECT_TIMEOUT = 10.0  # seconds
STALL_TIMEOUT = 30.0  # seconds without a byte
ATTEMPTS = 4  # in a row that fetch nothing
CHUNK = 1 << 16  # bytes; a cut loses no more than this
_WORTH_ANOTHER_TRY = (408, 429, 500, 502, 503, 504)
_LASTING = (requests.ConnectTimeout, requests.TooManyRedirects, requests.exceptions.InvalidURL)
_NOBODY_THERE = ("NewConnectionError", "NameResolutionError")  # urllib3's, quoted by requests


def download(
    url: str,
    path: Path,
    *,
    stall_timeout: float = STALL_TIMEOUT,
    pause: float = 1.0,
    report: Callable[[int, int | None], None] = lambda done, total: None,
) -> None:
    """Fetches a file from an address; redirects are followed.

    The part that has arrived stays beside the path with its ETag. A transfer that stalled, was cut
    or was killed resumes from there. If the server has another file by then, it starts again. The
    next byte may take `stall_timeout` seconds. Another try is `pause` seconds later, twice as long
    each time. `report` is called with the bytes so far and the bytes in all.

    Raises:
        HubError: It cannot be fetched; the message quotes the server.
        StorageError: It cannot be written.
    """
    part = path.with_name(path.name + ".part")
    failures = restarts = 0
    while True:
        before = _size(part)
        try:
            _transfer(url, part, stall_timeout, report)
            os.replace(part, path)
            _tag_file(part).unlink(missing_ok=True)
            return
        except requests.RequestException as error:
            failures = 0 if _size(part) > before else failures + 1
            restarts += _size(part) < before
            if _is_lasting(error) or max(failures, restarts) >= ATTEMPTS:
                raise HubError(f"{_reason(error)} from {url}") from error
            time.sleep(pause * 2 ** max(failures - 1, 0))
        except OSError as error:
            raise explain_os_error(error, path) from error


def _is_lasting(error: requests.RequestException) -> bool:
    """Returns whether another try would fail too: there is no such file, or nobody is there."""
    if error.response is not None and error.response.status_code not in _WORTH_ANOTHER_TRY:
        return True
    return isinstance(error, _LASTING) or any(name in repr(error) for name in _NOBODY_THERE)


def _transfer(
    url: str, part: Path, stall_timeout: float, report: Callable[[int, int | None], None]
) -> None:
    """Fetches the missing part of a file, and appends it."""
    have, tag = _size(part), _tag(part)
    headers = {"Accept-Encoding": "identity", "User-Agent": "kerasnlp_lab"}
    if have and tag:
        headers |= {"Range": f"bytes={have}-", "If-Range": tag}
    timeouts = (CONNECT_TIMEOUT, stall_timeout)
    with requests.get(url, headers=headers, stream=True, timeout=timeouts) as response:
        if response.status_code == 416 and have:  # there is no more than what is here
            _discard(part)
            raise requests.ConnectionError("the partial file did not fit")
        response.raise_for_status()
        if "html" in response.headers.get("Content-Type", ""):
            raise HubError(
                f"a web page in place of a file from {response.url}: a login, a notice, or a page "
                "for people"
            )
        resumes = response.status_code == 206
        if resumes and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            _discard(part)
            raise requests.ConnectionError("the server sent another part than the missing one")
        if not resumes:
            _discard(part)
            have = 0
        new_tag = response.headers.get("ETag", "")
        if new_tag and not new_tag.startswith("W/"):
            _tag_file(part).write_text(json.dumps(new_tag))
        length = response.headers.get("Content-Length")
        total = have + int(length) if length is not None else None
        with part.open("ab" if resumes else "wb") as file:
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                have += len(chunk)
                report(have, total)
        if total is not None and have != total:
            if have > total:
                _discard(part)
            raise requests.ConnectionError(f"got {have} of {total} bytes")


def _reason(error: requests.RequestException) -> str:
    if error.response is not None and error.response.status_code >= 400:
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.TooManyRedirects):
        return "redirected in a circle"
    if isinstance(error, requests.ConnectTimeout):
        return "no connection"
    if isinstance(error, requests.ReadTimeout) or "Read timed out" in str(error):
        return "the transfer stalled"
    found = re.search(
        r"Failed to resolve '[^']+'|Connection refused|Tunnel connection[^')]+", str(error)
    )
    return f"no connection ({found[0]})" if found else first_line(error)


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag_file(part).unlink(missing_ok=True)


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _tag_file(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _tag(part: Path) -> str:
    try:
        return str(json.loads(_tag_file(part).read_text()))
    except (OSError, ValueError):
        return ""
