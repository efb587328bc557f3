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
    bars = series.hist(bins=30).patches  # as in the tutorial
    assert found.counts == tuple(int(bar.get_height()) for bar in bars)
    np.testing.assert_allclose(found.edges[:-1], [bar.get_x() for bar in bars], atol=1e-9)
    assert (found.mean, found.median) == pytest.approx((series.mean(), series.median()))
    assert found.percentile_95 == pytest.approx(series.quantile(0.95))
    assert found.percentile_99 == pytest.approx(series.quantile(0.99))
    assert (found.longest, found.rows) == (series.max(), 1000)
    assert found.cut == {10: (series > 10).mean(), 25: (series > 25).mean()}


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
