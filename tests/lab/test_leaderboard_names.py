"""The leaderboard shows the folder of a model literally: in its table and in its figure."""

import io

import pytest
import rich.console

from kerasnlp_lab.evaluation.plots import png_bytes
from kerasnlp_lab.lab.leaderboard import curve_table, learning_curve_figure

MODELS = ("_mine", "bert[/red]", "$a$", "模型", "[bold]x")


@pytest.fixture
def curves():
    rows = [{"model": m, "headline": "accuracy", "seeds": 1} for m in MODELS]
    return {size: [{**row, "value": 0.5, "spread": 0.0} for row in rows] for size in (10, 100)}


def test_the_legend_has_every_model(curves):
    figure = learning_curve_figure(curves)
    assert png_bytes(figure).startswith(b"\x89PNG")
    legend = figure.axes[0].get_legend().get_texts()
    assert [text.get_text().strip() for text in legend] == list(MODELS)


def test_the_table_has_no_markup(curves):
    shown = io.StringIO()
    rich.console.Console(file=shown, width=200).print(curve_table(curves))
    for model in MODELS:
        assert model in shown.getvalue()
