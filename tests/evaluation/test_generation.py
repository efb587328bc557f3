"""GenerationEvaluation: exact match, character error rate and BLEU, against known values."""

import csv

import numpy as np
import pytest

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.tables import csv_content
from kerasnlp_lab.evaluation.generation import score_texts
from kerasnlp_lab.evaluation.report import render_page
from kerasnlp_lab.tasks import GeneratedText, Generation

TEXTS = ["one", "two", "three x", "four y y"]
TARGETS = ["kitten", "a cat sat on the mat", "same", "z\u4e00"]
OUTPUTS = ["sitting", "a cat sat on the mat", "same", ""]
SYMBOLS = Generation(tuple(sorted(set("kitten a cat sat on the mat same z"))), 20)


def evaluation(targets=TARGETS, outputs=OUTPUTS, texts=TEXTS):
    split = Split(texts, target_texts=targets)
    answers = [
        GeneratedText(text, output, 0.5, complete=bool(output))
        for text, output in zip(texts, outputs, strict=True)
    ]
    return score_texts(answers, split, SYMBOLS, 12.0)


@pytest.fixture(scope="module")
def found():
    return evaluation()


def test_exact_match_and_its_interval(found):
    np.testing.assert_array_equal(found.right, [0, 1, 1, 0])
    assert found.headline == ("exact_match", 0.5)
    assert found.interval == pytest.approx((0.1500, 0.8500), abs=1e-4)  # Wilson, 2 of 4


def test_edits_are_levenshteins(found):
    np.testing.assert_array_equal(found.edits, [3, 0, 0, 2])  # kitten, sitting: 3
    assert found.character_error_rate == pytest.approx(5 / (6 + 20 + 4 + 2))


def test_bleu_of_sacrebleu():
    assert evaluation(OUTPUTS[1:2], OUTPUTS[1:2], ["x"]).bleu[0] == pytest.approx(100)
    assert "tok:13a" in evaluation(OUTPUTS[1:2], OUTPUTS[1:2], ["x"]).bleu[1]
    japanese = "\u6771\u4eac\u306e\u5929\u6c17\u306f\u6674\u308c"
    assert "tok:char" in evaluation([japanese], [japanese], ["x"]).bleu[1]


def test_json_counts_what_could_not_be_written(found):
    content = found.as_json()
    assert content["targets_with_unseen_characters"] == 1
    assert content["unseen_characters"] == ["\u4e00"]
    assert content["incomplete_outputs"] == 1
    assert content["predict_texts_per_second"] == 12.0
    assert sum(group["rows"] for group in content["by_length"]) == 4
    assert content["by_length"][0]["characters"] == [3, 3]


def test_mistakes_are_the_worst_first(found):
    assert [one.target for one in found.mistakes] == ["z\u4e00", "kitten"]
    assert found.mistakes_as_json()[1]["edits"] == 3


def test_text_and_report_show_them(found):
    text = found.as_text()
    for line in (
        "exact match 0.5000 (95% 0.1500 to 0.8500), character error rate 0.1562",
        "1 targets cannot be written: no training target has their characters \u4e00",
        "1 outputs reached the most characters",
        "one: 'sitting' in place of 'kitten'",
    ):
        assert line in text
    [(name, figure)] = found.figures().items()
    assert name == found.main_figure
    assert figure.axes[0].get_ylabel() == "exact match"
    config = {"model": {"name": "m"}, "seed": 0}
    config["dataset"] = {"name": "d", "train_rows": 1, "validation_rows": 1}
    numbers = ("trained_parameters", "total_parameters", "seconds", "best_epoch")
    shown = {"config": config, "training": dict.fromkeys(numbers, 1), "figures": {}, "notes": []}
    page = render_page(
        "kerasnlp_lab.evaluation", found.template, evaluation=found, text=text, **shown
    )
    assert "exact match <b>50.00%</b>" in page
    assert "sitting" in page


def test_predictions(found):
    rows = list(csv.DictReader(csv_content(*found.predictions()).decode("utf-8-sig").splitlines()))
    assert rows[0] == {
        "row": "0",
        "file": "",
        "line": "",
        "text": "one",
        "target": "kitten",
        "output": "sitting",
        "score": "0.500000",
        "complete": "True",
        "edits": "3",
    }
