"""tfidf_linear reads words or characters, by what the training rows need."""

import dataclasses

import numpy as np
import pytest

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.lab import ExperimentConfig, run_experiment
from kerasnlp_lab.zoo import create_classifier, find_model
from kerasnlp_lab.zoo.tfidf_tokens import SAMPLE_ROWS, TfidfOptions, _sample, resolve_tokens
from tests.text.corpus import news_texts
from tests.text.languages import CHINESE, JAPANESE, THAI, finnish, unspaced

AUTO = TfidfOptions()


@pytest.mark.parametrize(
    ("language", "longest"), [(CHINESE, 3), (JAPANESE, 4), (THAI, 4)], ids=["zh", "ja", "th"]
)
def test_texts_without_spaces_are_read_by_characters(language, longest):
    texts, ids = unspaced(language, 50)
    for labels in (np.array(ids), None):
        chosen, line = resolve_tokens(AUTO, texts, labels)
        assert (chosen.tokens, chosen.longest_ngram, chosen.min_df) == ("characters", longest, 1)
        assert line == f"character n-grams 1 to {longest}: this script has no spaces between words"


def test_endings_make_characters_better():
    texts, ids = finnish(150)
    chosen, line = resolve_tokens(AUTO, texts, np.array(ids))
    assert chosen.tokens == "characters"
    assert line.startswith(("character n-grams 1 to 4: 0.9", "character n-grams 1 to 4: 1.0"))
    assert line.endswith(" with words, by 3-fold cross-validation on 150 training rows")
    assert resolve_tokens(AUTO, texts, np.array(ids)) == (chosen, line)  # a resumed run asks again


def test_words_stay_unless_characters_are_surely_better():
    texts = [f"{text[:60]} {'good' if row % 2 else 'bad'}" for row, text in enumerate(news_texts())]
    chosen, line = resolve_tokens(AUTO, texts[:90], np.arange(90) % 2)
    assert (chosen.tokens, chosen.longest_ngram, chosen.min_df) == ("words", 2, 2)
    assert chosen.max_ngrams == 0
    assert line.startswith("word n-grams 1 to 2: ") and " with characters, by 3-fold" in line


def test_a_lead_of_characters_that_may_be_chance_is_reported():
    texts, ids = finnish(20)
    chosen, line = resolve_tokens(AUTO, texts, np.array(ids))
    assert chosen.tokens == "words"
    assert line.startswith("word n-grams 1 to 2: 0.700 against 0.850 with characters")
    assert line.endswith("the lead may be chance (--option tokens=characters reads characters)")


@pytest.mark.parametrize("labels", [None, [0, 0, 1, 1], [0, 0, 0, 0]], ids=["none", "few", "one"])
def test_words_where_nothing_can_be_cross_validated(labels):
    texts = ["good cat", "good dog", "bad cat", "bad dog"]
    labels = None if labels is None else np.array(labels)
    assert resolve_tokens(AUTO, texts, labels) == (
        TfidfOptions(tokens="words", longest_ngram=2, min_df=2),
        "",
    )


def test_texts_without_words_are_read_by_characters():
    texts, ids = ["😀😀!", "😢😢?"] * 20, np.arange(40) % 2
    assert resolve_tokens(AUTO, texts, ids)[0].tokens == "characters"


@pytest.mark.parametrize("tokens", ["words", "characters"])
def test_options_that_are_given_stay(tokens):
    given = TfidfOptions(tokens=tokens, longest_ngram=1, min_df=5, max_ngrams=70)
    assert resolve_tokens(given, unspaced(CHINESE, 9)[0], np.zeros(9, int)) == (given, "")


@pytest.mark.parametrize(("classes", "most"), [(2, 300_000), (150, 133_333), (1000, 20_000)])
def test_many_classes_have_fewer_ngrams(classes, most):
    texts = unspaced(CHINESE, classes)[0]
    assert resolve_tokens(AUTO, texts, np.arange(classes))[0].max_ngrams == most


def test_the_sample_is_bounded_and_has_three_rows_a_class():
    labels = np.arange(30_000) % 200
    labels[:2] = 500, 501
    rows = _sample(labels)
    assert len(rows) == SAMPLE_ROWS and (np.diff(rows) > 0).all()
    counts = np.bincount(labels[rows])
    assert np.count_nonzero(counts) == 50 and counts[counts > 0].min() >= 3


@pytest.mark.parametrize("changes", [{"tokens": "pieces"}, {"min_df": -1}, {"max_length": 0}])
def test_other_values_are_refused(changes):
    with pytest.raises(OptionError, match=f"{next(iter(changes))} must be"):
        find_model("tfidf_linear").with_options(changes)


def test_runs_from_before_the_option_read_words():
    before = {"longest_ngram": 2, "min_df": 2, "max_length": 100_000}
    loaded = find_model("tfidf_linear").options.when_loaded(before, {})
    assert TfidfOptions(**loaded) == TfidfOptions("words", 2, 2)
    content = ExperimentConfig("tfidf_linear").to_json()
    content["model"]["options"] = before
    assert ExperimentConfig.from_json(content).options == loaded


def test_a_classifier_without_labels_chooses_by_the_script():
    classifier = create_classifier("tfidf_linear", ["a", "b"], unspaced(THAI, 9)[0])
    assert classifier.options.tokens == classifier.text.tokens == "characters"


class Lines:
    """A console that keeps its lines."""

    def __init__(self):
        self.lines = []

    def print(self, line, **settings):
        self.lines.append(line.strip())


def test_a_run_says_and_records_its_choice(tmp_path):
    splits = []
    for seed, rows in enumerate((90, 30, 30)):
        texts, ids = unspaced(CHINESE, rows, seed)
        splits.append(Split(texts, ids))
    data = TextDataset("chinese", tuple(CHINESE), *splits)
    console = Lines()
    done = run_experiment(ExperimentConfig("tfidf_linear"), data, tmp_path, console=console)
    assert "character n-grams 1 to 3: this script has no spaces between words" in console.lines
    assert not any("splits texts at spaces" in line for line in console.lines)
    recorded = done.run.read_json("config.json")["model"]["options"]
    assert recorded == dataclasses.asdict(TfidfOptions("characters", 3, 1, 300_000))
    assert done.evaluation.headline[1] > 0.95
