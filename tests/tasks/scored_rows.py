"""Makes rows with logits of two classes, and thresholds for them."""

import numpy as np

from kerasnlp_lab.data import Split
from kerasnlp_lab.tasks.threshold import choose_decision

NAMES = ("ham", "spam")
RARE = np.array([87, 13])


def split_of(labels):
    return Split([f"text {i}" for i in range(len(labels))], np.asarray(labels))


def rows(seed, count=200, rounded=False, scale=1.0, shift=0.0):
    """Returns logits of two classes and labels. The second class is rare; rounding makes ties."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(count) < 0.2).astype(int)
    labels[:2] = 0, 1
    logits = np.zeros((count, 2), np.float32)
    logits[:, 1] = scale * (rng.normal(size=count) + 1.5 * labels) + shift
    return (logits.round(1) if rounded else logits), labels


def chosen(logits, labels, threshold, names=NAMES, counts=RARE, **options):
    return choose_decision(logits, split_of(labels), names, counts, threshold=threshold, **options)


def every_cut(scores):
    """Returns whether each row is positive, for every way to divide rows by score."""
    yield np.zeros(len(scores), bool)
    for value in np.unique(scores):
        yield scores >= value


def given(decision, logits):
    return decision.label_ids(decision.probabilities(logits))
