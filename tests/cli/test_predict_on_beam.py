"""`predict --beam`: the same results as without, on paths and on addresses. Needs Apache Beam."""

import io

import pytest

from tests.cli.command import run
from tests.cli.test_mistakes import assert_mistake
from tests.cli.test_predict_many_files import answered, files  # noqa: F401

beam = pytest.importorskip("apache_beam", reason="apache_beam is not installed: see many-files.md")
from apache_beam.io.filesystem import (  # noqa: E402
    BeamIOError,
    CompressionTypes,
    FileMetadata,
    FileSystem,
)

HERE = "--runner=FnApiRunner"
TWO_PROCESSES = "--direct_num_workers=2 --direct_running_mode=multi_processing"


@pytest.mark.parametrize(
    "options",
    [
        HERE,
        pytest.param(f"{HERE} {TWO_PROCESSES}", marks=pytest.mark.slow, id="two processes"),
    ],
)
def test_the_same_results_as_without_beam(options, exported, files, tmp_path):  # noqa: F811
    words = ("predict", exported, "--file", files, "--output")
    assert run(*words, tmp_path / "one").code == 0
    result = run(*words, tmp_path / "two", "--beam", options)
    assert result.code == 0, result.err
    assert answered(tmp_path / "two") == answered(tmp_path / "one")
    (tmp_path / "two" / "finished" / "table.csv.json").unlink()
    again = run(*words, tmp_path / "two", "--beam", options)
    assert "4 of 5 files are finished already" in again.err
    assert "5 files, 10 rows answered, 3 rejected" in again.out


class Memory(FileSystem):
    """A file system of addresses mem://..., for workers in this process."""

    content: dict[str, bytes] = {}

    @classmethod
    def scheme(cls):
        return "mem"

    def has_dirs(self):
        return False

    def _list(self, place):
        for path, content in self.content.items():
            if path.startswith(place):
                yield FileMetadata(path, len(content))

    def create(self, path, mime_type=None, compression_type=CompressionTypes.AUTO):
        file = io.BytesIO()
        file.close = lambda: self.content.__setitem__(path, file.getvalue())
        return file

    def open(self, path, mime_type=None, compression_type=CompressionTypes.AUTO):
        assert compression_type == CompressionTypes.UNCOMPRESSED
        if path not in self.content:
            raise BeamIOError(f"no {path}")
        return io.BytesIO(self.content[path])

    def exists(self, path):
        return path in self.content

    def _unused(self, *arguments):
        raise NotImplementedError

    join = split = mkdirs = copy = rename = size = last_updated = checksum = metadata = _unused
    delete = _unused


def test_addresses(exported, files, tmp_path):  # noqa: F811
    Memory.content = {
        f"mem://texts/in/{path.relative_to(files).as_posix()}": path.read_bytes()
        for path in files.rglob("*.*")
    }
    words = ("predict", exported, "--file", "mem://texts/in/**", "--output", "mem://texts/out")
    result = run(*words, "--beam", HERE)
    assert result.code == 0, result.err
    assert run("predict", exported, "--file", files, "--output", tmp_path / "one").code == 0
    results = {
        path.removeprefix("mem://texts/out/"): content.decode()
        for path, content in Memory.content.items()
        if path.startswith(("mem://texts/out/answers", "mem://texts/out/rejected"))
    }
    assert results == answered(tmp_path / "one")
    assert "5 of 5 files are finished already" in run(*words, "--beam", HERE).err


@pytest.mark.parametrize(
    "words, message",
    [
        (["--file", "IN", "--output", "mem://out", "--beam", HERE], "both as paths, or both as"),
        (["--file", "no://a/*", "--output", "no://b", "--beam", HERE], "Beam cannot list no://a"),
        (["--file", "IN", "--output", "OUT", "--beam", "--runner=Nobody"], "options of --beam"),
    ],
)
def test_mistakes(words, message, exported, files, tmp_path):  # noqa: F811
    places = {"IN": files, "OUT": tmp_path / "out"}
    result = run("predict", exported, *(places.get(word, word) for word in words))
    lines = [line for line in result.err.splitlines() if line.startswith("kerasnlp-lab:")]
    result.err = f"{lines[-1]}\n" if lines else result.err
    assert_mistake(result, message)
