"""`evaluate`: a model's answers to a split, compared with its targets."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kerasnlp_lab.data import Split
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.evaluation.classification import score
from kerasnlp_lab.evaluation.evaluation import Evaluation
from kerasnlp_lab.tasks import Classification, Task
from kerasnlp_lab.zoo import Classifier, predict_logits

__all__ = ["evaluate", "evaluate_logits"]

WARM_UP_TEXTS = 64

# A task's results: from its logits, a split, the task, how logits are read, and texts/s.
_EVALUATIONS: dict[str, Callable[[Any, Split, Task, Any, float], Evaluation]] = {
    Classification.name: lambda logits, split, task, decision, speed: score(
        logits, split, task.label_names, decision, speed
    ),
}


def evaluate(
    classifier: Classifier,
    split: Split,
    *,
    fused: Callable[..., tf.Tensor] | None = None,
) -> Any:
    """Answers every text of a split and compares with its targets.

    Args:
        classifier: A trained classifier.
        split: Rows with the classifier's own label ids.
        fused: The graph that `Classifier.fused` returned, if it is there already.

    Returns:
        The task's `Evaluation`.

    Raises:
        DataError: The split has no row.
    """
    if not len(split):
        raise DataError("there is no row to evaluate on")
    fused = fused or classifier.fused()
    predict_logits(classifier, split.texts[:WARM_UP_TEXTS], fused=fused)
    began = time.perf_counter()
    logits = predict_logits(classifier, split.texts, fused=fused)
    speed = len(split) / (time.perf_counter() - began)
    return evaluate_logits(logits, split, classifier.task, classifier.decision, speed)


def evaluate_logits(
    logits: Any, split: Split, task: Task, decision: Any, texts_per_second: float = 0.0
) -> Any:
    """Compares a task's logits, as `predict_logits` returns them, with the targets of a split.

    Returns:
        The task's `Evaluation`.
    """
    return _EVALUATIONS[task.name](logits, split, task, decision, texts_per_second)
