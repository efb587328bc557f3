"""A model zoo and lab bench for text classification on TensorFlow and tf_keras.

Importing the package does not import TensorFlow. The first use of a name below may do so.
"""

from __future__ import annotations

from kerasnlp_lab._lazy import lazy_names
from kerasnlp_lab.machine import prefer_onednn

__version__ = "0.1.0"

_HOMES = {
    "Classifier": "kerasnlp_lab.zoo",
    "KerasnlpLabError": "kerasnlp_lab.errors",
    "MaskedAveragePooling1D": "kerasnlp_lab.layers",
    "Recipe": "kerasnlp_lab.zoo",
    "TokenAndPositionEmbedding": "kerasnlp_lab.layers",
    "TokenSegmentPositionEmbedding": "kerasnlp_lab.layers",
    "TransformerBlock": "kerasnlp_lab.layers",
    "adamw_with_warmup": "kerasnlp_lab.training",
    "create_classifier": "kerasnlp_lab.zoo",
    "evaluate": "kerasnlp_lab.evaluation",
    "export_classifier": "kerasnlp_lab.export",
    "load_classifier": "kerasnlp_lab.zoo",
    "load_dataset": "kerasnlp_lab.data",
    "make_strategy": "kerasnlp_lab.training",
    "quiet_tensorflow": "kerasnlp_lab.quiet",
    "train": "kerasnlp_lab.training",
}

__all__ = ["__version__", *_HOMES]

prefer_onednn()  # must run before TensorFlow is imported

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
