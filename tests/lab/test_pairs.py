"""A run on pairs of texts: of a BERT, from frozen features onwards, and of another model."""

import csv
import io
import json

import pytest
import rich.console

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.data.pairs import join_pair
from kerasnlp_lab.export import open_predictor
from kerasnlp_lab.lab import ExperimentConfig, run_experiment
from kerasnlp_lab.lab.reading import notes_on_reading
from kerasnlp_lab.recipe import Recipe
from kerasnlp_lab.zoo import find_model

ANIMALS, THINGS = ("cat", "dog", "the cat", "a dog"), ("oil", "stock", "the chip", "a match")


@pytest.fixture(scope="module")
def data():
    """Pairs of an animal and a thing; the label says which of them comes first."""
    pairs = [(one, other) for one in ANIMALS for other in THINGS]
    texts = [join_pair(*pair) for pair in pairs] + [join_pair(*pair[::-1]) for pair in pairs]
    labels = [0] * len(pairs) + [1] * len(pairs)
    rows, wrong = Split(texts, labels), Split(texts, labels[::-1])
    names = ("question", "answer")
    return TextDataset("order", ("animal", "thing"), rows, rows, wrong, pair=names)


def run(data, folder, *settings):
    said = io.StringIO()
    config = ExperimentConfig(*settings)
    console = rich.console.Console(file=said, soft_wrap=True)
    return run_experiment(config, data, folder, console=console), said.getvalue()


def test_a_bert_reads_two_texts(data, tiny_checkpoint, tmp_path):
    options = {"max_length": 16, "precision": "float32"}
    recipe = Recipe(batch_size=8, epochs=1, frozen_epochs=1)
    found, said = run(data, tmp_path / "run", str(tiny_checkpoint), options, recipe)
    assert "as one text" not in said
    assert "features" in said  # of pairs, from the frozen encoder
    assert found.evaluation.probabilities.std(axis=0).min() > 0
    with open(tmp_path / "run" / "predictions.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (rows[0]["text"], rows[0]["second_text"]) == ("cat", "oil")
    assert (rows[-1]["text"], rows[-1]["second_text"]) == ("a match", "a dog")
    described = json.loads((tmp_path / "run" / "model" / "classifier.json").read_text())
    assert described["pair"] == ["question", "answer"]


def test_tfidf_reads_both_as_one_text(data, tmp_path):
    found, said = run(data, tmp_path / "run", "tfidf_linear")
    assert "tfidf_linear reads question and answer as one text and does not know where" in said
    assert found.evaluation.mistakes
    for mistake in found.evaluation.mistakes_as_json():
        assert mistake["text"] and mistake["second_text"] and "\x1f" not in str(mistake)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "\x1f" not in page
    mistake = found.evaluation.mistakes[0]
    assert f"{mistake.text} <b>|</b> {mistake.second_text}" in page


def test_several_labels_of_pairs(data, tmp_path):
    names = ("animal", "thing", "dog")
    sets = [(0, 2) if "dog" in text else (0,) for text in data.train.texts]
    wrong = [(1,)] * len(sets)
    rows, test = (Split(data.train.texts, label_sets=one) for one in (sets[:-1] + [(1,)], wrong))
    pairs = TextDataset("sets", names, rows, rows, test, pair=data.pair)
    config = ExperimentConfig("tfidf_linear", task="multi_label")
    found = run_experiment(config, pairs, tmp_path / "run")
    mistakes = found.evaluation.mistakes_as_json()
    assert mistakes and all(one["second_text"] and "\x1f" not in one["text"] for one in mistakes)
    with open(tmp_path / "run" / "predictions.csv", encoding="utf-8-sig", newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["text"], row["second_text"]) == ("cat", "oil")
    assert "\x1f" not in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    (answer,) = open_predictor(tmp_path / "run").predict([("a dog", "oil")])
    assert (answer.text, answer.second_text) == ("a dog", "oil")
    assert answer.as_json()["second_text"] == "oil"


def test_what_is_not_read_of_long_pairs(tiny_checkpoint):
    entry = find_model(str(tiny_checkpoint))
    text = entry.build_text(entry.with_options({"max_length": 13}))
    text.read_pairs()
    pair = join_pair("cats " * 20, "the dog " * 3)  # 5 of 40 pieces and 5 of 6 fit
    (note,) = notes_on_reading(entry, text, [pair] * 10)
    # Cat and ##s is one word, and the boundary is none: 3 and 5 of 26 words are read.
    assert note.startswith("100% of the texts are longer than 13 tokens: 69% of all words are not")
    assert "windows" not in note
    assert "--max-length 56 would cut 0%" in note  # 46, the boundary, [CLS] and [SEP] are 49
    fits = join_pair("cat " * 5, "dog " * 5)  # 13 with the three marks
    assert notes_on_reading(entry, text, [fits] * 10) == []
