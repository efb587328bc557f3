"""TF Hub: modules fetched, built and called through TF Hub's own interface."""

from kerasnlp_lab.hub.build import build_bert_modules
from kerasnlp_lab.hub.loading import fetch_module, load_hub_layer
from kerasnlp_lab.hub.minilm import HubModules, minilm_modules
from kerasnlp_lab.hub.vectorizer import HubVectorizer

__all__ = [
    "HubModules",
    "HubVectorizer",
    "build_bert_modules",
    "fetch_module",
    "load_hub_layer",
    "minilm_modules",
]
