"""Archives are unpacked completely into their folder, or refused, and never write elsewhere."""

import gzip
import io
import tarfile
import time
import zipfile
from random import Random

import pytest

from kerasnlp_lab.errors import HubError, IntegrityError, StorageError
from kerasnlp_lab.hub import archives
from kerasnlp_lab.hub.archives import extract_archive
from tests.hub import hostile
from tests.hub.hostile import GOOD, named, tar_of, zip_of
from tests.limits import file_size_limit

PACKERS = {"tar": tar_of, "tar.gz": lambda *m: gzip.compress(tar_of(*m)), "zip": zip_of}


@pytest.fixture
def unpack(tmp_path):
    """Unpacks bytes and returns the files by name. Fails if anything else was written."""
    outside = tmp_path / "outside"
    target = outside / "cache" / "target"
    target.mkdir(parents=True)

    def unpack_it(content, name="module.archive", **options):
        archive = outside / name
        archive.write_bytes(content)
        before = listing(outside, target)
        try:
            extract_archive(archive, target, **options)
        finally:
            assert listing(outside, target) == before
            assert not any(path.is_symlink() for path in target.rglob("*"))
        return files_in(target)

    unpack_it.outside = outside
    unpack_it.target = target
    return unpack_it


def listing(folder, without):
    """Returns all files with size and time of change, except in one folder."""
    return {
        path: (path.lstat().st_mode, path.lstat().st_size, path.lstat().st_nlink)
        for path in folder.rglob("*")
        if not path.is_relative_to(without)
    }


def files_in(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_an_archive_is_unpacked_whatever_its_name_is(unpack, pack):
    assert unpack(pack(*GOOD.items())) == GOOD


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tars_of_every_writer(unpack, format):
    name = "folder/" * 20 + "naïve.txt"  # over 100 characters, where tar formats differ
    folder = tarfile.TarInfo("./empty")
    folder.type = tarfile.DIRTYPE
    assert unpack(tar_of((folder, b""), ("./" + name, b"a"), format=format)) == {name: b"a"}
    assert (unpack.target / "empty").is_dir()


@pytest.mark.parametrize("names", hostile.BAD_NAMES.values(), ids=hostile.BAD_NAMES)
@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
@pytest.mark.filterwarnings("ignore:Duplicate name")  # zipfile warns when it writes the zip
def test_a_name_that_no_module_has_is_refused(unpack, pack, names):
    with pytest.raises(IntegrityError, match="refused"):
        unpack(named(pack, names, unpack.outside))


@pytest.mark.parametrize("content", hostile.HOSTILE_TARS.values(), ids=hostile.HOSTILE_TARS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["tar", "tar.gz"])
def test_a_hostile_tar_is_refused_at_once(unpack, pack, content):
    started = time.monotonic()
    with pytest.raises(IntegrityError):
        unpack(pack(content))
    assert time.monotonic() - started < 2
    assert sum(map(len, files_in(unpack.target).values())) < 10_000


@pytest.mark.parametrize("content", hostile.HOSTILE_ZIPS.values(), ids=hostile.HOSTILE_ZIPS)
def test_a_zip_with_what_is_no_file_is_refused(unpack, content):
    with pytest.raises(IntegrityError, match="holds a link or a special file, 'member'; refused"):
        unpack(content)


@pytest.mark.parametrize(
    "kind, message",
    [("symbolic link", "holds a link, 'link'"), ("block device", "holds a device .*, 'device'")],
)
def test_the_message_names_what_was_found(unpack, kind, message):
    with pytest.raises(IntegrityError, match=message):
        unpack(hostile.HOSTILE_TARS[f"a {kind}"], name="module.tar")


def test_an_encrypted_zip(unpack):
    with pytest.raises(IntegrityError, match="module.archive is encrypted"):
        unpack(hostile.encrypted_zip())


@pytest.mark.parametrize(
    "bomb",
    [hostile.gzip_bomb(64 << 20), zip_of(("zeros", bytes(64 << 20)))],
    ids=["tar.gz", "zip"],
)
def test_a_bomb_goes_off_nowhere(unpack, bomb):
    assert len(bomb) < 1 << 20
    with pytest.raises(IntegrityError, match="unpacks to more than 1048576 bytes"):
        unpack(bomb, max_bytes=1 << 20)
    assert files_in(unpack.target) == {}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_many_files_are_counted_together(unpack, pack):
    members = [(f"file {i}", bytes(300_000)) for i in range(5)]
    with pytest.raises(IntegrityError, match="unpacks to more than 1048576 bytes"):
        unpack(pack(*members), max_bytes=1 << 20)
    assert sum(map(len, files_in(unpack.target).values())) <= 1 << 20


def test_a_bomb_behind_the_end_mark(unpack, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 4 << 20)
    with pytest.raises(IntegrityError, match="unpacks to more than 4194304 bytes"):
        unpack(gzip.compress(tar_of(*GOOD.items()) + bytes(32 << 20)))


def test_a_zip_that_lies_about_its_size(unpack):
    with pytest.raises(IntegrityError):
        unpack(hostile.zip_that_lies(4 << 20, claimed=1000))
    assert sum(map(len, files_in(unpack.target).values())) <= 1000


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_more_files_than_a_module_can_have(unpack, pack, monkeypatch):
    monkeypatch.setattr(archives, "MAX_FILES", 50)
    with pytest.raises(IntegrityError, match="more than 50 files"):
        unpack(pack(*((f"{i}/file", b"") for i in range(51))))


def test_a_tar_cut_anywhere_is_not_taken_for_whole(unpack):
    content = tar_of(*GOOD.items())
    end = content.rstrip(b"\0").rfind(b"ustar") + 255  # after the last header, whose file is empty
    heads = [i for i in range(0, end + 1, 512)]
    for at in sorted({*heads, *(i + 1 for i in heads), *(i + 300 for i in heads), 3, end - 1}):
        for cut in (content[:at], gzip.compress(content[:at], mtime=0)):
            with pytest.raises(HubError):
                unpack(cut)
            empty(unpack.target)


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_compressed_archive_cut_anywhere_is_said_to_be_cut(unpack, kind):
    content = PACKERS[kind](*GOOD.items())
    for at in {*range(20, len(content), 37), *range(len(content) - 9, len(content))}:
        with pytest.raises(IntegrityError, match="is cut short or damaged"):
            unpack(content[:at])
        empty(unpack.target)


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_one_altered_bit_is_found_or_does_not_matter(unpack, kind):
    content = PACKERS[kind](*GOOD.items())
    found = 0
    for bit in Random(0).sample(range(8 * len(content)), 300):
        altered = bytearray(content)
        altered[bit // 8] ^= 1 << bit % 8
        try:
            came = unpack(bytes(altered))
            # A zip's directory has no checksum. Damage can lose a file, which the module's own
            # check notices, but cannot alter one.
            assert came == GOOD if kind == "tar.gz" else came.items() <= GOOD.items()
        except HubError as error:
            assert "\n" not in str(error)
            found += 1
        empty(unpack.target)
    assert found > 100


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "it is empty"),
        (b" \n<!doctype html>", "it looks like a web page"),
        (b"hello, world", "it begins with b'hello, w'"),
    ],
)
def test_what_is_no_archive(unpack, content, message):
    with pytest.raises(
        HubError, match=f"module.tar.gz is no .tar, .tar.gz or .zip file: {message}"
    ):
        unpack(content, name="module.tar.gz")


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_a_full_disk_is_no_damaged_archive(unpack, pack):
    content = pack(("a", bytes(200_000)))
    with pytest.raises(StorageError, match="cannot write .*target.*File too large"):
        (unpack.outside / "module").write_bytes(content)
        with file_size_limit(100_000):
            extract_archive(unpack.outside / "module", unpack.target)


def empty(folder):
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def test_a_damaged_zip_of_another_compression(unpack, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("saved_model.pb", bytes(range(256)) * 40)
    content = bytearray(buffer.getvalue())
    middle = len(content) // 3
    content[middle : middle + 20] = b"\xff" * 20
    with pytest.raises(IntegrityError, match="damaged"):
        unpack(bytes(content))


def test_a_zip_with_a_name_that_is_no_utf8(unpack):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("m\u00fcller.pb", b"x")
    with pytest.raises(IntegrityError, match="damaged"):
        unpack(buffer.getvalue().replace("\u00fc".encode(), b"\xff\xff"))
