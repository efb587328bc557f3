"""Evaluation: measures how good a model is, with confidence intervals and paired tests."""

from kerasnlp_lab.evaluation.classification import ClassificationEvaluation, Mistake
from kerasnlp_lab.evaluation.entities import EntityEvaluation, EntityMistake
from kerasnlp_lab.evaluation.evaluate import evaluate, evaluate_logits
from kerasnlp_lab.evaluation.evaluation import Evaluation
from kerasnlp_lab.evaluation.generation import GenerationEvaluation, WrongText
from kerasnlp_lab.evaluation.multi_label import LabelMistake, MultiLabelEvaluation
from kerasnlp_lab.evaluation.paired_tests import mcnemar_exact

__all__ = [
    "ClassificationEvaluation",
    "EntityEvaluation",
    "EntityMistake",
    "Evaluation",
    "GenerationEvaluation",
    "LabelMistake",
    "Mistake",
    "MultiLabelEvaluation",
    "WrongText",
    "evaluate",
    "evaluate_logits",
    "mcnemar_exact",
]
