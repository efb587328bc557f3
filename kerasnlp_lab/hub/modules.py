"""`HubModules`: a preprocessing module and its encoder, and folders that hold both."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kerasnlp_lab.hub.module_files import is_module, lock, remove_leftovers
from kerasnlp_lab.paths import whole_directory

__all__ = ["HubModules", "build_once", "holds_both", "modules_in"]


@dataclass(frozen=True)
class HubModules:
    """A preprocessing module and the encoder that was trained with it, each a handle."""

    preprocess: str
    encoder: str


def modules_in(folder: Path) -> HubModules:
    """Returns the two modules of a folder, as ``hub build`` writes it."""
    return HubModules(str(folder / "preprocess"), str(folder / "encoder"))


def holds_both(folder: Path) -> bool:
    """Returns whether a folder has both modules."""
    return is_module(folder / "encoder") and is_module(folder / "preprocess")


def build_once(folder: Path, build: Callable[[Path], None]) -> HubModules:
    """Returns a folder's modules, built if need be; processes wait for each other."""
    if not holds_both(folder):
        with lock(folder):
            if not holds_both(folder):  # else another process was faster
                remove_leftovers(folder)
                shutil.rmtree(folder, ignore_errors=True)  # half of it would be in the way
                with whole_directory(folder) as target:
                    build(target)
    return modules_in(folder)
