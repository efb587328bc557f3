"""The results of entities: exact places and types as seqeval counts them, mistakes, intervals."""

import json

import numpy as np
import pytest
import seqeval.metrics
import seqeval.scheme

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.evaluation.entities import score_entities
from kerasnlp_lab.evaluation.paired_tests import f1_interval, paired_bootstrap_f1
from kerasnlp_lab.evaluation.report import render_page
from kerasnlp_lab.tasks.entities import Entity, TextEntities

NAMES = ("person", "place")


def drawn_spans(rng, words):
    """Returns entities of one or two words, at random places."""
    spans, word = [], 0
    while word < len(words):
        length = int(rng.integers(1, 3))
        if rng.random() < 0.5 and word + length <= len(words):
            start = sum(len(one) + 1 for one in words[:word])
            end = start + len(" ".join(words[word : word + length]))
            spans.append(Span(start, end, NAMES[rng.integers(2)]))
            word += length
        word += 1
    return tuple(spans)


def answer(text, spans, score=0.5):
    entities = [Entity(*span, text[span.start : span.end], score) for span in spans]
    return TextEntities(text, tuple(entities))


def tags_of(text, spans):
    tags, place = [], 0
    for word in text.split():
        own = [span for span in spans if span.start <= place < span.end]
        begins = own and own[0].start == place
        tags.append(f"{'B' if begins else 'I'}-{own[0].label}" if own else "O")
        place += len(word) + 1
    return tags


def test_f1_equals_seqevals_strict_mode():
    rng = np.random.default_rng(0)
    words = [[f"w{n}" for n in range(rng.integers(0, 9))] for _ in range(60)]
    texts = [" ".join(row) for row in words]
    true, found = ([drawn_spans(rng, row) for row in words] for _ in range(2))
    found = [f if row % 3 else t for row, (f, t) in enumerate(zip(found, true, strict=True))]
    split = Split(texts, spans=true)
    result = score_entities(list(map(answer, texts, found)), split, NAMES)
    expected = seqeval.metrics.classification_report(
        [*map(tags_of, texts, true)],
        [*map(tags_of, texts, found)],
        mode="strict",
        scheme=seqeval.scheme.IOB2,
        output_dict=True,
        zero_division=0,
    )
    micro = expected["micro avg"]
    assert result.headline == ("entity_f1", pytest.approx(micro["f1-score"]))
    assert result.more_figures == pytest.approx(
        {"precision": micro["precision"], "recall": micro["recall"]}
    )
    for name in NAMES:
        row = result.per_type[name]
        assert row["f1"] == pytest.approx(expected[name]["f1-score"])
        assert row["true"] == expected[name]["support"]
    assert result.interval[0] < result.headline[1] < result.interval[1]
    assert result.right.tolist() == [
        float(set(t) == set(f)) for t, f in zip(true, found, strict=True)
    ]


@pytest.fixture(scope="module")
def result():
    text = "Ada of Paris met Bob in Rome"
    split = Split(
        [text, "Zo\u00eb", "none"],
        spans=[
            [(0, 3, "person"), (7, 12, "place"), (17, 20, "person"), (24, 28, "place")],
            [(0, 3, "person")],
            [],
        ],
        path="names.conll",
        lines=[1, 9, 12],
    )
    found = [
        [Span(0, 12, "person"), Span(17, 20, "place"), Span(24, 28, "place")],
        [],
        [Span(0, 4, "place")],
    ]
    answers = [answer(*one) for one in zip(split.texts, found, (0.9, 0.5, 0.7), strict=True)]
    return score_entities(answers, split, NAMES)


def test_mistakes_have_a_kind(result):
    kinds = [
        (one.kind, one.where, one.true and one.true[:2], one.found and one.found.text)
        for one in result.mistakes
    ]
    assert kinds == [
        ("missed", "names.conll, line 1", (7, 12), None),
        ("missed", "names.conll, line 9", (0, 3), None),
        ("spurious", "names.conll, line 12", None, "none"),
        ("type", "names.conll, line 1", (17, 20), "Bob"),
        ("place", "names.conll, line 1", (0, 3), "Ada of Paris"),
    ]
    assert result.counts.tolist() == [[1, 3, 4], [0, 0, 1], [0, 1, 0]]
    #                                    person  place  none
    assert result.confusion.tolist() == [[1, 1, 1], [0, 1, 1], [0, 1, 0]]
    assert result.scores.tolist() == [0.9, 0.9, 0.9, 0.7]
    assert result.score_right.tolist() == [False, False, True, False]


def test_results_as_text_json_table_page_and_figures(result):
    text = result.as_text()
    assert "entity F1 0.2222" in text and "1 of 4 found entities are right, of 5 true ones" in text
    assert "2 missed, 1 spurious, 1 of another type, 1 at another place" in text
    assert json.loads(json.dumps(result.as_json()))["true"] == 5
    assert json.loads(json.dumps(result.mistakes_as_json()))[0]["true"]["label"] == "place"
    columns, rows = result.predictions()
    assert columns == ["row", "file", "line", "text", "true", "predicted", "right"]
    assert [list(row) for row in rows][2] == [
        *(2, "names.conll", 12, "none", "[]", '[[0, 4, "place", 0.7]]', 0),
    ]
    assert set(result.figures()) == {"confusion", "scores"}
    config = {"model": {"name": "m"}, "dataset": dict.fromkeys(("train_rows",), 1), "seed": 0}
    config["dataset"] |= {"validation_rows": 1, "name": "d"}
    training = {"trained_parameters": 1, "total_parameters": 1, "seconds": 1.0, "best_epoch": 1}
    page = render_page(
        "kerasnlp_lab.evaluation",
        result.template,
        config=config,
        training=training,
        evaluation=result,
        figures={},
        text=text,
    )
    assert "Ada of Paris (person)" in page and "Missed entities" in page


def test_no_entity_at_all():
    nothing = score_entities([answer("a", [])], Split(["a"], spans=[[]]), NAMES)
    assert (nothing.headline[1], nothing.interval, nothing.calibration_error) == (0, (0, 0), 0)
    assert "entity F1 0.0000" in nothing.as_text()
    assert nothing.figures()


def test_a_type_that_the_model_does_not_know_is_named():
    split = Split(["Ada"], spans=[[(0, 3, "robot")]])
    with pytest.raises(DataError, match="'robot'"):
        score_entities([answer("Ada", [])], split, NAMES)


def counts_with(rng, right, rows=400):
    """Returns counts of rows with an entity each, of which a share is right."""
    ones = np.ones((rows, 3), np.int64)
    ones[:, 0] = rng.random(rows) < right
    return ones


def test_a_paired_bootstrap_tells_a_difference_from_noise():
    rng = np.random.default_rng(0)
    a, b = counts_with(rng, 0.8)[np.newaxis], counts_with(rng, 0.5)[np.newaxis]
    low, high, p = paired_bootstrap_f1(a, b)
    difference = a[..., 0].mean() - b[..., 0].mean()
    error = np.sqrt((0.8 * 0.2 + 0.5 * 0.5) / 400)
    expected = pytest.approx((difference - 1.96 * error, difference + 1.96 * error), abs=0.01)
    assert (low, high) == expected and p == 1 / 2000
    assert paired_bootstrap_f1(b, a)[:2] == pytest.approx((-high, -low))
    assert paired_bootstrap_f1(a, a) == (0, 0, 1)
    shuffled = a[:, rng.permutation(400)]
    low, high, p = paired_bootstrap_f1(a, shuffled)
    assert low < 0 < high and p > 0.05
    low, high = f1_interval(a[0])
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.8 * 0.2 / 400), rel=0.15)
