"""`predict_logits`: runs texts through a classifier in batches and returns the logits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab.data.inputs import as_texts
from kerasnlp_lab.data.pairs import check_pairs
from kerasnlp_lab.machine import begin_computing
from kerasnlp_lab.tasks.tagging import TokenLogits
from kerasnlp_lab.text.pipeline import find_tokens, token_batches
from kerasnlp_lab.text.raw_texts import replace_surrogates
from kerasnlp_lab.text.threads import in_threads
from kerasnlp_lab.text.windows import Windows, cut_into_windows, window_batches
from kerasnlp_lab.zoo.classifier import Classifier
from kerasnlp_lab.zoo.mixture import Mixture

__all__ = ["predict_logits"]

ENCODER_BATCH = 32
SMALL_MODEL_BATCH = 256


def predict_logits(
    classifier: Classifier,
    texts: Iterable[str | bytes],
    *,
    batch_size: int = 0,
    fused: Any = None,
) -> Any:
    """Runs texts through a classifier, in batches of similar length.

    Args:
        classifier: A trained classifier.
        texts: Any texts, as many as memory holds; for a model of pairs, strings of `join_pair`.
        batch_size: Texts in a batch; 0 chooses a fast size.
        fused: The graph from `Classifier.fused`, to share among calls with the same weights.
            None builds one for this call, which takes a second or two for a BERT.

    Returns:
        Logits in the order of the texts: float32 [texts, classes], or [texts, most, 2] for
        generation (see `kerasnlp_lab.tasks.Generation`), or for a task that reads a sequence a
        list with float32 [tokens, tags] for each text, without padding. For a task that needs
        offsets they are `TokenLogits`, and texts of any length are read.

    Raises:
        DataError: A text is missing or is no string, or is no pair where the model needs one.
        ForkError: The classifier was built or loaded before this process was forked.
    """
    begin_computing()
    texts = as_texts(texts)
    if classifier.pair:
        check_pairs(texts, classifier.pair)
    answer: Any = fused or classifier.fused()
    if isinstance(classifier, Mixture):
        pairs = zip(classifier.members, answer, strict=True)
        return classifier.mean(
            [predict_logits(one, texts, batch_size=batch_size, fused=own) for one, own in pairs]
        )
    usual = SMALL_MODEL_BATCH if classifier.encoder is None else ENCODER_BATCH
    if classifier.task.needs_offsets:
        return _token_logits(classifier, texts, batch_size or usual, answer)
    text, sequence = classifier.text, classifier.task.reads == "sequence"

    def logits_of(batch: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, Any]:
        rows, ids, lengths = batch
        logits = answer(ids, lengths)
        if sequence:
            own = text.own_tokens(logits, lengths)
            return rows, np.split(own.flat_values.numpy(), np.cumsum(lengths)[:-1])
        return rows, logits.numpy()

    batches = token_batches(text, texts, batch_size=batch_size or usual)
    # Several batches at once fill all cores; one alone leaves some idle between large products.
    found = in_threads(logits_of, batches)
    if sequence:
        of_row = {row: one for rows, some in found for row, one in zip(rows, some, strict=True)}
        return [of_row[row] for row in range(len(texts))]
    logits = np.zeros((len(texts), *classifier.network.output_shape[1:]), np.float32)
    for rows, some in found:
        logits[rows] = some
    return logits


def _token_logits(
    classifier: Classifier, texts: Iterable[str | bytes], batch_size: int, answer: Any
) -> TokenLogits:
    """Returns the logits of all tokens of texts, which are read in windows."""
    text = classifier.text
    valid = [one if isinstance(one, bytes) else replace_surrogates(one).encode() for one in texts]
    found = find_tokens(text, valid)
    cut = cut_into_windows(tf.constant(found.lengths), tf.constant(found.continues), text.room)
    windows = Windows(*(one.numpy() for one in cut))
    tags = classifier.head.output_shape[-1]
    values = np.zeros((len(windows.tokens), tags), np.float32)

    def logits_of(batch: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, Any]:
        places, ids, lengths = batch
        return places, text.own_tokens(answer(ids, lengths), lengths).flat_values.numpy()

    batches = window_batches(text, found, windows, batch_size)
    for places, some in in_threads(logits_of, batches):
        values[places] = some
    return TokenLogits(values[windows.places], found)
