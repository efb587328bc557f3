"""`predict_logits`: a classifier's answers to many texts, in their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kerasnlp_lab.text import tokenize
from kerasnlp_lab.text.pipeline import evaluation_order, feature_batches
from kerasnlp_lab.zoo.classifier import Classifier

__all__ = ["predict_logits"]


def predict_logits(
    classifier: Classifier, texts: Sequence[str | bytes], *, batch_size: int = 64
) -> np.ndarray:
    """Runs texts through a classifier, in batches of similar length.

    Args:
        classifier: A trained classifier.
        texts: Any texts, as many as memory holds.
        batch_size: Rows in a batch.

    Returns:
        Logits, float32 of shape [texts, classes], in the texts' order.
    """
    tokens = tokenize(classifier.text, texts)
    logits = np.zeros((len(tokens), len(classifier.label_names)), np.float32)
    order = evaluation_order(tokens.lengths, batch_size)
    all_rows = np.concatenate([np.zeros(0, np.int32), *order])
    batches = feature_batches(classifier.text, tokens, all_rows, batch_size=batch_size)
    for rows, features in zip(order, batches, strict=True):
        logits[rows] = classifier.forward(features).numpy()
    return logits
