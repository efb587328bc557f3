"""`predict_logits`: a classifier's answers to many texts, in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from kerasnlp_lab.text.pipeline import token_batches
from kerasnlp_lab.text.threads import in_threads
from kerasnlp_lab.zoo.classifier import Classifier

__all__ = ["predict_logits"]

ENCODER_BATCH = 32
SMALL_MODEL_BATCH = 256


def predict_logits(
    classifier: Classifier,
    texts: Sequence[str | bytes],
    *,
    batch_size: int = 0,
    fused: Callable[..., tf.Tensor] | None = None,
) -> np.ndarray:
    """Runs texts through a classifier, in batches of similar length.

    Args:
        classifier: A trained classifier.
        texts: Any texts, as many as memory holds.
        batch_size: Rows in a batch; 0 for what is quick.
        fused: What `Classifier.fused` returned, where many calls are made with the same
            weights; None makes one for this call, which takes a second or two for a BERT.

    Returns:
        Logits, float32 of shape [texts, classes], in the texts' order.
    """
    logits = np.zeros((len(texts), len(classifier.label_names)), np.float32)
    usual = SMALL_MODEL_BATCH if classifier.encoder is None else ENCODER_BATCH
    answer = fused or classifier.fused()

    def logits_of(
        batch: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        rows, ids, lengths = batch
        return rows, answer(ids, lengths).numpy()

    batches = token_batches(classifier.text, texts, batch_size=batch_size or usual)
    # One batch does not fill all cores: between two large products there are many small steps.
    for rows, found in in_threads(logits_of, batches):
        logits[rows] = found
    return logits
