"""Likely wrong labels, by confident learning.

Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset
Labels", https://arxiv.org/abs/1911.00068.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from kerasnlp_lab.data.words import split_words, unspaced_share

__all__ = ["WrongLabels", "find_wrong_labels", "suspects"]

FOLDS = 5
MOST_FEATURES = 50_000
MOST_CLASSES = 1000


@dataclass(frozen=True)
class WrongLabels:
    """Rows whose label is likely wrong, the likeliest first.

    Args:
        rows: Their indices among the given rows.
        labels: The label id that each more likely has.
        margins: The probability of that label, less that of the row's own label.
        note: The rows that could not be judged, with the reason; empty if all were.
    """

    rows: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()
    margins: tuple[float, ...] = ()
    note: str = ""


def find_wrong_labels(
    texts: Sequence[str],
    labels: np.ndarray,
    groups: np.ndarray,
    label_names: Sequence[str],
    seed: int,
) -> WrongLabels:
    """Judges each row by a classifier that was trained on the other folds.

    The classifier is a logistic regression on TF-IDF, in five folds. The same texts are always
    in one fold: otherwise a wrong label would confirm itself.

    Args:
        texts: The rows' texts.
        labels: Their label ids, int64 of shape [rows].
        groups: Their groups of same texts, int64 of shape [rows].
        label_names: The classes.
        seed: Which rows make a fold.
    """
    first, group = np.unique(groups, return_index=True, return_inverse=True)[1:]
    distinct = np.bincount(labels[first], minlength=len(label_names))
    judged = np.flatnonzero(distinct >= FOLDS)
    note = _note([label_names[label] for label in np.flatnonzero(distinct < FOLDS).tolist()])
    if len(judged) < 2:
        return WrongLabels(note=note)
    if len(judged) > MOST_CLASSES:
        return WrongLabels(note=f"wrong labels were not looked for in {len(judged):,} classes")
    # a text may have two labels, one of a class that is judged and one of a class that is not
    used = np.flatnonzero(np.isin(labels, judged) & np.isin(labels[first], judged)[group])
    features = _features([texts[row] for row in used.tolist()])
    if features is None:
        return WrongLabels(note="wrong labels were not looked for: the texts share no words")
    folds = _folds(labels[first], group, judged, seed)[used]
    classes = np.searchsorted(judged, labels[used])
    probabilities = _out_of_fold(features, classes, folds, len(judged))
    rows, others = suspects(probabilities, classes)
    margins = probabilities[rows, others] - probabilities[rows, classes[rows]]
    return WrongLabels(
        tuple(used[rows].tolist()), tuple(judged[others].tolist()), tuple(margins.tolist()), note
    )


def _note(names: list[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(map(repr, names[:5])) + (" and more" if len(names) > 5 else "")
    return f"wrong labels were not looked for in classes of fewer than {FOLDS} texts: {listed}"


def _features(texts: Sequence[str]) -> Any:
    """Returns the TF-IDF of words and pairs of words, sparse [texts, features].

    In scripts without spaces, it is that of runs of one to three letters.
    """
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 3 if unspaced_share(texts) > 0.5 else 2),
        tokenizer=split_words,
        token_pattern=None,
        sublinear_tf=True,
        min_df=2,  # a word in one text says nothing about the others
        max_features=MOST_FEATURES,
        dtype=np.float32,
    )
    try:
        return vectorizer.fit_transform(texts)
    except ValueError:  # no word is in two texts
        return None


def _folds(labels: np.ndarray, group: np.ndarray, judged: np.ndarray, seed: int) -> np.ndarray:
    """Returns the fold of each row, one for each group, stratified, int64 of shape [rows].

    StratifiedGroupKFold would do, but takes minutes for 100,000 groups.

    Args:
        labels: The label id of each group's first row, int64 of shape [groups].
        group: The group of each row, int64 of shape [rows].
        judged: The label ids with enough texts.
        seed: Which groups make a fold.
    """
    usable = np.flatnonzero(np.isin(labels, judged))
    fold_of_group = np.zeros(len(labels), np.int64)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for fold, (_, held_out) in enumerate(splitter.split(usable, labels[usable])):
        fold_of_group[usable[held_out]] = fold
    return fold_of_group[group]


def _out_of_fold(features: Any, classes: np.ndarray, folds: np.ndarray, count: int) -> np.ndarray:
    """Returns the probabilities of each row from the classifier that has not seen it.

    Float64 of shape [rows, classes].
    """
    probabilities = np.empty((len(classes), count))
    for fold in range(FOLDS):
        held_out = folds == fold
        # tol=1e-3 would stop some fits after 8 steps, with ten times the suspects
        model = LogisticRegression(C=3.0, max_iter=200, tol=3e-4)
        model.fit(features[~held_out], classes[~held_out])
        probabilities[held_out] = model.predict_proba(features[held_out])
    return probabilities


def suspects(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows that likely have another class, and that class, largest margin first.

    A class is likely if its probability is at least the average over the rows of that class,
    and above the probability of the row's own class.

    Args:
        probabilities: From a classifier that has not seen the rows, [rows, classes].
        labels: The rows' label ids, int64 of shape [rows].
    """
    every = range(probabilities.shape[1])
    confidence = np.array([probabilities[labels == c, c].mean() for c in every])
    own = probabilities[np.arange(len(labels)), labels]
    likely = (probabilities >= confidence) & (probabilities > own[:, None])
    others = np.where(likely, probabilities, -1.0).argmax(axis=1)
    rows = np.flatnonzero(likely.any(axis=1))
    margins = probabilities[rows, others[rows]] - own[rows]
    rows = rows[np.argsort(-margins, kind="stable")]
    return rows, others[rows]
