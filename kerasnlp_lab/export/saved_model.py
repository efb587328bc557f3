"""`export_classifier`: writes a SavedModel that takes raw strings and returns answers."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import tensorflow as tf

from kerasnlp_lab.paths import sha256_of_files, whole_directory, write_whole
from kerasnlp_lab.tasks.tagging import TokenLogits
from kerasnlp_lab.training.run_directory import package_versions
from kerasnlp_lab.zoo import Classifier

__all__ = ["MANIFEST", "export_classifier"]

MANIFEST = "assets.extra/manifest.json"


def export_classifier(
    classifier: Classifier, folder: str | Path, *, trained: dict[str, Any] | None = None
) -> None:
    """Writes a SavedModel that needs only tensorflow and tensorflow_text to run.

    The signature ``serving_default`` takes ``text``, strings of shape [batch] with any bytes. For
    classification it returns ``label`` (string [batch]), ``label_id`` (int64 [batch]) and
    ``probabilities`` (float32 [batch, classes]), with the temperature and threshold of the
    classifier's ``decision``. For several labels a text it returns ``labels``, ``count``,
    ``probabilities`` and ``thresholds``; for these and other tasks see ``answers_in_graph``. The
    signature ``logits`` returns the network's own ``logits``, float32 [batch, classes]. The
    SavedModel uses the classifier's precision on every machine. assets.extra/manifest.json holds
    the task, its class names, package versions and the SHA-256 of every file. It is written last.

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
            "decision": dataclasses.asdict(classifier.decision),
            "precision": classifier.options.encoder_precision,
            "trained": trained or {},
            "versions": package_versions(),
            "sha256": sha256_of_files(target),
        }
        write_whole(target / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def _serving_module(classifier: Classifier) -> tf.Module:
    fused = classifier.fused()
    # A SavedModel must own every object that its graphs use.
    outside = classifier.network
    if fused is not classifier.forward:
        outside = list(fused.get_concrete_function().variables)
    signature = [tf.TensorSpec([None], tf.string, name="text")]

    class ServingModule(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = [classifier.text, outside]

        @tf.function(input_signature=signature, autograph=False)
        def logits(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"logits": _dense(classifier.logits_in_graph(fused, text))}

        @tf.function(input_signature=signature, autograph=False)
        def answer(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
            logits = classifier.logits_in_graph(fused, text)
            return classifier.task.answers_in_graph(logits, classifier.decision, text)

    return ServingModule()


def _dense(logits: Any) -> tf.Tensor:
    """Returns logits as one tensor, [batch, ...]; those of tokens are padded with 0."""
    if isinstance(logits, TokenLogits):
        lengths = logits.tokens.lengths
        logits = tf.RaggedTensor.from_row_lengths(logits.values, lengths, validate=False)
    return logits.to_tensor() if isinstance(logits, tf.RaggedTensor) else logits
