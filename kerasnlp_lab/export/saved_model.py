"""`export_classifier`: writes a SavedModel that takes raw strings and returns answers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from kerasnlp_lab.data.pairs import PAIR_SEPARATOR
from kerasnlp_lab.paths import sha256_of_files, whole_directory, write_whole
from kerasnlp_lab.tasks.tagging import TokenLogits
from kerasnlp_lab.training.run_directory import package_versions
from kerasnlp_lab.zoo import Classifier

__all__ = ["INPUTS", "MANIFEST", "export_classifier"]

MANIFEST = "assets.extra/manifest.json"
INPUTS = ("text", "second_text")
"""The inputs of the signatures; the second is for pairs."""


def export_classifier(
    classifier: Classifier, folder: str | Path, *, trained: dict[str, Any] | None = None
) -> None:
    """Writes a SavedModel that needs only tensorflow and tensorflow_text to run.

    The signature ``serving_default`` takes ``text``, strings of shape [batch] with any bytes, and a
    model of pairs takes the second texts as ``second_text``, of the same shape. For
    classification it returns ``label`` (string [batch]), ``label_id`` (int64 [batch]) and
    ``probabilities`` (float32 [batch, classes]), with the temperature and threshold of the
    classifier's ``decision``. For several labels a text it returns ``labels``, ``count``,
    ``probabilities`` and ``thresholds``; for these and other tasks see ``answers_in_graph``. The
    signature ``logits`` returns the network's own ``logits``, float32 [batch, classes]. The
    SavedModel uses the classifier's precision on every machine. assets.extra/manifest.json holds
    the task, its class names, the names of a pair's texts, package versions and the SHA-256 of
    every file. It is written last.

    Args:
        classifier: A trained classifier.
        folder: The folder to write, new or empty.
        trained: A description of the training, for the manifest.

    Raises:
        RunError: The folder is not empty.
        StorageError: The folder cannot be written.
    """
    module = _serving_module(classifier)
    with whole_directory(folder) as target:
        signatures = {"serving_default": module.answer, "logits": module.logits}
        tf.saved_model.save(module, str(target), signatures=signatures)
        manifest = {
            "model": classifier.name,
            "task": classifier.task.to_json(),
            "label_names": list(classifier.label_names),
            **({"pair": list(classifier.pair)} if classifier.pair else {}),
            "decision": dataclasses.asdict(classifier.decision),
            "precision": classifier.options.encoder_precision,
            "trained": trained or {},
            "versions": package_versions(),
            "sha256": sha256_of_files(target),
        }
        write_whole(target / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def _serving_module(classifier: Classifier) -> tf.Module:
    fused = classifier.fused()
    inputs = INPUTS if classifier.pair else INPUTS[:1]
    signature = [tf.TensorSpec([None], tf.string, name=name) for name in inputs]

    class ServingModule(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = classifier.owned_by_export(fused)

        @tf.function(input_signature=signature, autograph=False)
        def logits(self, *texts: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"logits": _dense(classifier.logits_in_graph(fused, _joined(texts)))}

        @tf.function(input_signature=signature, autograph=False)
        def answer(self, *texts: tf.Tensor) -> dict[str, tf.Tensor]:
            text = _joined(texts)
            logits = classifier.logits_in_graph(fused, text)
            return classifier.task.answers_in_graph(logits, classifier.decision, text)

    return ServingModule()


def _joined(texts: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns texts, or the two texts of pairs, as strings that a classifier reads, [batch]."""
    if len(texts) == 1:
        return texts[0]
    sides = [tf.strings.regex_replace(text, PAIR_SEPARATOR, " ") for text in texts]
    return tf.strings.join(sides, PAIR_SEPARATOR)


def _dense(logits: Any) -> tf.Tensor:
    """Returns logits as one tensor, [batch, ...]; those of tokens are padded with 0."""
    if isinstance(logits, TokenLogits):
        lengths = logits.tokens.lengths
        logits = tf.RaggedTensor.from_row_lengths(logits.values, lengths, validate=False)
    return logits.to_tensor() if isinstance(logits, tf.RaggedTensor) else logits
