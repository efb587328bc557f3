"""`tfidf_linear`: TF-IDF and a linear SVM, the baseline for all other models."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from sklearn.svm import LinearSVC

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers import SparseLinear
from kerasnlp_lab.tasks import Classification, Task
from kerasnlp_lab.tasks.decision import fit_temperature
from kerasnlp_lab.text import TextVectorizer, TfidfVectorizer, evaluation_batches
from kerasnlp_lab.zoo.card import ModelCard, Recipe
from kerasnlp_lab.zoo.entry import LabelledTokens, ZooEntry
from kerasnlp_lab.zoo.tfidf_tokens import TfidfOptions, resolve_tokens

__all__ = ["TFIDF_LINEAR"]

INVERSE_REGULARIZATION = (0.1, 0.2, 0.5, 1.0)


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
    """
    x_train, y_train = _sparse_rows(text, train)
    x_validation, y_validation = _sparse_rows(text, validation)
    assert isinstance(task, Classification)
    class_weights = task.loss.class_weights
    weights = None if class_weights is None else dict(enumerate(class_weights))
    history, best = [], np.inf
    for strength in INVERSE_REGULARIZATION:
        linear = LinearSVC(C=strength, class_weight=weights, random_state=0).fit(x_train, y_train)
        kernel, bias = _per_class(linear)
        decisions = x_validation @ kernel + bias  # [rows, classes]
        temperature, loss = fit_temperature(decisions, y_validation)
        history.append(
            {
                "C": strength,
                "accuracy": float(linear.score(x_train, y_train)),
                "val_loss": loss,
                "val_accuracy": float(np.mean(decisions.argmax(axis=1) == y_validation)),
            }
        )
        if loss < best:
            best = loss
            network.set_weights([kernel / temperature, bias / temperature])
    return history


def _sparse_rows(
    text: TextVectorizer, rows: LabelledTokens
) -> tuple[scipy.sparse.csr_matrix, np.ndarray]:
    """Returns features for scikit-learn and the labels, in the same order of rows."""
    assert isinstance(text, TfidfVectorizer)
    tokens, labels = rows
    blocks, ordered = [scipy.sparse.csr_matrix((0, text.vocab_size))], [np.zeros(0, np.int64)]
    for features, batch_labels in evaluation_batches(text, tokens, labels, batch_size=1024):
        ids, weights = features["ngram_ids"].numpy(), features["ngram_weights"].numpy()
        row, column = np.nonzero(weights)
        shape = (len(ids), text.vocab_size)
        blocks.append(
            scipy.sparse.csr_matrix((weights[row, column], (row, ids[row, column])), shape)
        )
        ordered.append(batch_labels.numpy())
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
    tasks=(Classification.name,),
    solve=_solve,
    resolve=resolve_tokens,
)
