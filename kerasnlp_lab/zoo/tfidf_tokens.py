"""`resolve_tokens`: chooses words or characters for `tfidf_linear`, by the training rows."""

from __future__ import annotations

import dataclasses
import warnings
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

import numpy as np
from scipy.stats import binomtest
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from kerasnlp_lab.data.inspection.scripts import script_counts
from kerasnlp_lab.data.splits import stratified_order
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.text import TfidfVectorizer
from kerasnlp_lab.text.unspaced import note_on_unspaced
from kerasnlp_lab.zoo.options import ModelOptions

__all__ = ["TfidfOptions", "resolve_tokens"]

TOKENS = ("auto", "words", "characters")
MOST_CHARACTER_NGRAMS = 300_000
MOST_WEIGHTS = 20_000_000  # of character n-grams, over all classes: 80 MB
FOLDS = 3
# The cross-validation takes two seconds or so, whatever the table.
SAMPLE_ROWS, SAMPLE_CLASSES, SAMPLE_CHARACTERS = 4000, 50, 200
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class TfidfOptions(ModelOptions):
    """The options of the TF-IDF features.

    Args:
        tokens: "words", "characters", or "auto" for those that do better in cross-validation on
            the training rows.
        longest_ngram: The longest n-gram, in words or characters; 0 for 2 words, for 3 characters
            of Chinese, or for 4 characters of another script.
        min_df: The number of training texts in which an n-gram must occur; 0 for 2 with words and
            1 with characters.
        max_ngrams: The most n-grams of the vocabulary, for which min_df is raised; 0 for no limit
            with words, and with characters for 300,000, or fewer for more than 66 classes.
        max_length: The most n-grams that are read from one text.

    Raises:
        OptionError: A value is out of range.
    """

    added_since: ClassVar[Mapping[str, Any]] = {"tokens": "words", "max_ngrams": 0}

    tokens: str = "auto"
    longest_ngram: int = 0
    min_df: int = 0
    max_ngrams: int = 0
    max_length: int = 100_000

    def __post_init__(self) -> None:
        check_option("tokens", self.tokens, self.tokens in TOKENS, f"one of {', '.join(TOKENS)}")
        for name in ("longest_ngram", "min_df", "max_ngrams"):
            value = getattr(self, name)
            check_option(name, value, value >= 0, "0 or more")
        check_option("max_length", self.max_length, self.max_length >= 1, "1 or more")

    def vectorizer(self) -> TfidfVectorizer:
        """Returns a new vectorizer for resolved options."""
        return TfidfVectorizer(
            self.max_length,
            ngram_range=(1, self.longest_ngram),
            min_df=self.min_df,
            tokens=self.tokens,
            max_ngrams=self.max_ngrams,
        )


def resolve_tokens(
    options: TfidfOptions, texts: Collection[str | bytes], labels: np.ndarray | None
) -> tuple[TfidfOptions, str]:
    """Returns the options without "auto" and 0, and a line on the choice: see `ZooEntry.resolve`.

    Texts without spaces between words are read by characters. For others, a linear SVM on a
    sample of the rows is cross-validated with words and with characters. Characters take more
    time, so they must be right more often by more than noise (McNemar's exact test, one-sided).
    """
    classes = 0 if labels is None or not len(labels) else int(labels.max()) + 1
    if options.tokens != "auto":
        return _filled(options, texts, classes), ""
    words = _filled(dataclasses.replace(options, tokens="words"), texts, classes)
    characters = _filled(dataclasses.replace(options, tokens="characters"), texts, classes)
    if note_on_unspaced(texts):
        return characters, f"{_name(characters)}: this script has no spaces between words"
    rows = np.zeros(0, np.int64) if labels is None else _sample(labels)
    if labels is None or not len(rows):
        return words, ""
    wanted = dict.fromkeys(rows.tolist())
    sample = [text[:SAMPLE_CHARACTERS] for row, text in enumerate(texts) if row in wanted]
    right_by_words = _right(words, sample, labels[rows])
    right_by_characters = _right(characters, sample, labels[rows])
    better = int(np.sum(right_by_characters & ~right_by_words))
    differ = int(np.sum(right_by_characters != right_by_words))
    surely = differ > 0 and binomtest(better, differ, alternative="greater").pvalue < SIGNIFICANCE
    shares = right_by_words.mean(), right_by_characters.mean()
    by = f"by {FOLDS}-fold cross-validation on {len(rows):,} training rows"
    if surely:
        line = f"{_name(characters)}: {shares[1]:.3f} against {shares[0]:.3f} with words, {by}"
        return characters, line
    line = f"{_name(words)}: {shares[0]:.3f} against {shares[1]:.3f} with characters, {by}"
    if shares[1] > shares[0]:
        line += "; the lead may be chance (--option tokens=characters reads characters)"
    return words, line


def _filled(options: TfidfOptions, texts: Collection[str | bytes], classes: int) -> TfidfOptions:
    """Returns the options with a value in place of each 0."""
    if options.tokens == "words":
        longest, min_df, most = 2, 2, 0
    else:
        longest, min_df = 3 if _chinese(texts) else 4, 1
        most = min(MOST_CHARACTER_NGRAMS, MOST_WEIGHTS // max(classes, 1))
    return dataclasses.replace(
        options,
        longest_ngram=options.longest_ngram or longest,
        min_df=options.min_df or min_df,
        max_ngrams=options.max_ngrams or most,
    )


def _chinese(texts: Collection[str | bytes]) -> bool:
    letters: Counter[str] = Counter()
    for text in islice(texts, 1000):
        letters += script_counts(text if isinstance(text, str) else text.decode("utf-8", "replace"))
    kana = letters["Hiragana"] + letters["Katakana"]  # of Japanese
    return 2 * letters["Han"] > letters.total() and 20 * kana < letters.total()


def _sample(labels: np.ndarray) -> np.ndarray:
    """Returns the rows to cross-validate on, in order; none if two classes have too few."""
    counts = np.bincount(labels)
    largest = np.argsort(-counts, kind="stable")[:SAMPLE_CLASSES]
    rows = np.flatnonzero(np.isin(labels, largest))
    rows = rows[stratified_order(labels[rows], seed=0)[:SAMPLE_ROWS]]
    enough = np.flatnonzero(np.bincount(labels[rows]) >= FOLDS)
    rows = np.sort(rows[np.isin(labels[rows], enough)])
    return rows if len(enough) > 1 else rows[:0]


def _right(options: TfidfOptions, texts: list[str | bytes], labels: np.ndarray) -> np.ndarray:
    """Returns which texts a linear SVM classifies right that has not seen them, bool [texts]."""
    ngrams = options.vectorizer().ngrams(texts)
    try:
        counts = CountVectorizer(analyzer=list, min_df=options.min_df).fit_transform(ngrams)
    except ValueError:  # no n-gram
        return np.zeros(len(texts), bool)
    model = make_pipeline(TfidfTransformer(sublinear_tf=True), LinearSVC(C=0.5, random_state=0))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return cross_val_predict(model, counts, labels, cv=folds) == labels


def _name(options: TfidfOptions) -> str:
    unit = "word" if options.tokens == "words" else "character"
    return f"{unit} n-grams 1 to {options.longest_ngram}"
