"""BERT: checkpoints, tokenizer, encoder, and the fast forward pass.

Importing this does not import TensorFlow; the names below do, on first use.
"""

from kerasnlp_lab._lazy import lazy_names

_HOMES = {
    "BertCheckpoint": "kerasnlp_lab.bert.checkpoint",
    "FastBertEncoder": "kerasnlp_lab.bert.fast_encoder",
    "HubVectorizer": "kerasnlp_lab.bert.vectorizer",
    "build_bert_modules": "kerasnlp_lab.bert.build",
    "load_hub_layer": "kerasnlp_lab.bert.loading",
    "read_checkpoint": "kerasnlp_lab.bert.checkpoint",
    "reopen": "kerasnlp_lab.bert.reopening",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
