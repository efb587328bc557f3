"""All spellings of an address give one module, in the folder that TF Hub itself uses."""

import tempfile
from pathlib import Path

import pytest
from tensorflow_hub import compressed_module_resolver

from kerasnlp_lab.errors import HubError
from kerasnlp_lab.hub.handles import parse_handle

ENCODER = "https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-4_H-128_A-2/1"
PREPROCESS = "https://tfhub.dev/tensorflow/bert_en_uncased_preprocess/3"
PUBMED = "https://tfhub.dev/google/experts/bert/pubmed/2"
SPELLINGS = {
    "small_bert/bert_en_uncased_L-4_H-128_A-2": ENCODER,
    "small_bert/bert_en_uncased_L-4_H-128_A-2/1": ENCODER,  # the spelling of hub list
    "bert_en_uncased_preprocess/3": PREPROCESS,
    "TFHub.dev/tensorflow/bert_en_uncased_preprocess/3": PREPROCESS,
    "tensorflow/small_bert/bert_en_uncased_L-4_H-128_A-2": ENCODER,
    "tensorflow/small_bert/bert_en_uncased_L-4_H-128_A-2/1": ENCODER,
    "tensorflow/bert/tensorFlow2/bert-en-uncased-l-4-h-128-a-2": ENCODER,
    "tensorflow/bert/tensorFlow2/bert-en-uncased-l-4-h-128-a-2/1": ENCODER,
    "tensorflow/bert/TensorFlow2/bert-en-uncased-l-4-h-128-a-2/1": ENCODER,
    ENCODER: ENCODER,
    f"  {ENCODER}\n": ENCODER,
    f"{ENCODER}/": ENCODER,
    f"{ENCODER}?tf-hub-format=compressed": ENCODER,
    ENCODER.removesuffix("/1"): ENCODER,
    ENCODER.removeprefix("https://"): ENCODER,
    ENCODER.replace("https://", "http://www."): ENCODER,
    "https://www.kaggle.com/models/tensorflow/bert/tensorFlow2/bert-en-uncased-l-4-h-128-a-2/1": (
        ENCODER
    ),
    "https://www.kaggle.com/models/tensorflow/bert/tensorFlow2/bert-en-uncased-l-4-h-128-a-2": (
        ENCODER
    ),
    "https://www.kaggle.com/models/tensorflow/bert/frameworks/tensorFlow2/variations/"
    "bert-en-uncased-l-4-h-128-a-2/versions/1": ENCODER,
    "kaggle.com/models/tensorflow/bert/tensorFlow2/en-uncased-preprocess/3": PREPROCESS,
    "bert_en_uncased_preprocess": PREPROCESS,
    "tensorflow/bert/tensorFlow2/en-uncased-preprocess": PREPROCESS,
    "experts/bert/pubmed": PUBMED,
    "google/experts-bert/tensorFlow2/pubmed/2": PUBMED,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_all_spellings_name_one_module(spelling, tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    expected = parse_handle(SPELLINGS[spelling])
    found = parse_handle(spelling)
    assert (found.address, found.folder, found.kaggle) == (
        SPELLINGS[spelling],
        expected.folder,
        expected.kaggle,
    )


def test_kagglehubs_name_of_a_module_on_tfhub():
    slug = "tensorflow/bert/tensorFlow2/bert-en-uncased-l-4-h-128-a-2"
    assert parse_handle(ENCODER).kaggle == f"{slug}/1"
    assert parse_handle(PREPROCESS).kaggle == "tensorflow/bert/tensorFlow2/en-uncased-preprocess/3"


def test_a_version_that_is_asked_for_is_not_another(tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    first, second = (parse_handle(f"{PUBMED[:-1]}{version}") for version in (1, 2))
    assert first.folder != second.folder
    assert first.kaggle == "google/experts-bert/tensorFlow2/pubmed/1"


def test_a_module_that_is_not_in_the_catalogue():
    address = "https://tfhub.dev/google/nnlm-en-dim50/2"
    assert parse_handle(address).address == address
    url = "https://www.kaggle.com/models/google/nnlm/tensorFlow2/en-dim50/1"
    for spelling in (url, "google/nnlm/tensorFlow2/en-dim50/1"):
        handle = parse_handle(spelling)
        assert (handle.address, handle.kaggle) == (url, "google/nnlm/tensorFlow2/en-dim50/1")


@pytest.mark.parametrize(
    "configured", ["{}/modules", "{}/modules/", "modules", "~/modules", ""], ids=repr
)
@pytest.mark.parametrize("address", [ENCODER, PREPROCESS, PUBMED])
def test_the_folder_is_the_one_that_tf_hub_computes(address, configured, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("TFHUB_CACHE_DIR", configured.format(tmp_path))
    theirs = compressed_module_resolver._module_dir(address)
    assert parse_handle(address).folder.absolute() == Path(theirs).absolute()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_users_own_address_is_an_alias_where_tf_hub_looks_for_it(spelling, tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    handle = parse_handle(spelling)
    address = spelling.strip()
    theirs = Path(compressed_module_resolver._module_dir(address))
    if "://" not in spelling:
        assert handle.alias is None  # hub.KerasLayer does not know it
    elif address == handle.address:
        assert handle.folder == theirs and handle.alias is None
    else:
        assert handle.alias == theirs != handle.folder


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bert",
        "small_bert/bert_en_uncased_L-4_H-128_A-3",
        "tensorflow/bert",
        "google/nnlm/tensorFlow2/en-dim50",  # no version
        "keras/bert/keras/bert_tiny_en_uncased/2",
        "https://tfhub.dev/",
        "https://tfhub.dev/google/nnlm-en-dim50",
        "https://example.com/tensorflow/bert_en_uncased_preprocess/3",
        "https://tfhub.dev.example.com/tensorflow/bert_en_uncased_preprocess/3",
        "https://www.kaggle.com/datasets/tensorflow/bert",
        "https://[tfhub.dev/a/1",
        "minilm_l6_h384",
        "../../etc/passwd",
    ],
)
def test_what_names_no_module_is_told_how_to_name_one(text):
    with pytest.raises(HubError, match="is no module of TF Hub: give a name of .*hub list"):
        parse_handle(text)
