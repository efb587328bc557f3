"""The model zoo: finds a model by its name, builds it, saves it and predicts with it."""

from kerasnlp_lab.zoo.building import create_classifier, create_model, load_classifier
from kerasnlp_lab.zoo.card import ModelCard, Recipe
from kerasnlp_lab.zoo.classifier import Classifier
from kerasnlp_lab.zoo.inference import predict_logits
from kerasnlp_lab.zoo.registry import ZooEntry, find_model, model_names

__all__ = [
    "Classifier",
    "ModelCard",
    "Recipe",
    "ZooEntry",
    "create_classifier",
    "create_model",
    "find_model",
    "load_classifier",
    "model_names",
    "predict_logits",
]
