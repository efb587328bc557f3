"""`export_classifier`: a SavedModel from raw strings to class names."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import tensorflow as tf

from kerasnlp_lab.paths import sha256_of_files, whole_directory, write_whole
from kerasnlp_lab.training.run_directory import package_versions
from kerasnlp_lab.zoo import Classifier

__all__ = ["MANIFEST", "export_classifier"]

MANIFEST = "assets.extra/manifest.json"


def export_classifier(
    classifier: Classifier, folder: str | Path, *, trained: dict[str, Any] | None = None
) -> None:
    """Writes a SavedModel that needs only tensorflow and tensorflow_text to run.

    ``serving_default`` takes ``text``, strings of shape [batch], any bytes, and
    gives ``label`` (string [batch]), ``label_id`` (int64 [batch]) and
    ``probabilities`` (float32 [batch, classes]), by the temperature and threshold of
    the classifier's ``decision``; the signature ``logits`` gives ``logits`` (float32
    [batch, classes]) as the network has them. It computes in the classifier's precision,
    wherever it runs. assets.extra/manifest.json holds the
    class names, package versions and the SHA-256 of every file, and is written
    last.

    Args:
        classifier: A trained classifier.
        folder: The folder to write, new or empty.
        trained: How it was trained, for the manifest.

    Raises:
        RunError: There is something in the folder already.
        StorageError: It cannot be written.
    """
    module = _serving_module(classifier)
    with whole_directory(folder) as target:
        signatures = {"serving_default": module.classify, "logits": module.logits}
        tf.saved_model.save(module, str(target), signatures=signatures)
        manifest = {
            "model": classifier.name,
            "label_names": list(classifier.label_names),
            "decision": dataclasses.asdict(classifier.decision),
            "precision": getattr(classifier.options, "precision", None),
            "trained": trained or {},
            "versions": package_versions(),
            "sha256": sha256_of_files(target),
        }
        write_whole(target / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def _serving_module(classifier: Classifier) -> tf.Module:
    fused = classifier.fused()
    # What is not within the graph, and has to be saved beside it.
    outside = classifier.network
    if fused is not classifier.forward:
        outside = list(fused.get_concrete_function().variables)
    label_names = tf.constant(classifier.label_names)
    signature = [tf.TensorSpec([None], tf.string, name="text")]

    class ServingModule(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = [classifier.text, outside]

        @tf.function(input_signature=signature, autograph=False)
        def logits(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"logits": tf.cast(fused(*classifier.text.ids_and_lengths(text)), tf.float32)}

        @tf.function(input_signature=signature, autograph=False)
        def classify(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
            probabilities, label_id = classifier.decision.in_graph(self.logits(text)["logits"])
            return {
                "label": tf.gather(label_names, label_id),
                "label_id": label_id,
                "probabilities": probabilities,
            }

    return ServingModule()
