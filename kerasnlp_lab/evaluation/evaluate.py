"""`evaluate`: runs a model on a split and compares its answers with the targets."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

import tensorflow as tf

from kerasnlp_lab.data import Split
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.evaluation.classification import score
from kerasnlp_lab.evaluation.entities import score_entities
from kerasnlp_lab.evaluation.evaluation import Evaluation
from kerasnlp_lab.evaluation.generation import score_texts
from kerasnlp_lab.evaluation.multi_label import score_label_sets
from kerasnlp_lab.tasks import Classification, Entities, Generation, MultiLabel, Task
from kerasnlp_lab.zoo import Classifier, predict_logits

__all__ = ["evaluate", "evaluate_logits"]

WARM_UP_TEXTS = 64

# A function for each task, from logits, split, task, decision and texts/s to its `Evaluation`.
_EVALUATIONS: dict[str, Callable[[Any, Split, Task, Any, float], Evaluation]] = {
    Classification.name: lambda logits, split, task, decision, speed: score(
        logits, split, task.label_names, decision, speed
    ),
    MultiLabel.name: lambda logits, split, task, decision, speed: score_label_sets(
        logits, split, task.label_names, decision, speed
    ),
    Entities.name: lambda logits, split, task, decision, speed: score_entities(
        task.answers(logits, decision, split.texts), split, task.label_names, decision, speed
    ),
    Generation.name: lambda logits, split, task, decision, speed: score_texts(
        task.answers(logits, decision, split.texts), split, cast(Generation, task), speed
    ),
}


def evaluate(
    classifier: Classifier,
    split: Split,
    *,
    fused: Callable[..., tf.Tensor] | None = None,
) -> Any:
    """Answers every text of a split and compares the answers with the targets.

    Args:
        classifier: A trained classifier.
        split: Rows with the same label ids as the classifier.
        fused: The graph from `Classifier.fused`; None builds one for this call.

    Returns:
        The task's `Evaluation`.

    Raises:
        DataError: The split is empty, has a label that the classifier does not know, or has
            other annotations than the task needs.
    """
    if not len(split):
        raise DataError("there is no row to evaluate on")
    if split.annotation != classifier.task.annotation:
        raise DataError(
            f"the task {classifier.task.name} needs rows with {classifier.task.annotation}, got "
            f"rows with {split.annotation}"
        )
    fused = fused or classifier.fused()
    predict_logits(classifier, split.texts[:WARM_UP_TEXTS], fused=fused)
    began = time.perf_counter()
    logits = predict_logits(classifier, split.texts, fused=fused)
    speed = len(split) / (time.perf_counter() - began)
    return evaluate_logits(logits, split, classifier.task, classifier.decision, speed)


def evaluate_logits(
    logits: Any, split: Split, task: Task, decision: Any, texts_per_second: float = 0.0
) -> Any:
    """Compares logits from `predict_logits` with the targets of a split.

    Args:
        logits: The logits of the split's rows.
        split: The rows.
        task: The task, which selects the metrics.
        decision: The rule that turns logits into answers.
        texts_per_second: The measured speed, for the report.

    Returns:
        The task's `Evaluation`.
    """
    return _EVALUATIONS[task.name](logits, split, task, decision, texts_per_second)
