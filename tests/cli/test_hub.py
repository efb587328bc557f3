"""`kerasnlp-lab hub` list, install and verify: their output and exit status."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.cli.command import run
from tests.cli.json_keys import assert_documented
from tests.hub.installed import ENCODER, PREPROCESS, SMALLEST, TFHUB, content, place_of
from tests.hub.origins import status


@pytest.fixture
def cache(hub_environment, tmp_path):
    return tmp_path / "tfhub"


@pytest.fixture
def on_tfhub(origins, tiny_archives):
    for name, path in TFHUB.items():
        origins.files[path] = tiny_archives[name]


def test_install_says_where_from_and_where_to(cache, on_tfhub, tiny_modules):
    result = run("hub", "install", SMALLEST)
    assert result.code == 0
    encoder, preprocess = cache / place_of(ENCODER), cache / place_of(PREPROCESS)
    assert result.out.splitlines() == [
        ENCODER,
        f"  from tfhub.dev, in {encoder}",
        PREPROCESS,
        f"  from tfhub.dev, in {preprocess}",
    ]
    assert content(encoder) == content(tiny_modules / "encoder")
    again = run("hub", "install", SMALLEST)
    assert again.code == 0 and f"  from the cache, in {encoder}" in again.out
    assert again.err == ""
    found = json.loads(run("hub", "install", SMALLEST, "--json").out)
    assert_documented(found, "hub install")
    assert [one["folder"] for one in found] == [str(encoder), str(preprocess)]


def test_what_was_tried_before_is_on_standard_error(cache, origins, tiny_modules):
    origins.play("/tfhub", status(403))
    origins.add_folder(
        "/kaggle/tensorflow/bert/tensorFlow2/en-uncased-preprocess/3", tiny_modules / "preprocess"
    )
    result = run("hub", "install", "bert_en_uncased_preprocess")
    assert result.code == 0 and "from Kaggle Models, in" in result.out
    tried = [line.split(":")[0] for line in result.err.splitlines()]
    assert tried == ["  the cache", "  tfhub.dev"]
    assert "403 Forbidden" in result.err


def test_install_from_a_file(cache, tiny_archives, tmp_path):
    archive = tmp_path / "my module.tar.gz"
    archive.write_bytes(tiny_archives["encoder"])
    result = run("hub", "install", ENCODER, "--from", archive)
    assert result.code == 0
    assert result.out == f"{ENCODER}\n  from {archive}, in {cache / place_of(ENCODER)}\n"


def test_when_no_place_has_it_one_line_says_why(cache, origins):
    result = run("hub", "install", SMALLEST)
    assert result.code == 2 and result.out == ""
    (line,) = result.err.splitlines()
    assert line.startswith(f"kerasnlp-lab: cannot install {ENCODER}; tried in this order: the ")
    for place in ("tfhub.dev", "Kaggle Models", "the original release", "Hugging Face"):
        assert f"; {place}: " in line


def test_install_of_what_is_no_module(cache):
    result = run("hub", "install", "bert")
    assert result.code == 2
    assert result.err.startswith("kerasnlp-lab: 'bert' is no module of TF Hub: give a name of")


def test_verify_exits_with_1_if_a_module_is_broken(cache, on_tfhub):
    run("hub", "install", SMALLEST)
    result = run("hub", "verify")
    assert result.code == 0
    lines = result.out.splitlines()
    assert f"ok     {ENCODER}" in lines and f"ok     {PREPROCESS}" in lines
    assert lines[-1] == "2 modules, each called with 'I love transformers'"

    variables = cache / place_of(ENCODER) / "variables" / "variables.data-00000-of-00001"
    variables.write_bytes(variables.read_bytes()[:-1])
    result = run("hub", "verify")
    assert result.code == 1
    lines = result.out.splitlines()
    at = lines.index(f"BROKEN {ENCODER}")
    assert f"{variables} has been altered since it was written" in lines[at + 1]
    assert f"in {cache / place_of(ENCODER)}; install it again" in lines[at + 2]
    assert f"ok     {PREPROCESS}" in lines

    shutil.rmtree(cache / place_of(PREPROCESS))  # no longer needed
    result = run("hub", "verify", "--json")
    assert result.code == 1
    (one,) = found = json.loads(result.out)
    assert_documented(found, "hub verify")
    assert (one["handle"], one["whole"], one["works"]) == (ENCODER, False, False)
    assert one["folder"] == str(cache / place_of(ENCODER))


def test_verify_of_nothing(cache):
    result = run("hub", "verify")
    assert (result.code, result.out) == (0, "no module is cached\n")
    assert json.loads(run("hub", "verify", "--json").out) == []


def test_list_for_people_and_for_programs():
    rows = json.loads(run("hub", "list", "--json").out)
    assert ENCODER in [row["handle"] for row in rows]
    lines = run("hub", "list").out.splitlines()
    named = [line.split()[0] for line in lines if line.strip().endswith(("bert", "albert"))]
    for row in rows:
        if row["architecture"] in ("bert", "albert") and row["version"]:
            assert f"{row['name']}/{row['version']}" in named
    (smallest,) = [line for line in lines if line.strip().startswith(f"{SMALLEST}/1")]
    assert smallest.split()[1:6] == ["bert_en_uncased_preprocess/3", "2", "128", "2", "4,385,920"]


def test_list_does_not_wait_for_tensorflow():
    command = "import sys; from kerasnlp_lab.cli.main import app; app(['hub', 'list'], "
    command += "standalone_mode=False); sys.exit('tensorflow' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert result.returncode == 0 and SMALLEST in result.stdout
