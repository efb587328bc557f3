"""Where files go, and how they get there whole."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from kerasnlp_lab.errors import RunError, StorageError, closest, first_line

__all__ = [
    "cache_dir",
    "check_files",
    "check_new",
    "did_you_mean_path",
    "explain_os_error",
    "near_path",
    "sha256_of",
    "sha256_of_files",
    "whole_directory",
    "whole_file",
    "write_whole",
]


def cache_dir() -> Path:
    """Returns the folder for what can be made again: KERASNLP_LAB_CACHE, else the user's cache."""
    configured = os.environ.get("KERASNLP_LAB_CACHE")
    if configured:
        return Path(configured).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("kerasnlp_lab"))


def explain_os_error(error: OSError, path: str | Path) -> StorageError:
    """Returns the error that tells a user what to do about a failed write."""
    advice = {
        errno.ENOSPC: "free some space, or choose another place",
        errno.EDQUOT: "free some of your quota, or choose another place",
        errno.EACCES: "choose a place that you may write to",
        errno.EPERM: "choose a place that you may write to",
        errno.EROFS: "choose a place that you may write to",
        errno.EFBIG: "raise the file-size limit (ulimit -f), or choose another place",
    }.get(error.errno or 0, "choose another place, or mend this one")
    reason = error.strerror or str(error) or type(error).__name__
    return StorageError(f"cannot write {path}: {reason}; {advice}")


MOST_NEIGHBOURS = 10_000  # to look among for a name; more would take seconds


def near_path(path: str | Path) -> Path | None:
    """Returns what a path where nothing is was likeliest meant to be, or None.

    Each part of it that is misspelt is looked for among its neighbours.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Path(folder, "runs", "first").mkdir(parents=True)
        ...     near_path(Path(folder, "run", "frist")).relative_to(folder)
        PosixPath('runs/first')
    """
    path = Path(path)
    here = Path(path.anchor)
    for part in path.parts[len(here.parts) :]:
        if not os.path.lexists(here / part):
            try:
                with os.scandir(here) as entries:
                    names = [entry.name for entry in islice(entries, MOST_NEIGHBOURS)]
            except OSError:
                return None
            close = closest(part, names)
            if close is None:
                return None
            part = close
        here /= part
    return here


def did_you_mean_path(path: str | Path) -> str:
    """Returns what the message that nothing is at a path ends with where one is close, or ""."""
    near = near_path(path)
    return "" if near is None else f"; did you mean {str(near)!r}?"


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Writes a file beside its place and moves it there: it appears whole or not at all.

    Args:
        path: The file; one that is there already is replaced.
        content: Text, written as UTF-8, or bytes.

    Raises:
        StorageError: It cannot be written. Nothing is left behind, and a file
            that was there before is untouched.
    """
    with whole_file(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yields where to write a file that becomes ``path`` if the block ends well, and else vanishes.

    Once it is there, it is there after a loss of power too.

    Args:
        path: The file; one that is there already is replaced.

    Raises:
        StorageError: It cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except StorageError:
        raise
    except OSError as error:
        raise explain_os_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_new(path: Path, advice: str) -> None:
    """Raises RunError, with the advice in it, if there is something at a path, or in its folder."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunError(f"{path} is there already; remove it, or {advice}")


@contextmanager
def whole_directory(path: str | Path) -> Iterator[Path]:
    """Yields an empty folder that becomes ``path`` if the block ends well, and else vanishes.

    Args:
        path: The folder to make; it must not exist, or be empty.

    Raises:
        RunError: There is something at path already.
        StorageError: It cannot be written.
    """
    path = Path(path)
    check_new(path, "choose another folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    except OSError as error:
        raise explain_os_error(error, path) from error
    try:
        yield temporary
        for file in temporary.rglob("*"):
            _sync(file)
        temporary.chmod(0o777 & ~_umask())
        os.replace(temporary, path)
        _sync(path.parent)
    except StorageError:
        raise
    except OSError as error:
        raise explain_os_error(error, path) from error
    except Exception as error:
        import tensorflow as tf  # whose own writes fail with errors of its own

        if isinstance(error, tf.errors.OpError):
            raise StorageError(f"cannot write {path}: {first_line(error)}") from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sha256_of_files(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of every file in a folder, hex digits by relative path."""
    return {
        file.relative_to(folder).as_posix(): sha256_of(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def check_files(folder: Path, expected: Mapping[str, str], advice: str) -> None:
    """Compares files with the hashes that were taken when they were written.

    Raises:
        RunError: A file is missing or altered; the advice says what to do.
    """
    for name, sha256 in expected.items():
        file = folder / name
        if not file.is_file():
            raise RunError(f"{file} is missing; {advice}")
        if sha256_of(file) != sha256:
            raise RunError(f"{file} is altered since it was written; {advice}")


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file, as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
