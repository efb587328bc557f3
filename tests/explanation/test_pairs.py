"""Explanations of pairs: both texts with their names, and what the model did not read."""

import pytest

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data.pairs import join_pair
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.explanation import explain, explanation_figure, explanation_page
from kerasnlp_lab.tasks import Classification
from kerasnlp_lab.zoo import create_model

NAMES = ("premise", "hypothesis")


def made(model, options):
    keras.utils.set_random_seed(0)
    texts = [join_pair("the cat sat", "a dog ran"), join_pair("oil stock", "team game")]
    task = Classification(["yes", "no", "maybe"])
    return create_model(model, task, texts, pair=NAMES, options=options)


@pytest.fixture(scope="module")
def bert(tiny_checkpoint):
    return made(str(tiny_checkpoint), {"max_length": 12, "precision": "float32"})


@pytest.fixture(scope="module")
def transformer():
    return made("transformer", {"max_length": 16, "vocab_size": 50, "embed_dim": 8, "ff_dim": 8})


def test_both_texts_and_their_marks(bert):
    found = explain(bert, ("The cat sat.", "dogs ran"))
    assert found.text == "The cat sat.\ndogs ran"
    assert found.units == ("[CLS]", "The", "cat", "sat", ".", "[SEP]", "dogs", "ran", "[SEP]")
    for word in found.words:
        assert found.text[word.start : word.end] == word.text
    first, second = found.parts
    assert (first.name, first.text) == ("premise", "The cat sat.")
    assert (second.name, second.text) == ("hypothesis", "dogs ran")
    assert [found.words[index].text for index in second.words] == ["dogs", "ran"]
    marks = [n for n, token in enumerate(found.tokens) if token.word is None]
    assert marks == [0, 5, 9]  # dogs is dog and ##s
    assert not found.contributions[marks].any()
    assert found.completeness.error < 0.01
    assert found.attention.shape[-1] == len(found.tokens) == 10


def test_words_that_were_cut_off_were_not_read(bert):
    found = explain(bert, ("cat " * 20, "dog " * 20))
    assert [word.tokens for word in found.words] == [1] * 5 + [0] * 15 + [1] * 4 + [0] * 16
    assert len(found.tokens) == 12


@pytest.mark.parametrize("pair", [("", "dog ran"), ("cat sat", "\x07")], ids=["first", "second"])
def test_nothing_to_read_on_one_side(bert, pair):
    found = explain(bert, pair)
    read = [word.text for word in found.words if word.tokens]
    assert read == (pair[0] or pair[1]).split()
    assert "hypothesis" in explanation_page(found)


def test_a_model_that_reads_both_as_one_text(transformer):
    found = explain(transformer, ("the cat sat", "a dog ran"))
    assert [token.text for token in found.tokens] == "the cat sat a dog ran".split()
    assert [[found.words[n].text for n in part.words] for part in found.parts] == [
        ["the", "cat", "sat"],
        ["a", "dog", "ran"],
    ]


def test_the_page_and_the_figure_name_both(bert):
    found = explain(bert, ("The cat sat.", "dogs ran"))
    page = explanation_page(found)
    assert '"pair": ["premise", "hypothesis"], "secondStart": 13' in page
    assert "\x1f" not in page and "\\u001f" not in page
    figure = explanation_figure(found)
    named = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert named == ["premise", "hypothesis"]


def test_single_texts_and_pairs_are_not_confused(bert, tiny_checkpoint):
    with pytest.raises(DataError, match="must be a pair of premise and hypothesis, got 'alone'"):
        explain(bert, "alone")
    options = {"max_length": 12}
    task = Classification(["yes", "no"])
    single = create_model(str(tiny_checkpoint), task, [], options=options)
    with pytest.raises(DataError, match="expected one text, got 2"):
        explain(single, ("one", "two"))
