"""`tfidf_linear`: TF-IDF and a linear SVM, the baseline for all other models."""

from __future__ import annotations

import numpy as np
import scipy.sparse
import scipy.special
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import LinearSVC

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data.row_labels import label_matrix
from kerasnlp_lab.layers import SparseLinear
from kerasnlp_lab.tasks import Classification, MultiLabel, Task
from kerasnlp_lab.tasks.decision import fit_temperature
from kerasnlp_lab.tasks.distilled import Distilled
from kerasnlp_lab.text import TextVectorizer, TfidfVectorizer, TokenizedTexts, evaluation_batches
from kerasnlp_lab.zoo.card import ModelCard, Recipe
from kerasnlp_lab.zoo.entry import LabelledTokens, ZooEntry
from kerasnlp_lab.zoo.tfidf_tokens import TfidfOptions, resolve_tokens

__all__ = ["TFIDF_LINEAR"]

INVERSE_REGULARIZATION = (0.1, 0.2, 0.5, 1.0)
INVERSE_RIDGE = (1.0, 2.0, 5.0, 10.0)
LEAST = 0.01  # a smaller share in a soft target is taken for this one: its logarithm has no end


def _build_text(options: TfidfOptions) -> TfidfVectorizer:
    return options.vectorizer()


def _build_network(text: TextVectorizer, task: Task, options: TfidfOptions) -> keras.Model:
    assert isinstance(text, TfidfVectorizer)
    inputs = text.inputs()
    classes = len(task.label_names)
    linear = SparseLinear(text.vocab_size, classes, dtype="float32", name="classifier")
    logits = linear((inputs["ngram_ids"], inputs["ngram_weights"]))
    return keras.Model(inputs, logits, name="tfidf_linear")


def _solve(
    task: Task,
    text: TextVectorizer,
    network: keras.Model,
    train: LabelledTokens,
    validation: LabelledTokens,
) -> list[dict[str, float]]:
    """Fits a linear SVM for each regularization strength and keeps the best by validation loss.

    An SVM's decision values are not log-probabilities. A temperature, fitted on the validation
    rows, turns them into logits.

    A student, whose task is `Distilled`, fits the logarithms of its soft targets by ridge
    regression in place of an SVM (Ba and Caruana 2014, https://arxiv.org/abs/1312.6184).
    """
    x_train, rows = _sparse_rows(text, train[0])
    x_validation, held_out = _sparse_rows(text, validation[0])
    soft = None
    if isinstance(task, Distilled):
        soft, task = task.soft_targets(rows), task.task
    if isinstance(task, MultiLabel):
        y_train, y_validation = (
            label_matrix(split.label_sets or (), len(task.label_names))[order]
            for split, order in ((train[1], rows), (validation[1], held_out))
        )
        return _solve_each_label(task, network, x_train, y_train, x_validation, y_validation, soft)
    assert isinstance(task, Classification)
    y_train, y_validation = train[1].labels[rows], validation[1].labels[held_out]
    class_weights = task.loss.class_weights
    weights = None if class_weights is None else dict(enumerate(class_weights))
    history, best = [], np.inf
    for strength in INVERSE_REGULARIZATION if soft is None else INVERSE_RIDGE:
        if soft is None:
            linear = LinearSVC(C=strength, class_weight=weights, random_state=0)
            kernel, bias = _per_class(linear.fit(x_train, y_train))
        else:
            of_rows = None if class_weights is None else (soft @ np.array(class_weights))[:, None]
            kernel, bias = _ridge(x_train, np.log(np.maximum(soft, LEAST)), of_rows, strength)
        decisions = x_validation @ kernel + bias  # [rows, classes]
        temperature, loss = fit_temperature(decisions, y_validation)
        history.append(
            {
                "C": strength,
                "accuracy": float(np.mean((x_train @ kernel + bias).argmax(axis=1) == y_train)),
                "val_loss": loss,
                "val_accuracy": float(np.mean(decisions.argmax(axis=1) == y_validation)),
            }
        )
        if loss < best:
            best = loss
            network.set_weights([kernel / temperature, bias / temperature])
    return history


def _solve_each_label(
    task: MultiLabel,
    network: keras.Model,
    x_train: scipy.sparse.csr_matrix,
    y_train: scipy.sparse.csr_array,
    x_validation: scipy.sparse.csr_matrix,
    y_validation: scipy.sparse.csr_array,
    soft: np.ndarray | None,
) -> list[dict[str, float]]:
    """Does the same for several labels a text, with an SVM for each label against all others.

    The labels differ too much in frequency for one temperature. Platt's logistic regression turns
    the decision values of each label into its logits.
    """
    labels = len(task.label_names)
    y_train, truth = y_train.tocsc(), y_validation.toarray()
    history, best = [], np.inf
    weights = np.array(task.positive_weights or [1.0] * labels)
    for strength in INVERSE_REGULARIZATION if soft is None else INVERSE_RIDGE:
        if soft is None:
            kernel, bias = _svm_of_each_label(x_train, y_train, weights, strength)
        else:
            log_odds = scipy.special.logit(np.clip(soft, LEAST, 1 - LEAST))
            kernel, bias = _ridge(x_train, log_odds, 1 + (weights - 1) * soft, strength)
        scale, shift = _platt(x_validation @ kernel + bias, truth)
        kernel, bias = kernel * scale, bias * scale + shift
        logits = x_validation @ kernel + bias
        loss = float((np.logaddexp(0, logits) - logits * truth).sum(axis=1).mean())
        history.append(
            {
                "C": strength,
                "accuracy": _micro_f1(x_train @ kernel + bias > 0, y_train.toarray()),
                "val_loss": loss,
                "val_accuracy": _micro_f1(logits > 0, truth),
            }
        )
        if loss < best:
            best = loss
            network.set_weights([kernel, bias])
    return history


def _svm_of_each_label(
    x: scipy.sparse.csr_matrix, y: scipy.sparse.csc_array, weights: np.ndarray, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns kernel [features, labels] and bias [labels]; `weights` are of rows with the label."""
    kernel, bias = np.zeros((x.shape[1], len(weights))), np.zeros(len(weights))
    for label, weight in enumerate(weights.tolist()):
        has = y[:, [label]].toarray()[:, 0]
        if has.all():  # an SVM needs two classes
            bias[label] = 1.0
            continue
        linear = LinearSVC(C=strength, class_weight={True: weight}, random_state=0)
        linear.fit(x, has)
        kernel[:, label], bias[label] = linear.coef_[0], linear.intercept_[0]
    return kernel, bias


def _ridge(
    x: scipy.sparse.csr_matrix, targets: np.ndarray, weights: np.ndarray | None, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns kernel [features, classes] and bias [classes] of a ridge regression.

    Args:
        x: The features.
        targets: The logits to learn, float [rows, classes].
        weights: The weight of each row, [rows, 1] or [rows, classes]; None for 1.
        strength: The inverse of the regularization.
    """
    kernel, bias = np.zeros((x.shape[1], targets.shape[1])), np.zeros(targets.shape[1])
    every = np.broadcast_to(1.0 if weights is None else weights, targets.shape)
    for column in range(targets.shape[1]):
        linear = Ridge(1 / strength, solver="lsqr")  # which draws nothing at random
        linear.fit(x, targets[:, column], sample_weight=every[:, column])
        kernel[:, column], bias[column] = linear.coef_, linear.intercept_
    return kernel, bias


def _platt(decisions: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the factor and the shift that turn decision values into logits, [labels] each.

    Both are float64 [rows, labels] and bool [rows, labels]. A label that no or every row has, or
    that is ranked the wrong way round, keeps its decision values.

    Source: Platt 1999, Probabilistic Outputs for Support Vector Machines.
    """
    scale, shift = np.ones(truth.shape[1]), np.zeros(truth.shape[1])
    for label, has in enumerate(truth.T):
        if has.any() and not has.all():
            found = LogisticRegression().fit(decisions[:, [label]], has)
            if found.coef_[0, 0] > 0:
                scale[label], shift[label] = found.coef_[0, 0], found.intercept_[0]
    return scale, shift


def _micro_f1(found: np.ndarray, truth: np.ndarray) -> float:
    return float(2 * (found & truth).sum() / max(found.sum() + truth.sum(), 1))


def _sparse_rows(
    text: TextVectorizer, tokens: TokenizedTexts
) -> tuple[scipy.sparse.csr_matrix, np.ndarray]:
    """Returns features for scikit-learn, and the numbers of their rows."""
    assert isinstance(text, TfidfVectorizer)
    blocks, ordered = [scipy.sparse.csr_matrix((0, text.vocab_size))], [np.zeros(0, np.int64)]
    numbers = np.arange(len(tokens))
    for features, rows in evaluation_batches(text, tokens, numbers, batch_size=1024):
        ids, weights = features["ngram_ids"].numpy(), features["ngram_weights"].numpy()
        row, column = np.nonzero(weights)
        shape = (len(ids), text.vocab_size)
        blocks.append(
            scipy.sparse.csr_matrix((weights[row, column], (row, ids[row, column])), shape)
        )
        ordered.append(rows.numpy())
    return scipy.sparse.vstack(blocks, format="csr"), np.concatenate(ordered)


def _per_class(linear: LinearSVC) -> tuple[np.ndarray, np.ndarray]:
    """Returns kernel [features, classes] and bias [classes].

    scikit-learn has one row for two classes; the other class then gets zeros.
    """
    kernel, bias = linear.coef_.T, linear.intercept_
    if kernel.shape[1] == 1:
        kernel = np.concatenate([np.zeros_like(kernel), kernel], axis=1)
        bias = np.concatenate([np.zeros_like(bias), bias])
    return kernel, bias


TFIDF_LINEAR = ZooEntry(
    card=ModelCard(
        name="tfidf_linear",
        summary="TF-IDF of words or characters, linear SVM, calibrated (scikit-learn)",
        source="https://scikit-learn.org/stable/modules/feature_extraction.html",
        parameters="one a class for each n-gram of the training texts",
        licence="Apache-2.0",
        good_for="a first result in seconds; a baseline that a BERT should beat",
    ),
    recipe=Recipe(epochs=1),
    options=TfidfOptions(),
    build_text=_build_text,
    build_network=_build_network,
    tasks=(Classification.name, MultiLabel.name),
    solve=_solve,
    resolve=resolve_tokens,
)
