"""`ServedModel`: loads the versions of a model, and lets the newest answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kerasnlp_lab.errors import OptionError, RunError
from kerasnlp_lab.paths import did_you_mean_path, our_command, user_path
from kerasnlp_lab.serving.lane import Lane
from kerasnlp_lab.serving.log import log_event
from kerasnlp_lab.serving.metrics import Metrics
from kerasnlp_lab.serving.settings import Settings

__all__ = ["ServedModel", "Version", "read_models"]

POLL_SECONDS = 1.0
KEPT_ENDED = 20  # versions that are no longer served, in the status

State = Literal["START", "LOADING", "AVAILABLE", "UNLOADING", "END"]


@dataclass
class Version:
    """A version of a model.

    Args:
        number: Its number; larger is newer.
        folder: The export.
        state: TensorFlow Serving's name of its state.
        error: Why it was refused; "" if it was not.
        files: The names, sizes and times of its files when it was loaded.
        lane: What computes its answers, while it is loaded.
    """

    number: int
    folder: Path
    state: State = "START"
    error: str = ""
    files: frozenset[tuple[str, int, int]] = frozenset()
    lane: Lane | None = None


class ServedModel:
    """A model that is served under a name.

    Args:
        name: The name.
        folder: An export, or a folder whose numbered folders are exports.
        settings: Limits and sizes.
        metrics: What is counted.

    Attributes:
        current: The version that answers; None before the first is loaded.
        versions: All versions by number.
    """

    def __init__(self, name: str, folder: Path, settings: Settings, metrics: Metrics):
        self.name, self.folder = name, folder
        self.settings, self.metrics = settings, metrics
        self.watched = not (folder / "saved_model.pb").is_file()
        self.current: Version | None = None
        self.versions: dict[int, Version] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._seen: dict[int, frozenset[tuple[str, int, int]]] = {}

    @property
    def ready(self) -> bool:
        """Whether the model answers."""
        return bool(self.current and self.current.lane and self.current.lane.ready)

    async def load(self) -> None:
        """Loads the newest version that is not broken.

        Raises:
            RunError: There is none.
        """
        for number, folder in sorted(self._on_disk().items(), reverse=True):
            if await self._load(Version(number, folder, files=_files(folder))):
                return
        reasons = "; ".join(one.error for one in self.versions.values())
        raise RunError(reasons or f"{self.folder} has no version that could be served")

    async def watch(self) -> None:
        """Looks for new versions for ever, and lets the newest answer.

        A version is loaded when its files have not changed between two looks. One that was refused
        is tried again when its files change. An older version answers again if the newer ones are
        removed.
        """
        while self.watched:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._look()
            except Exception as error:  # such as a folder that cannot be read for a moment
                log_event("folder not read", level="error", model=self.name, reason=repr(error))

    async def stop(self) -> None:
        """Answers everything that was accepted, and ends all processes."""
        if self.current and self.current.lane:
            await self.current.lane.stop()
        await asyncio.gather(*self._leaving)

    def find(self, number: int | None) -> Version | None:
        """Returns a version that answers, by its number, or the newest for None."""
        return self.current if number in (None, self.current and self.current.number) else None

    def _on_disk(self) -> dict[int, Path]:
        if not self.watched:
            return {1: self.folder}
        return {
            int(one.name): one
            for one in self.folder.iterdir()
            if one.name.isascii() and one.name.isdigit() and one.is_dir()
        }

    async def _look(self) -> None:
        found = self._on_disk()
        files = {number: _files(folder) for number, folder in found.items()}
        for number in sorted(found, reverse=True):
            if self.current and number == self.current.number:
                break
            known = self.versions.get(number)
            settled = files[number] == self._seen.get(number)
            refused = known and known.error and known.files == files[number]
            if settled and not refused:
                if await self._load(Version(number, found[number], files=files[number])):
                    break
        self._seen = files

    async def _load(self, version: Version) -> bool:
        """Loads a version and lets it answer; returns False if it is broken."""
        number = version.number
        self.versions[number] = version
        version.state = "LOADING"
        log_event("loading", model=self.name, version=number, folder=version.folder)
        try:
            version.lane = await Lane.open(
                self.name, number, version.folder, self.settings, self.metrics
            )
        except Exception as error:  # also what nobody foresaw must leave the old version in place
            version.state, version.error = "END", str(error) or repr(error)
            log_event(
                "refused", level="error", model=self.name, version=number, reason=version.error
            )
            return False
        version.state = "AVAILABLE"
        before, self.current = self.current, version
        self.metrics.version.labels(self.name).set(number)
        log_event("serving", model=self.name, version=number, task=version.lane.about.task)
        if before:
            task = asyncio.create_task(self._unload(before))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
        return True

    async def _unload(self, version: Version) -> None:
        assert version.lane
        version.state = "UNLOADING"
        await version.lane.stop()
        version.state, version.lane = "END", None
        log_event("unloaded", model=self.name, version=version.number)
        ended = [number for number, one in self.versions.items() if one.state == "END"]
        for number in ended[:-KEPT_ENDED]:
            del self.versions[number]


def read_models(given: list[str], settings: Settings, metrics: Metrics) -> dict[str, ServedModel]:
    """Returns the models that the command line names, by name.

    Args:
        given: For each a folder, or NAME=FOLDER.
        settings: Limits and sizes.
        metrics: What is counted.

    Raises:
        OptionError: Two have the same name, or a name has a slash or a colon.
        RunError: A folder is no export and has no numbered exports.
    """
    models: dict[str, ServedModel] = {}
    for one in given:
        name, equals, path = one.partition("=")
        if not equals or user_path(one).exists():
            name, path = user_path(one).resolve().name, one
        folder = user_path(path)
        _check_folder(folder)
        if not name or set(name) & set("/:"):
            raise OptionError(
                f"{name!r} cannot be a model's name: it must have a character, and no slash or "
                f"colon; name it: NAME={path}"
            )
        if name in models:
            raise OptionError(f"two models are called {name}: name one of them: NAME={path}")
        models[name] = ServedModel(name, folder, settings, metrics)
    return models


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise RunError(f"there is no folder {folder}{did_you_mean_path(folder)}")
    if (folder / "saved_model.pb").is_file():
        return
    if (folder / "config.json").is_file():
        command = our_command("export", folder, "--to", "exported")
        raise RunError(f"{folder} is a run directory; export it first: {command}")
    if not any(one.name.isdigit() and one.is_dir() for one in folder.iterdir()):
        raise RunError(
            f"{folder} is neither an exported model (saved_model.pb) nor a folder of versions, "
            "which are exported models in folders named 1, 2 and so on"
        )


def _files(folder: Path) -> frozenset[tuple[str, int, int]]:
    """Returns the names, sizes and times of all files."""
    found = []
    for path in folder.rglob("*"):
        try:
            known = path.stat()
        except OSError:  # it was just removed
            continue
        found.append((str(path.relative_to(folder)), known.st_size, known.st_mtime_ns))
    return frozenset(found)
