"""Export: writes SavedModels that take strings, and predicts with them or with a run."""

from kerasnlp_lab.export.predictor import Predictor, open_predictor
from kerasnlp_lab.export.saved_model import export_classifier
from kerasnlp_lab.tasks import Prediction

__all__ = ["Prediction", "Predictor", "export_classifier", "open_predictor"]
