"""`predict_logits`: a classifier's answers to many texts, in their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kerasnlp_lab.text import evaluation_batches, tokenize
from kerasnlp_lab.text.pipeline import evaluation_order
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
    labels = np.zeros(len(tokens), np.int64)
    batches = evaluation_batches(classifier.text, tokens, labels, batch_size=batch_size)
    for rows, (features, _) in zip(
        evaluation_order(tokens.lengths, batch_size), batches, strict=True
    ):
        logits[rows] = classifier.forward(features).numpy()
    return logits
