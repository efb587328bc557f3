"""The rows of TF Hub's catalogue agree with one another and with BERT's formulas."""

import pytest

from kerasnlp_lab.errors import UnknownNameError
from kerasnlp_lab.hub.catalogue import by_kaggle, encoders, entries, find_encoder

VOCABULARY = {
    ("uncased", "English"): 30522,
    ("cased", "English"): 28996,
    ("cased", "104 languages"): 119547,
    ("uncased", "Chinese"): 21128,
}
BERTS = [encoder for encoder in encoders() if encoder.architecture == "bert"]
ON_TF_HUB = [encoder for encoder in encoders() if encoder.handle]


def bert_parameters(vocabulary, layers, hidden):
    """Returns the parameters of a BERT with 512 positions, 2 token types and a pooler."""
    embeddings = (vocabulary + 512 + 2) * hidden + 2 * hidden  # with their LayerNorm
    attention = 4 * (hidden * hidden + hidden) + 2 * hidden
    inner = hidden * 4 * hidden + 4 * hidden + 4 * hidden * hidden + hidden + 2 * hidden
    return embeddings + layers * (attention + inner) + hidden * hidden + hidden


def test_formula_gives_published_sizes():
    assert bert_parameters(30522, 12, 768) == 109482240
    assert bert_parameters(30522, 6, 384) == 22713216


@pytest.mark.parametrize("encoder", BERTS, ids=lambda encoder: encoder.name)
def test_bert_parameters(encoder):
    vocabulary = VOCABULARY[encoder.casing, encoder.languages]
    expected = bert_parameters(vocabulary, encoder.layers, encoder.hidden_size)
    assert encoder.parameters == expected


@pytest.mark.parametrize("encoder", ON_TF_HUB, ids=lambda encoder: encoder.name)
def test_preprocess_fits_encoder(encoder):
    name, version = encoder.preprocess.rsplit("/", 1)
    preprocess = entries()[name]
    assert preprocess.architecture == "preprocess"
    assert preprocess.version == int(version)
    assert (preprocess.casing, preprocess.languages) == (encoder.casing, encoder.languages)


def test_all_but_minilm_are_on_tf_hub():
    assert [e.name for e in encoders() if not e.handle] == ["minilm_l6_h384"]


def test_24_small_berts():
    small = [encoder for encoder in encoders() if encoder.name.startswith("small_bert/")]
    assert len(small) == len({(encoder.layers, encoder.hidden_size) for encoder in small}) == 24
    for encoder in small:
        shape = f"L-{encoder.layers}_H-{encoder.hidden_size}_A-{encoder.heads}"
        assert encoder.name.endswith(shape)
        assert encoder.release.endswith(f"{shape}.zip")
        assert encoder.huggingface.endswith(shape)
        assert encoder.kaggle.endswith(shape.lower().replace("_", "-"))


def test_places_are_unique():
    # entries() and by_kaggle() would drop a row that repeats another's key
    names = [encoder.name for encoder in encoders()]
    assert len(names) == len(set(names)) == 50
    assert len(entries()) == 55
    assert len(by_kaggle()) == 54
    for field in ("release", "huggingface"):
        places = [place for encoder in encoders() if (place := getattr(encoder, field))]
        assert len(places) == len(set(places))


def test_find_encoder():
    encoder = find_encoder("experts/bert/pubmed")
    assert encoder.handle == "https://tfhub.dev/google/experts/bert/pubmed/2"
    assert by_kaggle()["google/experts-bert/tensorflow2/pubmed"] is encoder


def test_unknown_name_suggests_the_right_one():
    with pytest.raises(UnknownNameError, match="did you mean 'albert_en_base'"):
        find_encoder("albert_base")
    with pytest.raises(UnknownNameError):
        find_encoder("bert_en_uncased_preprocess")
