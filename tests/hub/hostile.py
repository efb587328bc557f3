"""Hostile archives, written by hand. Each is bad in one way."""

import gzip
import io
import stat
import tarfile
import zipfile

GOOD = {"saved_model.pb": b"graph" * 300, "variables/variables.index": b"i", "assets/a.txt": b""}
TIB = 1 << 40


def tar_of(*members, format=tarfile.PAX_FORMAT):
    """Returns a .tar of pairs (name or TarInfo, content)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as tar:
        for member, content in members:
            if isinstance(member, str):
                member = tarfile.TarInfo(member)
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def zip_of(*members):
    """Returns a .zip of pairs (name or ZipInfo, content)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return buffer.getvalue()


def special(name, kind, link=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def claiming(name, size, kind=tarfile.REGTYPE):
    """Returns a tar header that claims a size, without the bytes."""
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def pax(headers):
    """Returns a file whose size and name are in a PAX header, which tarfile does not check."""
    member = tarfile.TarInfo("a")
    member.pax_headers = headers
    return member.tobuf(tarfile.PAX_FORMAT) + bytes(1024)


def zip_special(name, mode):
    member = zipfile.ZipInfo(name)
    member.external_attr = mode << 16
    return member


# The bad names in each archive. "{}" stands for a folder outside.
BAD_NAMES = {
    "an absolute path": ["{}/escaped"],
    "dots": ["../escaped"],
    "dots further in": ["a/b/../../../escaped"],
    "dots that stay inside": ["a/../b"],
    "backslashes": ["..\\escaped"],
    "a drive": ["C:escaped"],
    "a name twice": ["a", "b", "a"],
    "a name twice, spelled otherwise": ["a/b", "./a//b"],
    "a name twice on a disk without case": ["Vocab.txt", "vocab.TXT"],
    "a file that is a folder as well": ["a", "a/b"],
    "a folder that is a file as well": ["a/b", "a"],
    "a name that no disk takes": ["a" * 300],
    "a path that no disk takes": ["a/" * 3000 + "b"],
}
SPECIAL = {
    "a symbolic link": special("link", tarfile.SYMTYPE, "/etc/passwd"),
    "a symbolic link inside": special("link", tarfile.SYMTYPE, "saved_model.pb"),
    "a hard link": special("link", tarfile.LNKTYPE, "/etc/passwd"),
    "a hard link inside": special("link", tarfile.LNKTYPE, "saved_model.pb"),
    "a character device": special("device", tarfile.CHRTYPE),
    "a block device": special("device", tarfile.BLKTYPE),
    "a pipe": special("pipe", tarfile.FIFOTYPE),
    "a sparse file": special("sparse", tarfile.GNUTYPE_SPARSE),
}
HOSTILE_TARS = {
    **{what: tar_of(*GOOD.items(), (member, b"")) for what, member in SPECIAL.items()},
    "a file behind a link": tar_of((special("a", tarfile.SYMTYPE, "{}"), b""), ("a/escaped", b"")),
    "a terabyte announced": claiming("a", TIB),
    "a pax header of a terabyte": claiming("a", TIB, tarfile.XHDTYPE),
    "a long name of a terabyte": claiming("a", TIB, tarfile.GNUTYPE_LONGNAME),
    "a negative size": pax({"size": "-512"}),
    "a sparse file of a terabyte": pax(
        {"GNU.sparse.major": "0", "GNU.sparse.map": "0,0", "GNU.sparse.realsize": str(TIB)}
    ),
}
HOSTILE_ZIPS = {
    what: zip_of(*GOOD.items(), (zip_special("member", mode), b"/etc/passwd"))
    for what, mode in {
        "a symbolic link": stat.S_IFLNK | 0o777,
        "a character device": stat.S_IFCHR | 0o600,
        "a block device": stat.S_IFBLK | 0o600,
        "a pipe": stat.S_IFIFO | 0o600,
        "a socket": stat.S_IFSOCK | 0o600,
    }.items()
}


def named(pack, names, outside):
    """Returns an archive with badly named files after good ones."""
    return pack(*GOOD.items(), *((name.format(outside), b"evil") for name in names))


def gzip_bomb(size):
    """Returns a .tar.gz that unpacks to a thousand times its size, with correct headers."""
    member = tarfile.TarInfo("zeros")
    member.size = size
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as packed:
        packed.write(member.tobuf())
        for _ in range(size >> 20):
            packed.write(bytes(1 << 20))
    return buffer.getvalue()


def zip_that_lies(size, claimed):
    """Returns a .zip whose directory claims fewer bytes than its file unpacks to."""
    content = bytearray(zip_of(("zeros", bytes(size))))
    for offset in (content.find(b"PK\x01\x02") + 24, 22):  # in the directory, and before the file
        content[offset : offset + 4] = claimed.to_bytes(4, "little")
    return bytes(content)


def encrypted_zip():
    content = bytearray(zip_of(("a", b"secret")))
    for offset in (content.find(b"PK\x01\x02") + 8, 6):
        content[offset] |= 1
    return bytes(content)
