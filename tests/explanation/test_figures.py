"""Figures show the requested layer and head, and words in any script with a font."""

import warnings

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.evaluation.fonts import fonts_for
from kerasnlp_lab.explanation import (
    attention_figure,
    contributions_figure,
    explain,
    explanation_figure,
)

SCRIPTS = {
    "Greek": "Ελλάδα",
    "Cyrillic": "Київ",
    "Arabic": "مرحبا",
    "Hebrew": "שלום",
    "Devanagari": "हिन्दी",
    "Bengali": "বাংলা",
    "Tamil": "தமிழ்",
    "Thai": "น้ำใจ",
    "Chinese": "中文",
    "Japanese": "カタカナ",
    "Korean": "한국어",
}
QUICK = ("Greek", "Arabic", "Thai", "Chinese")


@pytest.fixture(scope="module")
def found(bert):
    return explain(bert, "the cats, ran")


@pytest.mark.parametrize("layer, head", [(None, None), (1, None), (2, 2)])
def test_the_matrix_shows_the_layer_and_head_asked_for(found, layer, head):
    [axes] = attention_figure(found, layer=layer, head=head).axes
    matrix = found.rollout
    if layer:
        matrix = found.attention[layer - 1]
        matrix = matrix[head - 1] if head else matrix.mean(axis=0)
    np.testing.assert_allclose(axes.images[0].get_array(), found.over_words(matrix), atol=1e-6)
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == list(found.units)
    expected = "rollout" if layer is None else f"layer {layer}, {f'head {head}' if head else 'all'}"
    assert expected in axes.get_title()


def test_the_matrix_can_show_word_pieces(found):
    [axes] = attention_figure(found, layer=1, head=1, tokens=True).axes
    np.testing.assert_allclose(axes.images[0].get_array(), found.attention[0, 0])
    assert [one.get_text() for one in axes.get_yticklabels()] == [t.text for t in found.tokens]


def test_a_pool_is_drawn_as_bars_beside_the_contributions(rnn_attention):
    found = explain(rnn_attention, "the cats, ran")
    for where in ({}, {"layer": 1, "head": 1}):
        left, right = explanation_figure(found, **where).axes
        widths = [bar.get_width() for bar in left.patches]
        np.testing.assert_allclose(widths, found.over_words(found.rollout)[0], atol=1e-6)
        assert [one.get_text() for one in left.get_yticklabels()] == list(found.units)
        assert len(right.patches) == len(found.words)
    assert len(attention_figure(found).axes) == 1
    with pytest.raises(OptionError, match="lines must be left out for the attention of a pool"):
        explanation_figure(found, lines=True)
    with pytest.raises(OptionError, match="layer must be from 1 to 1, got 2"):
        explanation_figure(found, layer=2)


def test_without_attention_the_contributions_are_drawn(lstm):
    found = explain(lstm, "the cats, ran")
    [axes] = explanation_figure(found).axes
    assert len(axes.patches) == len(found.words)
    with pytest.raises(OptionError, match="no attention to draw"):
        attention_figure(found)
    for given in ({"layer": 1}, {"head": 1}, {"lines": True}, {"tokens": True}):
        with pytest.raises(OptionError, match="left out: this model has no attention"):
            explanation_figure(found, **given)


def test_lines_are_thicker_for_more_attention(found):
    [axes] = attention_figure(found, layer=1, head=1, lines=True).axes
    shares = found.over_words(found.attention[0, 0])
    drawn = {tuple(map(int, line.get_ydata())): line.get_linewidth() for line in axes.lines}
    assert set(drawn) == set(zip(*map(list, np.nonzero(shares >= 0.01)), strict=True))
    for place, width in drawn.items():
        assert width == pytest.approx(0.5 + 5 * shares[place])
    left_and_right = [label.get_text() for label in axes.get_yticklabels()]
    assert left_and_right == [*found.units, *found.units]


def test_each_word_has_a_bar(found):
    [axes] = contributions_figure(found).axes
    widths = [bar.get_width() for bar in axes.patches]
    np.testing.assert_allclose(widths, found.word_contributions, atol=1e-6)
    for lines in (False, True):
        assert len(explanation_figure(found, lines=lines).axes) == 2


@pytest.mark.parametrize(
    "where", [{"layer": 3}, {"layer": 0}, {"layer": 1, "head": 3}, {"head": 1}]
)
def test_no_such_layer_or_head(found, where):
    with pytest.raises(OptionError, match="from 1 to 2|given with a layer"):
        attention_figure(found, **where)


@pytest.mark.parametrize(
    "script",
    [pytest.param(one, marks=() if one in QUICK else pytest.mark.slow) for one in SCRIPTS],
)
def test_no_character_is_drawn_as_a_box(bert, script):
    text = f"the {SCRIPTS[script]} $x^2$"
    if missing := fonts_for(text)[1]:
        pytest.skip(f"no installed font has {missing}")
    figure = explanation_figure(explain(bert, text))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns about a glyph without a font
        figure.canvas.draw()


def test_letters_of_joined_scripts_are_joined():
    figure = Figure()
    renderer = FigureCanvasAgg(figure).get_renderer()
    families, missing = fonts_for("ب")
    assert not missing  # matplotlib's own font has it

    def width(text):
        drawn = figure.text(0, 0, text, family=families)
        return drawn.get_window_extent(renderer).width

    assert width("بببب") < 0.8 * 4 * width("ب")


def test_characters_without_a_font_are_reported(monkeypatch):
    own = [font for font in fontManager.ttflist if font.name == "DejaVu Sans"]
    monkeypatch.setattr(fontManager, "ttflist", own)
    assert fonts_for("cat 日本 日") == (["DejaVu Sans"], "日本")
