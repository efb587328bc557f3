"""The cache folder, hashes, and files and folders that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shlex
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
    "is_pipe",
    "near_path",
    "our_command",
    "sha256_of",
    "sha256_of_files",
    "user_path",
    "whole_directory",
    "whole_file",
    "write_whole",
]


def cache_dir() -> Path:
    """Returns the folder for replaceable files: KERASNLP_LAB_CACHE, or else the user's cache."""
    configured = os.environ.get("KERASNLP_LAB_CACHE")
    if configured:
        return Path(configured).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("kerasnlp_lab"))


def user_path(path: str | os.PathLike[str]) -> Path:
    """Returns a path that a user gave, with a home folder in place of ``~`` or ``~name``.

    A name that is no user's stays: Excel's lock files are called ``~$messages.xlsx``.
    """
    return Path(os.path.expanduser(path))


def is_pipe(path: str | Path) -> bool:
    """Returns whether a path can be read only once: "-", /dev/stdin, /dev/fd/63, or a FIFO."""
    path = Path(path)
    if str(path) in ("-", "/dev/stdin") or str(path.parent) in ("/dev/fd", "/proc/self/fd"):
        return True
    return path.exists() and not path.is_file() and not path.is_dir()


def explain_os_error(error: OSError, path: str | Path) -> StorageError:
    """Turns a failed write into an error that tells the user what to do."""
    advice = {
        errno.ENOSPC: "free some space, or choose another place",
        errno.EDQUOT: "free some of your quota, or choose another place",
        errno.EACCES: "choose a place that you may write to",
        errno.EPERM: "choose a place that you may write to",
        errno.EROFS: "choose a place that you may write to",
        errno.EFBIG: "raise the file-size limit (ulimit -f), or choose another place",
    }.get(error.errno or 0, "choose another place, or fix this one")
    reason = error.strerror or str(error) or type(error).__name__
    return StorageError(f"cannot write {path}: {reason}; {advice}")


MAX_NEIGHBOURS = 10_000  # names to compare with a misspelt one; more would take seconds


def near_path(path: str | Path) -> Path | None:
    """Returns the existing path that is most like a missing one, or None.

    Compares each misspelt part of the path with the names in its folder.

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
                    names = [entry.name for entry in islice(entries, MAX_NEIGHBOURS)]
            except OSError:
                return None
            close = closest(part, names)
            if close is None:
                return None
            part = close
        here /= part
    return here


def did_you_mean_path(path: str | Path) -> str:
    """Returns an ending for an error message that suggests a path, or "" if none is close."""
    near = near_path(path)
    return "" if near is None else f"; did you mean {str(near)!r}?"


def our_command(*words: str | Path) -> str:
    """Returns a command line to suggest, quoted so that it can be pasted into a shell."""
    return shlex.join(["kerasnlp-lab", *map(str, words)])


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Writes a file beside its target and moves it there, so that it appears whole or not at all.

    Args:
        path: The file to write; an existing one is replaced.
        content: Bytes, or text to write as UTF-8.

    Raises:
        StorageError: The file cannot be written. Nothing is left behind, and an
            existing file is unchanged.
    """
    with whole_file(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path to write to. The file becomes ``path`` if the block succeeds.

    If the block fails, the temporary file is removed. Once the file is at ``path``, it also
    survives a loss of power.

    Args:
        path: The file to write; an existing one is replaced.

    Raises:
        StorageError: The file cannot be written.
    """
    path = user_path(path)
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
    """Waits until a file, or the list of names in a folder, is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_new(path: Path, advice: str) -> None:
    """Raises RunError, with the advice, if a path is a file or a folder that is not empty."""
    path = user_path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunError(f"{path} already exists; remove it, or {advice}")


@contextmanager
def whole_directory(path: str | Path) -> Iterator[Path]:
    """Yields an empty temporary folder. It becomes ``path`` if the block succeeds.

    If the block fails, the temporary folder is removed.

    Args:
        path: The folder to make; it must not exist, or must be empty.

    Raises:
        RunError: There is something at ``path`` already.
        StorageError: The folder cannot be written.
    """
    path = user_path(path)
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
        import tensorflow as tf  # its own writes fail with its own errors

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
    """Returns the SHA-256 of every file in a folder, as hex digits by relative path."""
    return {
        file.relative_to(folder).as_posix(): sha256_of(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def check_files(folder: Path, expected: Mapping[str, str], advice: str) -> None:
    """Compares files with the hashes recorded when they were written.

    Args:
        folder: The folder of the files.
        expected: The SHA-256 of each file, as hex digits by relative path.
        advice: What the user should do about a missing or altered file.

    Raises:
        RunError: A file is missing or altered.
    """
    for name, sha256 in expected.items():
        file = folder / name
        if not file.is_file():
            raise RunError(f"{file} is missing; {advice}")
        if sha256_of(file) != sha256:
            raise RunError(f"{file} has been altered since it was written; {advice}")


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file, as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
