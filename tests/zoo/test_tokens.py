"""`transformer` on words, pieces and characters: the choice, and the same answers everywhere."""

import json

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.explanation import explain
from kerasnlp_lab.export import export_classifier, open_predictor
from kerasnlp_lab.lab import ExperimentConfig
from kerasnlp_lab.zoo import create_classifier, find_model, load_classifier, predict_logits
from tests.bert.hard_texts import HARD_TEXTS
from tests.text.corpus import ODD_TEXTS

CHINESE = ["今天股市大涨", "球队赢得比赛", "新手机今天发布"]
MIXED = [text for text in [*HARD_TEXTS, *ODD_TEXTS, *CHINESE] if isinstance(text, str)]


def built(texts, tokens="auto"):
    classifier = create_classifier(
        "transformer", ["a", "b"], texts, options={"tokens": tokens, "vocab_size": 2000}
    )
    for variable in classifier.network.trainable_variables:  # n-grams start at zero
        noise = np.random.default_rng(0).normal(size=variable.shape, scale=0.3)
        variable.assign_add(noise.astype(np.float32))
    return classifier


@pytest.mark.parametrize(
    ("texts", "asked", "chosen"),
    [
        (CHINESE, "auto", "pieces"),
        (CHINESE, "words", "words"),
        (["plain words", "and more"], "auto", "words"),
        (["plain words", "and more"], "characters", "characters"),
    ],
)
def test_the_texts_decide_unless_asked(texts, asked, chosen):
    entry = find_model("transformer")
    found, said = entry.resolve(entry.with_options({"tokens": asked}), texts, None)
    assert found.tokens == chosen
    assert bool(said) == (asked == "auto" and chosen == "pieces")


def test_a_run_of_the_first_version_reads_words(tmp_path):
    classifier = built(["plain words"])
    classifier.save(tmp_path / "model")
    file = tmp_path / "model" / "classifier.json"
    description = json.loads(file.read_text())
    assert description["options"].pop("tokens") == "words"
    file.write_text(json.dumps(description))
    assert load_classifier(tmp_path / "model").options.tokens == "words"
    content = ExperimentConfig("transformer").to_json()
    assert content["model"]["options"].pop("tokens") == "auto"
    assert ExperimentConfig.from_json(content).options["tokens"] == "words"


@pytest.mark.parametrize("tokens", ["pieces", "characters"])
def test_all_ways_give_the_same_answers(tokens, tmp_path):
    classifier = built(MIXED[::2], tokens)
    logits = predict_logits(classifier, MIXED)
    plain = classifier.model(tf.constant(MIXED)).numpy()
    np.testing.assert_allclose(logits, plain, atol=1e-5)
    classifier.save(tmp_path / "model")
    again = load_classifier(tmp_path / "model")
    assert again.options == classifier.options
    np.testing.assert_allclose(predict_logits(again, MIXED), logits, atol=1e-6)
    export_classifier(classifier, tmp_path / "export")
    answers = list(open_predictor(tmp_path / "export").predict(MIXED))
    names = classifier.label_names
    assert [one.label for one in answers] == [names[row] for row in logits.argmax(axis=1)]
    for text in ("Größe 東京タワー น้ำใจ 🙂!", "今天股市"):
        explained = explain(classifier, text)
        assert explained.label == names[predict_logits(classifier, [text])[0].argmax()]
        assert explained.completeness.error < 0.05
        assert "".join(word.text for word in explained.words) == text.replace(" ", "")
