"""`install(..., source)` takes modules and BERTs from a local file or folder."""

import hashlib
import re
import shutil
import tarfile

import pytest

from kerasnlp_lab.errors import HubError
from kerasnlp_lab.hub import install
from tests.hub.hostile import HOSTILE_TARS
from tests.hub.installed import (
    ENCODER,
    MANIFEST,
    PREPROCESS,
    SMALLEST,
    content,
    leftovers,
    place_of,
    zipped,
)


@pytest.fixture
def cache(hub_environment, origins, tmp_path):
    yield tmp_path / "tfhub"
    assert origins.requests == []  # no request is sent


@pytest.fixture
def brought(tmp_path):
    folder = tmp_path / "brought"
    folder.mkdir()
    return folder


def test_a_modules_tar_gz(cache, brought, tiny_archives, tiny_modules):
    archive = brought / "module.tar.gz"
    archive.write_bytes(tiny_archives["encoder"])
    (encoder,) = install(SMALLEST, archive)
    assert (encoder.handle, encoder.source) == (ENCODER, str(archive))
    assert content(encoder.folder) == content(tiny_modules / "encoder")
    assert leftovers(cache) == []
    assert archive.read_bytes() == tiny_archives["encoder"]


def test_a_tar_gz_with_a_folder_in_it(cache, brought, tiny_modules):
    with tarfile.open(brought / "a.tgz", "w:gz") as tar:
        tar.add(tiny_modules / "preprocess", arcname="bert_en_uncased_preprocess_3")
    (preprocess,) = install(PREPROCESS, brought / "a.tgz")
    assert preprocess.folder == cache / place_of(PREPROCESS)
    assert content(preprocess.folder) == content(tiny_modules / "preprocess")


def test_a_savedmodel_is_copied_and_stays_as_it_is(cache, brought, tiny_modules):
    shutil.copytree(tiny_modules / "encoder", brought / "encoder")
    before = content(brought / "encoder")
    (encoder,) = install(ENCODER, brought / "encoder")
    assert content(encoder.folder) == before == content(brought / "encoder")
    assert not (brought / "encoder" / MANIFEST).exists()
    assert leftovers(cache) == []


def test_a_savedmodel_made_of_links_is_copied_as_files(cache, brought, tiny_modules):
    """Some caches share files through such links."""
    for path in (tiny_modules / "preprocess").rglob("*"):
        link = brought / "links" / path.relative_to(tiny_modules / "preprocess")
        if path.is_file():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    (preprocess,) = install(PREPROCESS, brought / "links")
    assert not any(path.is_symlink() for path in preprocess.folder.rglob("*"))
    assert content(preprocess.folder) == content(tiny_modules / "preprocess")


def test_what_another_machine_has_cached(cache, brought, tiny_modules, monkeypatch, tmp_path):
    """The folder, or an archive of it, has the other cache's manifest."""
    (first,) = install(ENCODER, tiny_modules / "encoder")
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "another machine"))
    (second,) = install(ENCODER, first.folder)
    assert second.folder != first.folder
    assert content(second.folder) == content(tiny_modules / "encoder")
    (again,) = install(ENCODER, first.folder)
    assert again.source == "the cache", again.tried


def test_a_folder_of_hub_build_gives_both(cache, tiny_modules):
    encoder, preprocess = install(SMALLEST, tiny_modules)
    assert preprocess.folder == cache / place_of(PREPROCESS)
    assert content(encoder.folder) == content(tiny_modules / "encoder")
    assert content(preprocess.folder) == content(tiny_modules / "preprocess")
    assert leftovers(cache) == []


def test_a_zip_of_hub_builds_folder_as_a_mac_writes_it(cache, brought, tiny_modules):
    (tmp := brought / "zip").mkdir()
    shutil.copytree(tiny_modules, tmp / "my_bert")
    (tmp / "__MACOSX").mkdir()
    (tmp / "__MACOSX" / "._my_bert").write_bytes(b"resource fork")
    (brought / "my_bert.zip").write_bytes(zipped(tmp))
    encoder, preprocess = install(SMALLEST, brought / "my_bert.zip")
    assert content(encoder.folder) == content(tiny_modules / "encoder")
    assert content(preprocess.folder) == content(tiny_modules / "preprocess")


@pytest.mark.parametrize("form", ["Hugging Face", "a release", "a zip of a release"])
def test_a_berts_weights_are_found_and_are_not_taken_for_another_berts(
    cache, brought, small_checkpoint, small_release, form
):
    """test_install.py builds the right ones, which takes half a minute."""
    (brought / "bert.zip").write_bytes(zipped(small_release, "uncased_L-2_H-128_A-2/"))
    sources = {"Hugging Face": small_checkpoint, "a release": small_release}
    message = (
        "has 4 layers of 128 and 4782464 parameters, the weights have 2 layers of 128, 4385920 "
        "parameters and 30522 word pieces: they are another BERT's"
    )
    with pytest.raises(HubError, match=message):
        install("small_bert/bert_en_uncased_L-4_H-128_A-2", sources.get(form, brought / "bert.zip"))
    with pytest.raises(HubError, match="another BERT's"):  # its vocabulary is uncased
        install("bert_en_cased_preprocess", sources.get(form, brought / "bert.zip"))
    with pytest.raises(HubError, match="albert_en_base/2 is albert"):
        install("albert_en_base", sources.get(form, brought / "bert.zip"))
    assert leftovers(cache) == [] and not list(cache.glob("[0-9a-f]*"))


def test_a_whole_module_is_not_replaced(cache, brought, tiny_modules):
    install(ENCODER, tiny_modules / "encoder")
    (brought / "module.tar.gz").write_bytes(b"never looked at")
    (encoder,) = install(ENCODER, brought / "module.tar.gz")
    assert encoder.source == "the cache"


def test_a_broken_one_is(cache, tiny_modules):
    (encoder,) = install(ENCODER, tiny_modules / "encoder")
    (encoder.folder / "variables" / "variables.index").write_bytes(b"")
    (encoder,) = install(ENCODER, tiny_modules / "encoder")
    assert encoder.source == str(tiny_modules / "encoder")
    assert content(encoder.folder) == content(tiny_modules / "encoder")


def cut_module(folder):
    variables = folder / "variables" / "variables.data-00000-of-00001"
    variables.write_bytes(variables.read_bytes()[:-1])


def lose_an_asset(folder):
    next((folder / "assets").iterdir()).unlink()


def empty_the_graph(folder):
    (folder / "saved_model.pb").write_bytes(b"")


@pytest.mark.parametrize(
    "spoil, message",
    [
        (cut_module, "variables is cut short or damaged"),
        (lose_an_asset, "assets/.* is missing"),
        (empty_the_graph, "saved_model.pb is (damaged|empty)"),
    ],
)
def test_a_module_that_is_not_whole_is_not_installed(cache, brought, tiny_modules, spoil, message):
    shutil.copytree(tiny_modules / "encoder", brought / "encoder")
    spoil(brought / "encoder")
    with pytest.raises(HubError, match=f"{brought}/encoder: .*{message}") as caught:
        install(ENCODER, brought / "encoder")
    assert "\n" not in str(caught.value)
    assert not (cache / place_of(ENCODER)).exists() and leftovers(cache) == []


def test_nothing_at_the_path(cache, brought):
    with pytest.raises(HubError, match=f"there is nothing at {brought}/no.zip; expected an arch"):
        install(ENCODER, brought / "no.zip")


@pytest.mark.parametrize("files", [[], ["readme.txt"], ["a/readme.txt"], ["a/x", "b/x"]], ids=str)
@pytest.mark.parametrize("pack", [False, True], ids=["folder", "zip"])
def test_a_source_with_nothing_of_use(cache, brought, files, pack):
    source = brought / "source"
    source.mkdir()
    for name in files:
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text("hello")
    if pack:
        (brought / "source.zip").write_bytes(zipped(source))
        source = brought / "source.zip"
    with pytest.raises(HubError) as caught:
        install(ENCODER, source)
    reason = str(caught.value).split(f"{source}: ", 1)[1]
    assert "neither a SavedModel (saved_model.pb) nor a BERT's weights" in reason
    assert ".part" not in reason, "a folder that is gone by now"
    assert leftovers(cache) == []


def test_a_hostile_archive(cache, brought):
    (brought / "module.tar").write_bytes(HOSTILE_TARS["a file behind a link"])
    with pytest.raises(HubError, match=r"module.tar holds a link, 'a'; refused"):
        install(ENCODER, brought / "module.tar")
    assert leftovers(cache) == []


def test_a_text_file(cache, brought):
    (brought / "notes.txt").write_text("hello")
    expected = f"{brought}/notes.txt: notes.txt is no .tar, .tar.gz or .zip file"
    with pytest.raises(HubError, match=re.escape(expected)):
        install(ENCODER, brought / "notes.txt")


def test_a_name_that_is_no_handle_is_told_before_the_source_is_read(cache, brought):
    with pytest.raises(HubError, match="'bert' is no module of TF Hub"):
        install("bert", brought)


@pytest.mark.parametrize(
    "handle, part, reason",
    [
        (ENCODER, "preprocess", "expected an encoder, got a preprocessing module"),
        (PREPROCESS, "encoder", "expected a preprocessing module, got an encoder"),
    ],
)
def test_one_kind_of_module_is_not_installed_as_the_other(
    cache, tiny_modules, handle, part, reason
):
    with pytest.raises(HubError, match=reason):
        install(handle, tiny_modules / part)
    assert not (cache / place_of(handle)).exists()
    assert leftovers(cache) == []


def test_a_preprocessing_that_was_lost_is_brought_again(cache, tiny_modules):
    _, preprocess = install(ENCODER, tiny_modules)
    assert preprocess.source == str(tiny_modules)
    (preprocess.folder / "saved_model.pb").write_bytes(b"")
    encoder, preprocess = install(ENCODER, tiny_modules)
    assert (encoder.source, preprocess.source) == ("the cache", str(tiny_modules))
    assert content(preprocess.folder) == content(tiny_modules / "preprocess")


def test_what_tf_hub_left_cut_under_a_users_spelling_is_mended(cache, tiny_modules):
    kaggle = "https://www.kaggle.com/models/tensorflow/bert/TensorFlow2/en-uncased-preprocess/3"
    alias = cache / hashlib.sha1(kaggle.encode()).hexdigest()
    alias.mkdir(parents=True)
    (alias / "saved_model.pb").write_bytes(b"cut")
    (preprocess,) = install(kaggle, tiny_modules / "preprocess")
    assert alias.resolve() == preprocess.folder.resolve()


def test_minilm_comes_from_a_wheel(cache, tiny_checkpoint):
    with pytest.raises(HubError, match="PIP_FIND_LINKS"):
        install("minilm_l6_h384", tiny_checkpoint)
