"""`hub verify` finds cut, altered, missing and foreign files, and does not run them."""

import json
import re
import shutil

import numpy as np
import pytest

from kerasnlp_lab.hub import verify_modules
from kerasnlp_lab.hub.verify import cached_modules
from tests.hub.installed import ENCODER, MANIFEST, place_of


def test_nothing_is_cached(hub_environment):
    assert verify_modules() == []


def test_one_altered_byte_in_any_file_is_found(installed):
    encoder, preprocess = installed
    shutil.rmtree(preprocess)
    files = [path for path in encoder.rglob("*") if path.is_file() and path.name != "vocab.txt"]
    names = {path.relative_to(encoder).as_posix() for path in files}
    assert {"saved_model.pb", "fingerprint.pb", "variables/variables.index"} < names
    for path in [*files, encoder / "assets" / "vocab.txt"]:
        good = path.read_bytes()
        altered = bytearray(good)
        # In the manifest within a hash, elsewhere in the middle.
        at = good.index(b'"sha256"') + 80 if path.name in MANIFEST else len(good) // 2
        altered[at] ^= 1
        path.write_bytes(altered)
        (one,) = verify_modules()
        path.write_bytes(good)
        assert (one.whole, one.works, one.answer) == (False, False, ""), path
        assert f"{encoder}/" in one.problem
        if path.name not in MANIFEST:
            assert f"{path} has been altered since it was written" in one.problem
        assert one.handle == ENCODER


def test_a_file_that_is_lost_is_named(installed):
    encoder, preprocess = installed
    shutil.rmtree(encoder)
    for path in [path for path in preprocess.rglob("*") if path.is_file()]:
        if path.name in MANIFEST:
            continue
        kept = path.rename(preprocess.parent / "kept")
        (one,) = verify_modules()
        kept.rename(path)
        assert not one.whole and not one.works
        assert path.name in one.problem


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize("left", [0, 0.5, -1], ids=["emptied", "cut in half", "one byte short"])
@pytest.mark.parametrize(
    "name, message",
    [
        ("variables/variables.data-00000-of-00001", "variables is cut short or damaged"),
        ("variables/variables.index", "variables is cut short or damaged"),
        ("saved_model.pb", "saved_model.pb is (damaged|empty)"),
    ],
)
def test_a_cut_file_is_found_without_a_manifest(found, name, message, left):
    encoder, preprocess = found
    shutil.rmtree(preprocess)
    size = (encoder / name).stat().st_size
    cut(encoder / name, int(size * left) if left >= 0 else size - 1)
    (one,) = verify_modules()
    assert (one.handle, one.whole, one.works) == (ENCODER, False, False)
    assert re.search(message, one.problem) and str(encoder) in one.problem
    assert "\n" not in one.problem


def test_altered_weights_are_found_without_a_manifest(found):
    encoder, preprocess = found
    shutil.rmtree(preprocess)
    path = encoder / "variables" / "variables.data-00000-of-00001"
    good = path.read_bytes()
    for at in np.linspace(0, len(good) - 1, 20).astype(int):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :])
        (one,) = verify_modules()
        assert not one.whole and "variables is cut short or damaged" in one.problem, at


def test_a_missing_asset_is_named_without_a_manifest(found):
    encoder, preprocess = found
    shutil.rmtree(preprocess)
    (encoder / "assets" / "vocab.txt").unlink()
    (one,) = verify_modules()
    assert not one.whole and one.problem == f"{encoder}/assets/vocab.txt is missing"


def test_missing_variables_are_named_without_a_manifest(found):
    encoder, preprocess = found
    shutil.rmtree(preprocess)
    shutil.rmtree(encoder / "variables")
    (one,) = verify_modules()
    assert one.problem == f"{encoder}/variables is missing"


def test_an_empty_folder_is_no_module(hub_cache):
    (hub_cache / place_of(ENCODER)).mkdir()
    (one,) = verify_modules()
    assert one.handle == ENCODER and not one.whole
    assert one.problem.endswith("has no saved_model.pb; found nothing")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"handle": "a", "source": "b", "sha256": []}',
        '{"handle": "a", "source": "b", "sha256": {"saved_model.pb": 1}}',
    ],
)
def test_a_manifest_that_cannot_be_read_is_told(found, content):
    encoder, preprocess = found
    shutil.rmtree(preprocess)
    (encoder / MANIFEST).parent.mkdir(exist_ok=True)
    (encoder / MANIFEST).write_text(content)
    (one,) = verify_modules()
    assert not one.whole and str(encoder) in one.problem


def test_a_module_is_listed_once_whatever_its_aliases(hub_cache, installed):
    (hub_cache / place_of("https://www.kaggle.com/models/a/b/tensorFlow2/c/1")).symlink_to(
        installed[0]
    )
    assert set(cached_modules()) == set(installed)


def test_what_is_on_its_way_is_no_module(hub_cache, tiny_modules):
    shutil.copytree(tiny_modules / "encoder", hub_cache / f".{place_of(ENCODER)}.x.part")
    shutil.copytree(
        tiny_modules / "encoder", hub_cache / f"{place_of(ENCODER)}.0a1b.tmp"
    )  # TF Hub's own files
    (hub_cache / ".downloads").mkdir()
    assert verify_modules() == []


def test_the_manifest_says_where_a_module_came_from(installed, tiny_modules):
    manifest = json.loads((installed[0] / MANIFEST).read_text())
    assert (manifest["handle"], manifest["source"]) == (ENCODER, str(tiny_modules))
    assert set(manifest["sha256"]) == {
        path.relative_to(installed[0]).as_posix()
        for path in installed[0].rglob("*")
        if path.is_file() and path.name not in MANIFEST
    }
