"""Any string is a class name: in figures, in the text report, in report.html and in JSON."""

import html
import json
import string
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.font_manager import FontEntry, fontManager
from matplotlib.text import Text
from rich.cells import cell_len

from kerasnlp_lab.data import Split
from kerasnlp_lab.evaluation.classification import score
from kerasnlp_lab.evaluation.fonts import drawn_names, fonts_for, without_font
from kerasnlp_lab.evaluation.plots import png_bytes
from kerasnlp_lab.evaluation.report import render_page

PRINTABLE = [chr(code) for code in range(33, 127)]
NAMES = {
    "characters one by one": PRINTABLE[:9],
    "all characters at once": ["".join(PRINTABLE), string.punctuation, "x"],
    "formulas": ["{$name} or {$id}", "$", "$$", r"$\frac{1}{0}$", r"\$x_1^2", "50 $ to 100 $"],
    "underscores": ["_a", "__b", "_", "_nolegend_"],
    "markup": ["[red]", "[/]", "[bold]x[/bold]", "<script>alert(1)</script>", "</pre>", "&amp;"],
    "templates": ["{{ 7 * 7 }}", "{% raw %}", "%s %d", "{0}", "${HOME}"],
    "long": ["x" * 200, "x" * 199 + "y", "y" + "x" * 199, "财" * 200],
    "white space": ["a", " a", "a ", "a  b", "a\nb", "a\tb", "\r\n", " ", "a\u00a0b", "a\u3000b"],
    "scripts": ["Wörld", "财经", "スポーツ", "ספורט", "رياضة", "खेल", "กีฬา", "Спорт"],
    "emoji": ["😀", "🤖", "👍🏽", "👩‍👩‍👧", "❤️", "🇪🇺"],
    "invisible": ["\x00", "\x1b[31mred", "\u202eevil", "a\u200bb", "ab", "\ufeffab", "می‌خواهم"],
}
REPORT_LINES = 8  # of the classification report, without the classes


def evaluation_of(names, rows=60):
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % len(names)
    logits = rng.normal(size=(rows, len(names))).astype(np.float32)
    logits[np.arange(rows), labels] += 1
    return score(logits, Split([f"text {i}" for i in range(rows)], labels), tuple(names))


@pytest.fixture(params=NAMES)
def evaluation(request):
    return evaluation_of(NAMES[request.param])


def texts_in(figure):
    return [text.get_text().strip() for text in figure.findobj(Text)]


def test_figures_show_every_name_literally(evaluation):
    drawn = drawn_names(evaluation.label_names)
    assert len(set(drawn)) == len(drawn)
    figures = evaluation.figures()
    del figures["reliability"]  # has no names
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for figure in figures.values():
            assert png_bytes(figure).startswith(b"\x89PNG")
    ticks = [label.get_text() for label in figures["confusion"].axes[0].get_yticklabels()]
    assert ticks == drawn
    legend = texts_in(figures["precision_recall"].axes[0].get_legend())
    for name, row in zip(drawn, evaluation.per_class.values(), strict=True):
        assert f"{name}: AP {row['average_precision']:.4f}" in legend
    for figure in figures.values():
        assert not any(
            text.get_parse_math() for text in figure.findobj(Text) if text.get_text() in drawn
        )


def test_the_text_has_a_line_a_class(evaluation):
    lines = evaluation.classification_report.split("\n")
    assert len(lines) == REPORT_LINES + len(evaluation.label_names) - 1
    assert all(line.isprintable() or "\u200c" in line or "\u200d" in line for line in lines)
    assert max(map(len, lines)) < 90


def test_the_page_shows_names_as_text(evaluation):
    page = render_page(
        "kerasnlp_lab.evaluation",
        evaluation.template,
        config=CONFIG | {"label_names": evaluation.label_names},
        training=TRAINING,
        evaluation=evaluation,
        figures={},
        text=evaluation.as_text(),
    )
    for name in evaluation.label_names:
        assert (
            f'<td class="name">{html.escape(name)}</td>'.replace("&#x27;", "&#39;").replace(
                "&quot;", "&#34;"
            )
            in page
        )
    assert "<script" not in page


def test_json_has_the_whole_names(evaluation):
    again = json.loads(json.dumps(evaluation.as_json(), ensure_ascii=False))
    assert tuple(again["per_class"]) == evaluation.label_names


CONFIG = {"model": {"name": "m"}, "dataset": {"name": "d"}, "seed": 0}
CONFIG["dataset"] |= {"train_rows": 1, "validation_rows": 1}
TRAINING = {"trained_parameters": 1, "total_parameters": 1, "seconds": 1.0, "best_epoch": 1}


def test_names_without_a_font_are_told_apart_and_reported(monkeypatch):
    own = [font for font in fontManager.ttflist if font.name == "DejaVu Sans"]
    monkeypatch.setattr(fontManager, "ttflist", own)
    names = ("财经", "体育", "spam")
    assert drawn_names(names) == ["#0 财经", "#1 体育", "spam"]
    figure = evaluation_of(names).figures()["confusion"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png_bytes(figure)
    assert without_font([figure]) == "".join(sorted("财经体育"))


def test_a_damaged_font_file_is_passed_over(monkeypatch, tmp_path):
    (tmp_path / "broken.ttf").write_text("no font")
    broken = FontEntry(fname=str(tmp_path / "broken.ttf"), name="Broken Sans")
    own = [font for font in fontManager.ttflist if font.name == "DejaVu Sans"]
    monkeypatch.setattr(fontManager, "ttflist", [broken, *own])
    assert fonts_for("a财") == (["DejaVu Sans"], "财")


def test_ordinary_names_are_drawn_as_matplotlib_would():
    assert (
        fonts_for("World, Sci/Tech")[0]
        == ["DejaVu Sans"]
        == matplotlib.rcParamsDefault["font.sans-serif"][:1]
    )


def test_a_chinese_name_keeps_the_columns_of_the_text():
    lines = evaluation_of(("财经新闻和体育新闻", "spam")).classification_report.splitlines()
    assert len({cell_len(line) for line in lines if line and "accuracy" not in line}) == 1
