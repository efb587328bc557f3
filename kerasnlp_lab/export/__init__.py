"""Export: a SavedModel that takes strings, and predictions with one or with a run."""

from kerasnlp_lab.export.predictor import Prediction, Predictor, open_predictor
from kerasnlp_lab.export.saved_model import export_classifier

__all__ = ["Prediction", "Predictor", "export_classifier", "open_predictor"]
