"""`predict_logits`: a classifier's answers to many texts, in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from kerasnlp_lab.text import tokenize
from kerasnlp_lab.text.order import evaluation_order
from kerasnlp_lab.text.threads import in_threads
from kerasnlp_lab.text.vectorizer import Features, TextVectorizer
from kerasnlp_lab.zoo.classifier import Classifier

__all__ = ["predict_logits"]

ENCODER_BATCH = 32
SMALL_MODEL_BATCH = 128


def predict_logits(
    classifier: Classifier,
    texts: Sequence[str | bytes],
    *,
    batch_size: int = 0,
    fused: Callable[[Features], tf.Tensor] | None = None,
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
    tokens = tokenize(classifier.text, texts)
    logits = np.zeros((len(tokens), len(classifier.label_names)), np.float32)
    usual = SMALL_MODEL_BATCH if classifier.encoder is None else ENCODER_BATCH
    order = evaluation_order(tokens.lengths, batch_size or usual)
    fused = fused or classifier.fused()

    def logits_of(rows: np.ndarray) -> np.ndarray:
        return fused(_packed(classifier.text, *tokens.read_flat(rows))).numpy()

    # One batch does not fill all cores: between two large products there are many small steps.
    for rows, found in zip(order, in_threads(logits_of, order), strict=True):
        logits[rows] = found
    return logits


@tf.function(reduce_retracing=True, autograph=False)
def _packed(vectorizer: TextVectorizer, ids: tf.Tensor, lengths: tf.Tensor) -> Features:
    """Returns the features of a batch as one graph: op by op it takes longer than a small model.

    Args:
        vectorizer: The text half; another one makes another graph.
        ids: The token ids of all texts, int32 of shape [tokens].
        lengths: How many are each text's, int64 of shape [batch].
    """
    batch = tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)
    longest = tf.cast(tf.reduce_max(lengths), tf.int32)
    return vectorizer.pack(batch, vectorizer.padded_length(longest))
