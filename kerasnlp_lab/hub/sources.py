"""`sources_of`: the places that may have a module, in the order in which they are tried."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kerasnlp_lab.bert.checkpoint import is_checkpoint
from kerasnlp_lab.errors import HubError, IntegrityError
from kerasnlp_lab.hub.archives import MAX_BYTES, extract_archive
from kerasnlp_lab.hub.catalogue import HubEncoder, encoders_with
from kerasnlp_lab.hub.download import download
from kerasnlp_lab.hub.handles import TFHUB, Handle, tfhub_cache_dir
from kerasnlp_lab.hub.module_files import is_module, lock
from kerasnlp_lab.hub.modules import holds_both
from kerasnlp_lab.paths import did_you_mean_path, explain_os_error

__all__ = [
    "Report",
    "Source",
    "begun_downloads",
    "download_from_hugging_face",
    "local_source",
    "sources_of",
]

Report = Callable[[str, int, int | None], None]  # what is loaded, bytes so far, bytes in all
KAGGLE_STALL = 60.0  # seconds without a new byte


@dataclass(frozen=True)
class Source:
    """A place that may have a module, or the weights to build it from.

    `fetch` takes an empty folder, and returns the folder within it that holds a SavedModel, a
    checkpoint, or modules that were built together. It raises HubError.
    """

    name: str  # as users know it ("tfhub.dev")
    fetch: Callable[[Path], Path]


def sources_of(handle: Handle, report: Report) -> list[Source]:
    """Returns the places to ask for a module, first to last.

    First tfhub.dev, as tensorflow_hub does; then Kaggle Models, where it moved; then the
    weights from which the module was made: the original release, Hugging Face. A
    preprocessing module is built from the vocabulary of the smallest encoder that uses it.
    KERASNLP_LAB_TFHUB_URL, KERASNLP_LAB_STORAGE_URL and HF_ENDPOINT name mirrors.
    """
    sources = []
    if handle.address.startswith(TFHUB):
        path = handle.address.removeprefix(TFHUB)
        url = f"{_origin('KERASNLP_LAB_TFHUB_URL', TFHUB)}{path}?tf-hub-format=compressed"
        sources.append(Source("tfhub.dev", partial(_fetch_archive, url, report)))
    if handle.kaggle:
        sources.append(Source("Kaggle Models", partial(_fetch_from_kaggle, handle.kaggle)))
    weights = _weights_of(handle.entry)
    if weights and weights.release:
        storage = _origin("KERASNLP_LAB_STORAGE_URL", "https://storage.googleapis.com")
        fetch = partial(_fetch_archive, f"{storage}/{weights.release}", report)
        sources.append(Source("the original release", fetch))
    if weights and weights.huggingface:
        fetch = partial(download_from_hugging_face, weights.huggingface, report)
        sources.append(Source("Hugging Face", fetch))
    return sources


def local_source(path: Path) -> Source:
    """Returns the user's own file or folder as a place; raises HubError if it is not there."""
    if not path.exists():
        close = did_you_mean_path(path)
        raise HubError(f"there is nothing at {path}{close}; expected an archive or a folder")

    def fetch(scratch: Path) -> Path:
        if path.is_dir():
            return _root(path)
        extract_archive(path, scratch)
        return _root(scratch, path.name)

    return Source(str(path), fetch)


def _origin(variable: str, default: str) -> str:
    return (os.environ.get(variable) or default).rstrip("/")


def _weights_of(entry: HubEncoder | None) -> HubEncoder | None:
    if entry is None or entry.architecture != "preprocess":
        return entry
    served = [encoder for encoder in encoders_with(entry) if encoder.release]
    return min(served, key=lambda e: e.parameters or 0, default=None)


def _fetch_archive(url: str, report: Report, scratch: Path) -> Path:
    """Fetches an archive, resuming an earlier download, and unpacks it."""
    archive = _download_place(url)
    with lock(archive):  # an encoder and its preprocessing may share a release
        download(url, archive, report=partial(report, url))
        try:
            extract_archive(archive, scratch)
        except HubError as error:
            message = str(error).replace(archive.name, "the archive")
            archive.unlink(missing_ok=True)
            raise type(error)(f"{message} from {url}") from error
        archive.unlink(missing_ok=True)
    return _root(scratch, f"the archive from {url}")


def begun_downloads() -> list[Path]:
    """Returns the partial files from which interrupted downloads resume."""
    return sorted(_downloads().glob("*.part"))


def _downloads() -> Path:
    return tfhub_cache_dir() / ".downloads"


def _download_place(url: str) -> Path:
    """Returns where a partial download is kept, so that any process can resume it."""
    downloads = _downloads()
    try:
        downloads.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain_os_error(error, downloads) from error
    return downloads / hashlib.sha1(url.encode("utf-8")).hexdigest()


def _root(folder: Path, name: str = "") -> Path:
    """Returns the folder, or the one within it, that holds a module or a checkpoint."""
    name = name or str(folder)  # for messages
    while not (is_module(folder) or is_checkpoint(folder) or holds_both(folder)):
        inside = [path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX"))]
        if len(inside) != 1 or not inside[0].is_dir():
            raise HubError(
                f"{name} holds neither a SavedModel (saved_model.pb) nor a BERT's weights "
                "(config.json or bert_config.json)"
            )
        folder = inside[0]
    return folder


def download_from_hugging_face(repository: str, report: Report, folder: Path) -> Path:
    """Fetches a BERT's config, vocabulary and weights, never a pickle, and returns the folder.

    Raises HubError if one of them cannot be fetched.
    """
    base = f"{_origin('HF_ENDPOINT', 'https://huggingface.co')}/{repository}/resolve/main"
    for name in ("config.json", "vocab.txt", "tokenizer_config.json", "model.safetensors"):
        try:
            url = f"{base}/{name}"
            part = _download_place(url)
            with lock(part):
                download(url, part, report=partial(report, url))
                shutil.move(part, folder / name)
        except HubError as error:
            if name == "tokenizer_config.json" and str(error).startswith("404"):
                continue  # a part that not everybody publishes
            if name == "model.safetensors" and str(error).startswith("404"):
                message = f"{repository} has no model.safetensors, and no pickle is read"
                raise HubError(message) from error
            raise
    return folder


def _fetch_from_kaggle(handle: str, scratch: Path) -> Path:
    """Lets the kagglehub package fetch a model, in a process that can be ended if it stalls."""
    target = scratch / "kaggle"
    target.mkdir()
    quiet = {"KAGGLEHUB_VERBOSITY": "error", "TQDM_DISABLE": "1"}
    log_file, out_file = scratch / "kaggle.log", scratch / "kaggle.out"
    with log_file.open("w") as log, out_file.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"{__package__}.kaggle_process", handle, str(target)],
            stdout=out,
            stderr=log,
            env={**os.environ, **quiet, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        try:
            _wait(process, target)
        finally:
            process.kill()  # if it has not ended
            process.wait()
    lines, said = (file.read_text().strip().splitlines() for file in (log_file, out_file))
    if process.returncode:
        raise HubError(lines[-1] if lines else f"kagglehub ended with status {process.returncode}")
    shutil.rmtree(target / ".complete", ignore_errors=True)  # kagglehub's own mark
    if any(path.is_symlink() for path in target.rglob("*")):
        raise IntegrityError(f"{handle} holds a link; refused")
    # In Colab and Kaggle's own notebooks it is another folder than the one asked for.
    return _root(Path(said[-1]) if said and not any(target.iterdir()) else target, handle)


def _wait(process: subprocess.Popen[Any], folder: Path) -> None:
    size, moved = -1, time.monotonic()
    while process.poll() is None:
        time.sleep(0.1)
        now = sum(map(_size, folder.rglob("*")))
        if now > MAX_BYTES:
            raise IntegrityError(f"got more than {MAX_BYTES} bytes, too many for a module; refused")
        if now != size:
            size, moved = now, time.monotonic()
        elif time.monotonic() - moved > KAGGLE_STALL:
            raise HubError(f"nothing arrived for {KAGGLE_STALL:.0f} seconds")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # moved meanwhile
        return 0
