"""`explain`: computes attention, rollout and integrated gradients of an answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasnlp_lab.data.inputs import as_class_names
from kerasnlp_lab.data.pairs import PAIR_SEPARATOR
from kerasnlp_lab.errors import DataError, OptionError, UnknownNameError, check_option
from kerasnlp_lab.explanation.alignment import Alignment, align
from kerasnlp_lab.explanation.explanation import Completeness, Explanation
from kerasnlp_lab.explanation.reading import given_text, read_pair, read_text
from kerasnlp_lab.tasks import Classification, Generation, MultiLabel
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.features import WINDOW_OF, Features
from kerasnlp_lab.text.offsets import Token, Word, within_window
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.zoo import Classifier, load_classifier
from kerasnlp_lab.zoo.inside import Inside
from kerasnlp_lab.zoo.network import pool_windows

__all__ = ["explain", "explain_run"]

FEWEST_STEPS, MOST_STEPS = 16, 256
TOLERANCE = 0.01
BATCH_POINTS = 16  # points of the path in one batch


def explain(
    classifier: Classifier, text: str | tuple[str, str], *, label: str | None = None
) -> Explanation:
    """Explains a classifier's answer to a text. All is computed in float32.

    The attention shows where each head of each layer looks, or how much of each word a pool takes;
    a recurrent network without a pool has none. A word's contribution is its
    integrated gradient: the part of the class's output that the word accounts for, along the
    straight path from a text of neutral tokens ([MASK] for a BERT, the unknown word otherwise)
    to this text. The output is the class's logit minus the mean of all logits, because a
    softmax depends only on these differences. Where a text may have several labels, it is the
    label's logit alone.

    If the classifier reads a long text in windows, the window that decided is explained: the one
    with the highest output for the class.

    Args:
        classifier: One of our own Transformers or recurrent networks, or a BERT without
            ``encoder=module``.
        text: The text to explain; for a classifier of pairs, a tuple (first, second).
        label: The class to explain; None for the predicted class, or the most probable of several
            labels.

    Returns:
        The explanation.

    Raises:
        OptionError: The classifier is of another kind.
        UnknownNameError: The classifier has no such class.
        DataError: This is not one text, or no pair where the classifier needs one, or the
            classifier reads no word of it.

    Example:
        >>> classifier = create_classifier("seed_transformer", ["bad", "good"], ["so so"])
        >>> explain(classifier, "so, so?").units
        ('so', 'so')
    """
    task = classifier.task
    if not isinstance(task, Classification | MultiLabel):
        raise OptionError(
            f"explain is for classification and several labels, and not for {task.name}; the page "
            "of entities is predict --html, and what a model looks at as it writes is align"
        )
    inside = classifier.look_inside()
    if label is not None:
        (label,) = as_class_names([label])
    if label is not None and label not in classifier.label_names:
        raise UnknownNameError("class", label, classifier.label_names)
    given = given_text(classifier, text)
    read = read_pair if classifier.pair else read_text
    words, tokens = read(classifier.text, given)
    if all(token.word is None for token in tokens):
        raise DataError("the model reads no word of this text; there is nothing to explain")
    features = classifier.text(tf.constant([given]))
    window_of = features.pop(WINDOW_OF, None)
    logits = _logits(inside, features)  # [1, classes], or of each window
    pooled = pool_windows(logits, np.zeros(len(logits), np.int32)).numpy()  # [1, classes]
    probabilities = classifier.decision.probabilities(pooled)
    names = classifier.label_names
    several = isinstance(task, MultiLabel)
    decide = classifier.decision.label_ids if not several else lambda shares: shares.argmax(axis=1)
    target = int(decide(probabilities)[0]) if label is None else names.index(label)
    window = None
    if window_of is not None:
        number = int(np.argmax(logits[:, target] - (0.0 if several else logits.mean(axis=1))))
        window = number + 1, len(logits)
        features = {name: one[number : number + 1] for name, one in features.items()}
        words, tokens = _in_window(classifier.text, given, number, words, tokens)
    _, attention = inside.run(features, inside.embed(features[inside.ids]))
    neutral_id = classifier.text.vocabulary().index(inside.neutral)
    length = len(tokens)
    replaced = np.zeros(features[inside.ids].shape, bool)  # [1, seq]
    replaced[0, :length] = [token.word is not None for token in tokens]
    contributions, completeness = _integrated_gradients(
        inside, features, tf.where(replaced, neutral_id, features[inside.ids]), target, several
    )
    seq = replaced.shape[1]
    scores = np.zeros((0, 0, 0, seq), np.float32)
    if attention:  # [layers, heads, rows, seq]
        scores = np.stack([layer[0] for layer in attention])
    of_tokens = attention and not inside.pools
    rollout = _rollout(scores) if of_tokens else scores.reshape(-1, seq)
    return Explanation(
        text=given.replace(PAIR_SEPARATOR, "\n") if classifier.pair else given,
        label=names[target],
        probabilities=dict(zip(names, map(float, probabilities[0]), strict=True)),
        words=tuple(words),
        tokens=tuple(tokens),
        attention=scores[:, :, :length, :length],
        rollout=rollout[:length, :length],
        contributions=contributions[:length],
        completeness=completeness,
        pair=classifier.pair,
        second_start=given.index(PAIR_SEPARATOR) + 1 if classifier.pair else None,
        window=window,
        pools=inside.pools,
    )


def explain_run(
    run: str | Path, text: str | tuple[str, str], *, label: str | None = None
) -> Explanation | Alignment:
    """Explains the answer of a finished run's classifier; see `explain`, and `align` for texts.

    Args:
        run: The run's directory. A BERT that was trained in its module's own graph is reopened.
        text: The text to explain; for a classifier of pairs, a tuple (first, second).
        label: The class to explain; None for the predicted class.

    Raises:
        OptionError: A label is given, and the run writes texts.
        RunError: The run is not finished, or one of its files is missing or altered.
    """
    opened = RunDirectory.open(run)
    classifier = load_classifier(opened.model, to_explain=True)
    if isinstance(classifier.task, Generation):
        check_option("label", label, label is None, "left out for a model that writes texts")
        return align(classifier, text)
    return explain(classifier, text, label=label)


def _logits(inside: Inside, features: Features) -> np.ndarray:
    """Returns the logits of rows of features, float32 [rows, classes], computed one by one."""
    rows = len(features[inside.ids])
    found = []
    for row in range(rows):
        one = {name: values[row : row + 1] for name, values in features.items()}
        found.append(inside.run(one, inside.embed(one[inside.ids]))[0].numpy())
    return np.concatenate(found)


def _in_window(
    vectorizer: TextVectorizer, text: str, number: int, words: list[Word], tokens: list[Token]
) -> tuple[list[Word], list[Token]]:
    """Returns the words and tokens of a text that are in one of its windows."""
    ids, lengths = vectorizer.ids_and_lengths(tf.constant([text.encode()]))
    found = vectorizer.windows(ids, lengths)
    return within_window(words, tokens, int(found.starts[number]), int(found.ends[number]))


def _rollout(attention: np.ndarray) -> np.ndarray:
    """Returns the product of all layers' mean attention, each averaged with the identity.

    The identity stands for the residual connection, which passes a layer by.

    Args:
        attention: float32 [layers, heads, seq (from), seq (to)].

    Returns:
        float32 [seq (at the last layer), seq (of the text)].
    """
    reached = np.eye(attention.shape[-1], dtype=np.float32)
    for layer in attention.mean(axis=1):  # [from, to]
        reached = (layer @ reached + reached) / 2
    return reached


def _integrated_gradients(
    inside: Inside, features: Features, neutral_ids: tf.Tensor, target: int, alone: bool
) -> tuple[np.ndarray, Completeness]:
    """Returns each position's contribution, float32 [seq], and how well they add up.

    Integrates the gradient with the Gauss-Legendre rule. Doubles the number of points until the
    sum of the contributions is within a hundredth of the rise of the output. `alone` says whether
    a class's probability depends on its own logit alone.
    """
    begin, end = inside.embed(neutral_ids), inside.embed(features[inside.ids])
    path = end - begin  # [1, seq, hidden]

    def output(words: tf.Tensor) -> tf.Tensor:
        """Returns the class's logit, unless alone minus the mean, [batch], for embeddings."""
        count = words.shape[0]
        copies = {name: tf.repeat(one, count, axis=0) for name, one in features.items()}
        logits, _ = inside.run(copies, words)
        return logits[:, target] - (0.0 if alone else tf.reduce_mean(logits, axis=1))

    expected = float(output(end)[0] - output(begin)[0])
    steps = FEWEST_STEPS
    while True:
        points, weights = np.polynomial.legendre.leggauss(steps)  # from -1 to 1
        total = tf.zeros_like(path)
        for start in range(0, steps, BATCH_POINTS):
            share = ((points[start : start + BATCH_POINTS] + 1) / 2).reshape(-1, 1, 1)
            words = begin + path * tf.constant(share, tf.float32)  # [points, seq, hidden]
            with tf.GradientTape() as tape:
                tape.watch(words)
                values = output(words)
            weight = (weights[start : start + BATCH_POINTS] / 2).reshape(-1, 1, 1)
            gradients = tape.gradient(values, words) * tf.constant(weight, tf.float32)
            total += tf.reduce_sum(gradients, axis=0, keepdims=True)
        contributions = tf.reduce_sum(total * path, axis=-1)[0].numpy()  # [seq]
        found = Completeness(float(contributions.sum()), expected, steps)
        if found.error <= TOLERANCE or steps >= MOST_STEPS:
            return contributions, found
        steps *= 2
