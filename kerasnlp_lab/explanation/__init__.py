"""Explains a classifier's answer: attention, and the contribution of each word."""

from kerasnlp_lab.explanation.alignment import (
    Alignment,
    align,
    alignment_figure,
    alignment_page,
)
from kerasnlp_lab.explanation.explainer import explain, explain_run
from kerasnlp_lab.explanation.explanation import Completeness, Explanation
from kerasnlp_lab.explanation.figures import (
    attention_figure,
    contributions_figure,
    explanation_figure,
)
from kerasnlp_lab.explanation.page import explanation_page
from kerasnlp_lab.text.offsets import Token, Word

__all__ = [
    "Alignment",
    "Completeness",
    "Explanation",
    "Token",
    "Word",
    "align",
    "alignment_figure",
    "alignment_page",
    "attention_figure",
    "contributions_figure",
    "explain",
    "explain_run",
    "explanation_figure",
    "explanation_page",
]
