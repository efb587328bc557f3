"""`frozen_features`: gets a frozen encoder's features from a cache, or computes them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import rich.console
import rich.progress
import tensorflow as tf

from kerasnlp_lab.paths import cache_dir
from kerasnlp_lab.text import TokenizedTexts
from kerasnlp_lab.text.features import WINDOW_OF, Features
from kerasnlp_lab.text.pipeline import feature_batches
from kerasnlp_lab.training.feature_cache import FeatureCache, text_keys
from kerasnlp_lab.training.progress import progress_bar
from kerasnlp_lab.zoo import Classifier
from kerasnlp_lab.zoo.network import FEATURES

__all__ = ["FrozenFeatures", "frozen_features"]

BATCH = 64
READ_ROWS = 4096
CHECKED_TEXTS = 8
TOLERANCE = {"float32": 1e-4, "mixed_bfloat16": 5e-2}

Compute = Callable[[TokenizedTexts, np.ndarray], Iterator[np.ndarray]]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class FrozenFeatures:
    """The features of many texts."""

    cache: FeatureCache
    places: np.ndarray  # of each text's features in the cache, int64 of shape [texts, 2]
    width: int  # the number of features of a text

    def load(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the features, float32 [batch, width], of rows, int32 [batch], in a graph."""

        def read(rows: np.ndarray) -> np.ndarray:
            return self.cache.read(self.places[rows])

        features = tf.numpy_function(read, [rows], tf.float32)
        features.set_shape([None, self.width])
        return features

    def load_windows(self, rows: tf.Tensor, counts: np.ndarray) -> Features:
        """Returns the inputs of a `window_head` for texts, in a graph.

        Args:
            rows: The numbers of the texts, int32 [batch].
            counts: The number of windows of every text, int64; the features are those of windows.
        """
        ends = tf.gather(tf.constant(np.cumsum(counts)), rows)
        windows = tf.ragged.range(ends - tf.gather(tf.constant(counts), rows), ends)
        return {FEATURES: self.load(windows.flat_values), WINDOW_OF: windows.value_rowids()}


def frozen_features(
    classifier: Classifier,
    parts: dict[str, TokenizedTexts],
    console: rich.console.Console | None = None,
    unit: str = "texts",
) -> dict[str, FrozenFeatures]:
    """Returns the features that the encoder, with its current weights, computes for texts, by part.

    Each text is computed only once. Features are cached below `cache_dir` by the encoder's
    weights and options, its preprocessing, and the text's token ids. A few cached ones are
    computed again and compared. `unit` names the texts to the user. Raises StorageError if
    features cannot be written.
    """
    began = time.perf_counter()
    width = classifier.head.input_shape[-1]
    cache = FeatureCache(cache_dir() / "features" / classifier.encoder_fingerprint()[:32], width)
    keys = {part: _keys(tokens) for part, tokens in parts.items()}
    fused = classifier.fused_features()

    def compute(tokens: TokenizedTexts, rows: np.ndarray) -> Iterator[np.ndarray]:
        for batch in feature_batches(classifier.text, tokens, rows, batch_size=BATCH):
            yield fused(batch).numpy()

    tolerance = TOLERANCE[str(classifier.options.encoder_precision)]
    for part, tokens in parts.items():
        _check_cached(compute, tolerance, cache, tokens, keys[part])
    computed = 0
    with progress_bar(console) as bar:
        for part, tokens in parts.items():
            computed += _compute_missing(compute, cache, tokens, keys[part], bar)
    if console is not None:
        texts = sum(map(len, parts.values()))
        console.print(
            f"  features  {computed} of {texts} {unit} through the frozen encoder, the rest cached"
            f"  {time.perf_counter() - began:.1f} s",
            highlight=False,
        )
    return {part: FrozenFeatures(cache, cache.find(keys[part]), width) for part in parts}


def _keys(tokens: TokenizedTexts) -> np.ndarray:
    starts = range(0, len(tokens), READ_ROWS)
    rows = np.arange(len(tokens))
    blocks = [text_keys(tokens.read(rows[start : start + READ_ROWS])) for start in starts]
    return np.concatenate([np.zeros((0, 2), "<u8"), *blocks])


def _compute_missing(
    compute: Compute,
    cache: FeatureCache,
    tokens: TokenizedTexts,
    keys: np.ndarray,
    bar: rich.progress.Progress,
) -> int:
    """Computes features that are not cached, longest texts first, and returns how many."""
    missing = np.flatnonzero(cache.find(keys)[:, 0] < 0)
    _, first = np.unique(keys[missing], axis=0, return_index=True)
    rows = missing[first]
    rows = rows[np.argsort(-tokens.lengths[rows], kind="stable")]
    task = bar.add_task("  features", total=len(rows))

    def features(chosen: np.ndarray) -> Iterator[np.ndarray]:
        for batch in compute(tokens, rows[chosen]):
            yield batch
            bar.update(task, advance=len(batch))

    cache.add(keys[rows], features)
    return len(rows)


def _check_cached(
    compute: Compute,
    tolerance: float,
    cache: FeatureCache,
    tokens: TokenizedTexts,
    keys: np.ndarray,
) -> None:
    """Empties the cache if the encoder computes other features for a few cached texts."""
    places = cache.find(keys)
    known = np.flatnonzero(places[:, 0] >= 0)
    if not len(known):
        return
    rows = known[np.linspace(0, len(known) - 1, min(CHECKED_TEXTS, len(known))).astype(int)]
    computed = np.concatenate(list(compute(tokens, rows)))
    differences = np.abs(computed - cache.read(places[rows]))
    if not differences.max() <= tolerance:  # so that NaN does not match either
        _log.warning("%s holds another encoder's features; all are removed", cache.folder)
        cache.forget()
