"""`extract_archive`: unpacks an untrusted .tar or .zip into one folder, and nowhere else."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from kerasnlp_lab.errors import HubError, IntegrityError, first_line
from kerasnlp_lab.paths import explain_os_error

__all__ = ["extract_archive"]

MAX_BYTES = 16 << 30  # the largest module of the family unpacks to under 3 GiB
MAX_FILES = 10_000
MAX_PATH = 1024  # bytes
CHUNK = 1 << 20
_DAMAGE = (zlib.error, lzma.LZMAError, struct.error, ValueError)  # of the readers underneath


def extract_archive(archive: Path, target: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Unpacks an archive into an empty folder; nothing is written outside of it.

    The content of the archive decides whether it is a .tar, .tar.gz or .zip file, not its name.

    Raises:
        IntegrityError: It is cut short or damaged, or it holds something that no module needs: a
            link, a device, an absolute path, "..", two files of one name, more bytes or files
            than a module can have.
        HubError: It is not an archive.
        StorageError: It cannot be written.
    """
    try:
        with archive.open("rb") as file:
            head = file.read(512)
        if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            members = _zip_members(archive)
        elif head[:2] == b"\x1f\x8b" or head[257:262] == b"ustar":
            members = _tar_members(archive, compressed=head[:2] == b"\x1f\x8b")
        else:
            raise HubError(f"{archive.name} is no .tar, .tar.gz or .zip file: {_describe(head)}")
        _write(members, target, max_bytes)
    except NotImplementedError as error:  # an encrypted zip, or a compression of its own
        raise IntegrityError(f"{archive.name}: {error}") from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, *_DAMAGE) as error:
        number = getattr(error, "errno", None)
        if number not in (None, errno.EINVAL):  # the disk's, not the decompressors'
            assert isinstance(error, OSError)
            raise explain_os_error(error, target) from error
        message = f"{archive.name} is cut short or damaged ({first_line(error)})"
        raise IntegrityError(message) from error


Member = tuple[str, bool, int, IO[bytes] | None]  # name, whether a folder, bytes, content


class _Blocks:
    """The file that tarfile reads: remembers the last block, and refuses a header of gigabytes."""

    def __init__(self, file: IO[bytes]):
        self.last = b""
        self._file = file
        self.tell, self.seek, self.seekable = file.tell, file.seek, file.seekable

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= 16 * CHUNK:
            raise IntegrityError(f"the archive has a header of {size} bytes; refused")
        self.last = self._file.read(size)
        return self.last


def _tar_members(archive: Path, *, compressed: bool) -> Iterator[Member]:
    with contextlib.ExitStack() as stack:
        opened: Any = stack.enter_context(gzip.open(archive) if compressed else archive.open("rb"))
        blocks: Any = _Blocks(opened)
        tar = stack.enter_context(tarfile.open(fileobj=blocks, mode="r:"))
        for member in tar:
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE):
                links = (tarfile.SYMTYPE, tarfile.LNKTYPE)
                kind = "a link" if member.type in links else "a device or another special file"
                raise IntegrityError(f"{archive.name} holds {kind}, {member.name!r}; refused")
            yield member.name, member.isdir(), member.size, tar.extractfile(member)
        # A .tar ends with blocks of zeros: without one, it was cut between two files.
        if blocks.last != bytes(tarfile.BLOCKSIZE):
            raise IntegrityError(f"{archive.name} is cut short: it has no end mark")
        for _ in range(MAX_BYTES // CHUNK):  # to the end, where gzip keeps its checksum
            if not opened.read(CHUNK):
                return
        raise IntegrityError(f"{archive.name} unpacks to more than {MAX_BYTES} bytes; refused")


def _zip_members(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as unzipped:
        for member in unzipped.infolist():
            mode = member.external_attr >> 16
            if mode and (mode & 0o170000) not in (0, 0o100000, 0o040000):
                raise IntegrityError(
                    f"{archive.name} holds a link or a special file, {member.filename!r}; refused"
                )
            if member.flag_bits & 1:
                raise IntegrityError(f"{archive.name} is encrypted")
            if member.is_dir():
                yield member.filename, True, 0, None
            else:
                with unzipped.open(member) as content:
                    yield member.filename, False, member.file_size, content


def _write(members: Iterator[Member], target: Path, max_bytes: int) -> None:
    seen: set[str] = set()  # and its folders, named or not
    files: set[str] = set()
    written = 0
    for name, is_folder, size, content in members:
        path = _inside(name)
        if not path.parts:
            continue
        key = str(path).casefold()
        above = {str(folder).casefold() for folder in path.parents}
        if above & files or key in (files if is_folder else seen):
            raise IntegrityError(f"the archive holds {name[:200]!r} twice; refused")
        seen |= {key} | above
        if not is_folder:
            files.add(key)
        if len(seen) > MAX_FILES:
            raise IntegrityError(f"the archive holds more than {MAX_FILES} files; refused")
        if written + size > max_bytes:
            raise IntegrityError(
                f"the archive unpacks to more than {max_bytes} bytes, as no module does; refused"
            )
        place = target.joinpath(*path.parts)
        if is_folder:
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        written += _copy(content or io.BytesIO(), place, size, name)


def _inside(name: str) -> PurePosixPath:
    """Returns a member's path within the target."""
    path = PurePosixPath(name)
    bad = path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name
    if bad or (path.parts and ":" in path.parts[0]):
        raise IntegrityError(f"the archive holds a path outside of it, {name[:200]!r}; refused")
    longest = max((len(os.fsencode(part)) for part in path.parts), default=0)
    if longest > 255 or len(os.fsencode(name)) > MAX_PATH:
        raise IntegrityError(
            f"the archive holds a name too long for a disk, {name[:50]!r}; refused"
        )
    return path


def _copy(content: IO[bytes], place: Path, size: int, name: str) -> int:
    """Writes one file, no byte more than the archive announced."""
    copied = 0
    with place.open("xb") as file:
        while chunk := content.read(CHUNK):
            copied += len(chunk)
            if copied > size:
                raise IntegrityError(f"{name!r} is longer than the archive says; refused")
            file.write(chunk)
    if copied != size:
        raise IntegrityError(f"{name!r} is cut short: {copied} bytes of {size}")
    return copied


def _describe(head: bytes) -> str:
    if head.lstrip()[:1] == b"<":
        return "it looks like a web page"
    return f"it begins with {head[:8]!r}" if head else "it is empty"
