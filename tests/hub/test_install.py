"""`install` works from each origin, while all origins before it fail."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from kerasnlp_lab.errors import HubError
from kerasnlp_lab.hub import hub_modules, install, sources
from tests.hub.hostile import HOSTILE_TARS
from tests.hub.installed import (
    ENCODER,
    HUGGING_FACE,
    IDS,
    KAGGLE_ENCODER,
    KAGGLE_PREPROCESS,
    PREPROCESS,
    RELEASE,
    SMALLEST,
    TEXT,
    TFHUB,
    answers,
    assert_modules_compute,
    content,
    leftovers,
    place_of,
    zipped,
)
from tests.hub.origins import redirect_loop, stall, status, unlabelled_web_page, web_page

KAGGLE_URL = f"https://www.kaggle.com/models/{KAGGLE_ENCODER}"


@pytest.fixture
def cache(hub_environment, tmp_path):
    return tmp_path / "tfhub"


@pytest.fixture
def on_tfhub(origins, tiny_archives):
    """Puts both modules on tfhub.dev."""
    for name, path in TFHUB.items():
        origins.files[path] = tiny_archives[name]


def modules_in(cache):
    return {path.name for path in cache.iterdir() if len(path.name) == 40}


def test_tfhub_dev_is_asked_as_tf_hub_asks_it(cache, origins, on_tfhub, tiny_modules):
    encoder, preprocess = install(SMALLEST)
    assert (encoder.handle, encoder.source, encoder.tried) == (
        ENCODER,
        "tfhub.dev",
        ("the cache: not there",),
    )
    assert (preprocess.handle, preprocess.source) == (PREPROCESS, "tfhub.dev")
    assert encoder.folder == cache / place_of(ENCODER)
    assert preprocess.folder == cache / place_of(PREPROCESS)
    assert content(encoder.folder) == content(tiny_modules / "encoder")
    assert content(preprocess.folder) == content(tiny_modules / "preprocess")
    assert leftovers(cache) == []
    assert [path for path, _ in origins.requests] == [TFHUB["encoder"], TFHUB["preprocess"]]
    assert set(origins.queries) == {"tf-hub-format=compressed"}


def test_what_is_cached_is_not_fetched_again(cache, origins, on_tfhub):
    install(SMALLEST)
    asked = len(origins.requests)
    assert [one.source for one in install(ENCODER)] == ["the cache", "the cache"]
    assert [one.source for one in install("bert_en_uncased_preprocess")] == ["the cache"]
    modules = hub_modules(SMALLEST)
    assert (modules.encoder, modules.preprocess) == (
        str(cache / place_of(ENCODER)),
        str(cache / place_of(PREPROCESS)),
    )
    assert len(origins.requests) == asked


PLAIN = """
import json, sys
import tensorflow as tf, tensorflow_hub as hub, tensorflow_text
text, preprocess, *encoders = sys.argv[1:]
inputs = hub.KerasLayer(preprocess)(tf.constant([text]))
pooled = [hub.KerasLayer(one)(inputs)["pooled_output"].numpy()[0].tolist() for one in encoders]
ours = [name for name in sys.modules if name.startswith("kerasnlp_lab")]
print(json.dumps([inputs["input_word_ids"].numpy()[0].tolist(), pooled, ours]))
"""


@pytest.mark.slow  # tests/hub/test_offline_handles.py reads what was installed
def test_a_plain_notebook_finds_what_was_installed(cache, on_tfhub, tiny_modules):
    """TF Hub's own layer finds it, in a process without this package and without a network."""
    install(KAGGLE_URL)
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    command = [sys.executable, "-c", PLAIN, TEXT, PREPROCESS, ENCODER, KAGGLE_URL]
    result = subprocess.run(command, env={**os.environ, **proxies}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    ids, pooled, ours = json.loads(result.stdout.splitlines()[-1])
    assert ours == []
    assert ids[: len(IDS)] == IDS
    _, expected = answers(tiny_modules / "encoder", tiny_modules / "preprocess")
    for found in pooled:
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_kaggle_is_next(cache, origins, tiny_modules):
    origins.play("/tfhub", status(403))
    origins.add_folder(f"/kaggle/{KAGGLE_ENCODER}", tiny_modules / "encoder")
    origins.add_folder(f"/kaggle/{KAGGLE_PREPROCESS}", tiny_modules / "preprocess")
    encoder, preprocess = install(SMALLEST)
    assert encoder.source == preprocess.source == "Kaggle Models"
    url = f"{origins.url}{TFHUB['encoder']}?tf-hub-format=compressed"
    assert encoder.tried == ("the cache: not there", f"tfhub.dev: 403 Forbidden from {url}")
    assert content(encoder.folder) == content(tiny_modules / "encoder")
    assert content(preprocess.folder) == content(tiny_modules / "preprocess")
    assert leftovers(cache) == []


@pytest.mark.slow  # tests/cli/test_hub_build.py builds a release
def test_then_the_original_release_is_built(cache, origins, small_release, small_checkpoint):
    origins.play("/tfhub", web_page)
    origins.files[RELEASE] = zipped(small_release)
    encoder, preprocess = install(SMALLEST)
    assert encoder.source == "the original release"
    reasons = dict(one.split(": ", 1) for one in encoder.tried)
    assert list(reasons) == ["the cache", "tfhub.dev", "Kaggle Models"]
    assert "web page in place of a file" in reasons["tfhub.dev"]
    assert "404" in reasons["Kaggle Models"]
    assert preprocess.source == encoder.source  # built together, from the same vocabulary
    assert origins.asked(RELEASE) == [""]
    assert_modules_compute(encoder.folder, preprocess.folder, small_checkpoint)
    assert leftovers(cache) == []


@pytest.mark.slow  # it builds modules, like the test before
def test_and_last_hugging_face(cache, origins, small_release, small_checkpoint):
    origins.play("/tfhub", redirect_loop)
    origins.play("/kaggle", status(403))
    release = zipped(small_release)
    origins.files[RELEASE] = release[: len(release) // 2]
    for path in small_checkpoint.iterdir():
        origins.files[f"{HUGGING_FACE}/{path.name}"] = path.read_bytes()
    encoder, preprocess = install(SMALLEST)
    assert encoder.source == "Hugging Face"
    reasons = dict(one.split(": ", 1) for one in encoder.tried)
    assert list(reasons) == ["the cache", "tfhub.dev", "Kaggle Models", "the original release"]
    assert "redirected in a circle" in reasons["tfhub.dev"]
    assert "403" in reasons["Kaggle Models"]
    assert f"cut short or damaged from {origins.url}{RELEASE}" in re.sub(
        r" \(.*?\)", "", reasons["the original release"]
    )
    assert_modules_compute(encoder.folder, preprocess.folder, small_checkpoint)
    assert leftovers(cache) == []


def test_when_no_place_has_it_the_message_has_them_all_in_order(cache, origins):
    origins.files[TFHUB["encoder"]] = HOSTILE_TARS["a symbolic link"]
    origins.play("/storage", unlabelled_web_page)
    with pytest.raises(HubError) as caught:
        install(SMALLEST)
    message = str(caught.value)
    expected = (
        f"cannot install {re.escape(ENCODER)}; tried in this order: "
        r"the cache: not there; "
        rf"tfhub.dev: .* holds a link, 'link'; refused from {origins.url}{TFHUB['encoder']}\?.*; "
        r"Kaggle Models: .*404.*; "
        rf"the original release: .* it looks like a web page.* from {origins.url}{RELEASE}; "
        rf"Hugging Face: 404 Not Found from {origins.url}{HUGGING_FACE}/config.json\. "
        rf".*kerasnlp-lab hub install {re.escape(ENCODER)} --from FILE"
    )
    assert re.match(expected, message), message
    assert "\n" not in message
    assert modules_in(cache) == set()
    assert leftovers(cache) == []


def test_weights_as_a_pickle_are_not_taken(cache, origins, small_checkpoint):
    origins.play("/kaggle", status(403))
    for name in ("config.json", "vocab.txt"):
        origins.files[f"{HUGGING_FACE}/{name}"] = (small_checkpoint / name).read_bytes()
    origins.files[f"{HUGGING_FACE}/pytorch_model.bin"] = b"a pickle"
    with pytest.raises(HubError, match="has no model.safetensors, and no pickle is read"):
        install(SMALLEST)
    assert origins.asked(f"{HUGGING_FACE}/pytorch_model.bin") == []


def test_kaggle_that_stalls_is_given_up(cache, origins, tiny_modules, monkeypatch):
    monkeypatch.setattr(sources, "KAGGLE_STALL", 4.0)
    origins.add_folder(f"/kaggle/{KAGGLE_PREPROCESS}", tiny_modules / "preprocess")
    origins.play(f"/kaggle/{KAGGLE_PREPROCESS}/saved_model.pb", stall(1000))
    with pytest.raises(HubError, match="Kaggle Models: nothing arrived for 4 seconds; the orig"):
        install("bert_en_uncased_preprocess")
    assert leftovers(cache) == []


def test_a_broken_module_is_replaced(cache, origins, on_tfhub, tiny_modules):
    encoder, _ = install(SMALLEST)
    variables = encoder.folder / "variables" / "variables.data-00000-of-00001"
    variables.write_bytes(variables.read_bytes()[:-100])
    encoder, preprocess = install(SMALLEST)
    assert encoder.source == "tfhub.dev" and preprocess.source == "the cache"
    altered = rf"the cache: {variables} has been altered .*; install it again"
    assert re.match(altered, encoder.tried[0])
    assert content(encoder.folder) == content(tiny_modules / "encoder")
    assert leftovers(cache) == []


def test_a_broken_module_that_cannot_be_replaced_is_told(cache, origins, on_tfhub):
    encoder, _ = install(SMALLEST)
    (encoder.folder / "saved_model.pb").unlink()
    origins.play("/", status(403))
    with pytest.raises(HubError, match=f"the cache: {encoder.folder} has no saved_model.pb; found"):
        install(SMALLEST)
    assert leftovers(cache) == []


def test_every_spelling_finds_the_module_that_is_here(cache, origins, on_tfhub):
    install(SMALLEST)
    asked = len(origins.requests)
    for spelling in (ENCODER, KAGGLE_ENCODER, KAGGLE_URL, f"{ENCODER}?tf-hub-format=compressed"):
        encoder, _ = install(spelling)
        assert (encoder.source, encoder.folder) == ("the cache", cache / place_of(ENCODER))
        if "://" in spelling:  # a handle for hub.KerasLayer, which hashes it
            assert (cache / place_of(spelling)).resolve() == encoder.folder
    assert len(origins.requests) == asked


def test_progress_is_reported_by_address(cache, origins, on_tfhub, tiny_archives):
    reported = {}
    install(SMALLEST, report=lambda what, done, total: reported.update({what: (done, total)}))
    for name, path in TFHUB.items():
        size = len(tiny_archives[name])
        assert reported[f"{origins.url}{path}?tf-hub-format=compressed"] == (size, size)
