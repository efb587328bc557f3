"""Alignments: tokens and symbols of a text, the matrix, the picture and the page."""

import numpy as np
import pytest

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data.pairs import join_pair
from kerasnlp_lab.errors import DataError, OptionError
from kerasnlp_lab.explanation import align, alignment_figure, alignment_page, explain
from kerasnlp_lab.explanation.alignment import Alignment
from kerasnlp_lab.tasks import Generation
from kerasnlp_lab.zoo import create_classifier, create_model

SMALL = {"embed_dim": 4, "units": 4, "max_output_length": 5, "beam_size": 2}
HAND_MADE = Alignment(
    "3 \u4e00<",
    "a <",
    0.5,
    True,
    ("3", " ", "\u4e00", "<"),
    ("a", " ", "<", "[END]"),
    np.eye(4, dtype=np.float32),
)


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(0)
    return create_model("rnn_seq2seq", Generation(("a", "b"), 3), ["3 Mai"], options=SMALL)


def test_a_row_for_each_symbol_and_a_column_for_each_character(classifier):
    found = align(classifier, "3 Ma\u00e9?")
    assert found.tokens == ("3", " ", "M", "a", "\u00e9", "?")  # also those that it does not know
    assert found.weights.shape == (len(found.symbols), 6)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, atol=1e-5)
    assert "".join(found.symbols).removesuffix("[END]") == found.output
    assert found.complete == (found.symbols[-1] == "[END]")
    content = found.as_json()
    assert list(content) == [
        *("text", "output", "score", "complete", "tokens", "symbols", "weights")
    ]


def test_a_pair_is_one_text():
    pair = {"pair": ("day", "month"), "options": SMALL}
    texts = [join_pair("3", "Mai")]
    found = align(create_model("rnn_seq2seq", Generation(("a",), 2), texts, **pair), ("3", "Mai"))
    assert (found.text, found.tokens) == ("3 Mai", ("3", " ", "M", "a", "i"))


def test_lines_mark_the_token_with_the_most_attention():
    assert list(HAND_MADE.lines()) == [
        "a      1.00  [3] \u4e00<",
        "␣      1.00  3[ ]\u4e00<",
        "<      1.00  3 [\u4e00]<",
        "[END]  1.00  3 \u4e00[<]",
    ]


def test_the_picture():
    axes = alignment_figure(HAND_MADE).axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["3", "␣", "\u4e00", "<"]
    np.testing.assert_array_equal(axes.images[0].get_array(), np.eye(4))


def test_the_page():
    page = alignment_page(HAND_MADE)
    assert page.count("<td ") == 16
    assert "[END] looks at &lt;: 1.0" in page


def test_what_cannot_be_aligned(classifier):
    with pytest.raises(DataError, match="reads nothing of this text"):
        align(classifier, "")
    with pytest.raises(DataError, match="not trained on pairs"):
        align(classifier, ("a", "b"))
    other = create_classifier("transformer", ["bad", "good"], ["so so"])
    with pytest.raises(OptionError, match="writes no texts to align"):
        align(other, "so")
    with pytest.raises(OptionError, match="as it writes is align"):
        explain(classifier, "3")
