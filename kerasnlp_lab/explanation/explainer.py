"""`explain`: attention, rollout and integrated gradients of a classifier's answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasnlp_lab.errors import DataError, UnknownNameError, check_option
from kerasnlp_lab.explanation.explanation import Completeness, Explanation
from kerasnlp_lab.tasks import Classification
from kerasnlp_lab.text.offsets import find_tokens, find_words
from kerasnlp_lab.text.vectorizer import Features, without_surrogates
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.zoo import Classifier, load_classifier
from kerasnlp_lab.zoo.inside import Inside

__all__ = ["explain", "explain_run"]

FEWEST_STEPS, MOST_STEPS = 16, 256
TOLERANCE = 0.01
TOGETHER = 16  # points of the way in one batch


def explain(classifier: Classifier, text: str, *, label: str | None = None) -> Explanation:
    """Explains a classifier's answer to a text, computed in float32.

    Attention is what each head of each layer looked at. A word's contribution is its
    integrated gradient: how much of the class's output it accounts for, on the straight way
    from a text of neutral tokens ([MASK] for a BERT, the unknown word otherwise) to this one.
    The output is the class's logit less the mean of all logits, which is what a softmax sees.

    Args:
        classifier: Of our own Transformers, or of a BERT that is not ``encoder=module``.
        text: The text.
        label: The class to explain; None for the one that it is given.

    Returns:
        The explanation.

    Raises:
        OptionError: The classifier has no attention to look at.
        UnknownNameError: It has no such class.
        DataError: It reads no word of the text.

    Example:
        >>> classifier = create_classifier("seed_transformer", ["bad", "good"], ["so so"])
        >>> explain(classifier, "so, so?").units
        ('so', 'so')
    """
    task = classifier.task.name
    check_option("task", task, task == Classification.name, "classification to be explained")
    inside = classifier.look_inside()
    if label is not None and label not in classifier.label_names:
        raise UnknownNameError("class", label, classifier.label_names)
    text = without_surrogates(text)
    words = find_words(classifier.text, text)
    tokens = find_tokens(classifier.text, text, words)
    if all(token.word is None for token in tokens):
        raise DataError("the model reads no word of this text: there is nothing to explain")
    features = classifier.text(tf.constant([text]))
    logits, attention = inside.run(features, inside.embed(features[inside.ids]))
    probabilities = classifier.decision.probabilities(logits.numpy())
    names = classifier.label_names
    given = classifier.decision.label_ids(probabilities)[0]
    target = int(given) if label is None else names.index(label)
    neutral = classifier.text.vocabulary().index(inside.neutral)
    real = len(tokens)
    around = classifier.text.special_tokens // 2
    replaced = np.zeros(features[inside.ids].shape, bool)  # [1, seq]
    replaced[:, around : real - around] = True
    contributions, completeness = _integrated_gradients(
        inside, features, tf.where(replaced, neutral, features[inside.ids]), target
    )
    scores = np.stack([layer[0] for layer in attention])  # [layers, heads, seq, seq]
    return Explanation(
        text=text,
        label=names[target],
        probabilities=dict(zip(names, map(float, probabilities[0]), strict=True)),
        words=tuple(words),
        tokens=tuple(tokens),
        attention=scores[:, :, :real, :real],
        rollout=_rollout(scores)[:real, :real],
        contributions=contributions[:real],
        completeness=completeness,
    )


def explain_run(run: str | Path, text: str, *, label: str | None = None) -> Explanation:
    """Explains the answer of a finished run's classifier: see `explain`.

    Args:
        run: Its directory. A BERT that was trained in its module's own graph is reopened.
        text: The text.
        label: The class to explain.

    Raises:
        RunError: It is no finished run, or a file of it is missing or altered.
    """
    opened = RunDirectory.open(run)
    return explain(load_classifier(opened.model, to_explain=True), text, label=label)


def _rollout(attention: np.ndarray) -> np.ndarray:
    """Returns the product of all layers' mean attention, half of each the way past it.

    Args:
        attention: Float32 [layers, heads, seq (from), seq (to)].

    Returns:
        Float32 [seq (at the last layer), seq (of the text)].
    """
    reached = np.eye(attention.shape[-1], dtype=np.float32)
    for layer in attention.mean(axis=1):  # [from, to]
        reached = (layer @ reached + reached) / 2
    return reached


def _integrated_gradients(
    inside: Inside, features: Features, neutral_ids: tf.Tensor, target: int
) -> tuple[np.ndarray, Completeness]:
    """Returns what each position contributes, float32 [seq], and whether it adds up.

    The gradient is integrated by Gauss and Legendre's rule, with twice as many points until
    the sum is within a hundredth of what it has to be.
    """
    begin, end = inside.embed(neutral_ids), inside.embed(features[inside.ids])
    way = end - begin  # [1, seq, hidden]

    def output(words: tf.Tensor) -> tf.Tensor:
        """Returns the class's logit less the mean of all, [batch], of [batch, seq, hidden]."""
        count = words.shape[0]
        copies = {name: tf.repeat(one, count, axis=0) for name, one in features.items()}
        logits, _ = inside.run(copies, words)
        return logits[:, target] - tf.reduce_mean(logits, axis=1)

    expected = float(output(end)[0] - output(begin)[0])
    steps = FEWEST_STEPS
    while True:
        points, weights = np.polynomial.legendre.leggauss(steps)  # from -1 to 1
        total = tf.zeros_like(way)
        for start in range(0, steps, TOGETHER):
            share = ((points[start : start + TOGETHER] + 1) / 2).reshape(-1, 1, 1)
            words = begin + way * tf.constant(share, tf.float32)  # [together, seq, hidden]
            with tf.GradientTape() as tape:
                tape.watch(words)
                values = output(words)
            weight = (weights[start : start + TOGETHER] / 2).reshape(-1, 1, 1)
            gradients = tape.gradient(values, words) * tf.constant(weight, tf.float32)
            total += tf.reduce_sum(gradients, axis=0, keepdims=True)
        contributions = tf.reduce_sum(total * way, axis=-1)[0].numpy()  # [seq]
        found = Completeness(float(contributions.sum()), expected, steps)
        if found.error <= TOLERANCE or steps >= MOST_STEPS:
            return contributions, found
        steps *= 2
