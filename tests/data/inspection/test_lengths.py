"""Lengths match NumPy's and pandas' figures, and count the texts that a maximum length cuts."""

import numpy as np
import pandas as pd
import pytest

from kerasnlp_lab.data import load_table
from kerasnlp_lab.data.inspection import Lengths, inspect_table
from kerasnlp_lab.data.inspection.lengths import lengths_png, word_counts
from kerasnlp_lab.errors import OptionError
from tests.data.inspection.tables import inspect_rows, write_table


def test_figures_are_those_of_pandas():
    lengths = np.random.default_rng(0).poisson(16, 1000)
    series = pd.Series(lengths)
    found = Lengths.of("words", lengths, [10, 25])
    counts = series.value_counts().reindex(range(series.min(), series.max() + 1), fill_value=0)
    assert found.counts == tuple(counts)
    assert found.edges == (*counts.index, series.max() + 1)
    assert (found.mean, found.median) == pytest.approx((series.mean(), series.median()))
    assert found.percentile_95 == pytest.approx(series.quantile(0.95))
    assert found.percentile_99 == pytest.approx(series.quantile(0.99))
    assert (found.longest, found.rows) == (series.max(), 1000)
    assert found.cut == {10: (series > 10).mean(), 25: (series > 25).mean()}


@pytest.mark.parametrize("most", [4, 33, 34, 63, 64, 5000])
def test_bins_are_whole_lengths_and_none_is_empty_after_the_longest(most):
    lengths = np.array([4, 4, most])
    found = Lengths.of("words", lengths, [])
    (step,) = set(np.diff(found.edges))
    assert step == int(step) and sum(found.counts) == 3 and len(found.counts) <= 30
    assert found.edges[0] == 4 and found.counts[-1] > 0
    assert found.edges[-2] <= most < found.edges[-1]


def test_words_are_between_white_space():
    assert word_counts(["one", "two  words", "a\tb\nc\u00a0d", "x,y"]).tolist() == [1, 2, 4, 1]


def test_only_training_texts_are_measured(tmp_path):
    found = inspect_rows(tmp_path, seed=3, max_lengths=(9, 5, 9))
    data = load_table(tmp_path / "t.csv", seed=3)
    (words,) = found.lengths
    expected = [len(text.split()) for text in data.train.texts]
    assert (words.unit, words.rows) == ("words", len(expected))
    assert words.mean == pytest.approx(np.mean(expected))
    assert words.cut == {most: np.mean([n > most for n in expected]) for most in (5, 9)}


def test_tokens_are_counted_by_what_is_given(tmp_path):
    found = inspect_rows(tmp_path, count_tokens=lambda texts: np.array([len(t) for t in texts]))
    words, pieces = found.lengths
    assert (words.unit, pieces.unit) == ("words", "word pieces")
    assert pieces.mean == pytest.approx(np.mean([len(text) for text in found.data.train.texts]))


def test_a_length_of_nothing_is_refused(tmp_path):
    with pytest.raises(OptionError, match="a maximum length must be above 0, got 0"):
        inspect_rows(tmp_path, max_lengths=(0,))


def test_texts_of_one_length_and_the_picture(tmp_path):
    same = Lengths.of("words", np.full(7, 4), [25])
    assert sum(same.counts) == 7
    picture = lengths_png([same, Lengths.of("word pieces", np.arange(90), [25, 64, 128])])
    assert picture.startswith(b"\x89PNG\r\n")


def test_letters_count_where_no_spaces_are_written(tmp_path):
    rows = [(f"今天天气很好，第{n}次。", "天" if n % 2 else "地") for n in range(40)]
    found = inspect_table(write_table(tmp_path / "t.csv", rows))
    (letters,) = found.lengths
    assert (letters.unit, letters.median) == ("letters and words", 9)
    assert letters.cut[25] == 0
