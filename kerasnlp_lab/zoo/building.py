"""`create_classifier` and `load_classifier`: build a new model, or load a trained one."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from kerasnlp_lab.data.inputs import as_label_ids, as_texts
from kerasnlp_lab.errors import OptionError, RunError, UnknownNameError
from kerasnlp_lab.machine import begin_computing
from kerasnlp_lab.paths import check_files, user_path
from kerasnlp_lab.tasks import Classification, Task, read_task
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.zoo.classifier import DESCRIPTION_FILE, WEIGHTS_FILE, Classifier
from kerasnlp_lab.zoo.entry import ZooEntry
from kerasnlp_lab.zoo.mixture import MEMBERS, MIX, Mixture, mix_classifiers
from kerasnlp_lab.zoo.network import WindowNetwork
from kerasnlp_lab.zoo.options import LengthOptions, ModelOptions
from kerasnlp_lab.zoo.registry import find_model

__all__ = ["create_classifier", "create_model", "load_classifier"]


def create_model(
    name: str,
    task: Task,
    train_texts: Iterable[str],
    *,
    train_labels: Any = None,
    pair: tuple[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    strategy: tf.distribute.Strategy | None = None,
) -> Classifier:
    """Builds a new model for a task.

    Args:
        name: The model's name in the zoo.
        task: The task that the model will be trained for.
        train_texts: The texts from which a model with a vocabulary learns it.
        train_labels: The label ids of these texts, integers [texts]. `tfidf_linear` uses them to
            choose words or characters; None chooses by the texts alone.
        pair: The names of the first and the second text, if the model is to answer pairs of texts;
            each training text is then a string of `join_pair`. A BERT tells the two texts from each
            other; other models read them as one text.
        options: Option values that differ from the model's defaults.
        strategy: The distribution strategy that creates the network's variables; None for the
            default one.

    Raises:
        UnknownNameError: There is no such model or option.
        OptionError: The model does not support the task, the task or an option does not suit pairs,
            or an option has an invalid value.
        DataError: A text is missing or is no string.
        HubError: A pre-trained module cannot be fetched.
    """
    begin_computing()
    entry = find_model(name)
    entry.check_task(task.name)
    texts = as_texts(train_texts)
    labels = None if train_labels is None else as_label_ids(train_labels, len(texts))
    chosen, _ = entry.resolve(entry.with_options(options or {}), texts, labels)
    chosen.check_task(task, bool(pair))
    text = _build_text(entry, chosen, task, pair)
    text.adapt(texts)
    return _assemble(entry, chosen, task, text, task.decision_type(), strategy, pair)


def create_classifier(
    name: str,
    label_names: Sequence[str],
    train_texts: Iterable[str],
    *,
    train_labels: Any = None,
    options: Mapping[str, Any] | None = None,
    strategy: tf.distribute.Strategy | None = None,
) -> Classifier:
    """Builds a new classifier. It is `create_model` for the task of classification.

    Args:
        name: The model's name in the zoo.
        label_names: The classes, in the order of their label ids.
        train_texts: The texts from which a model with a vocabulary learns it.
        train_labels: As in `create_model`.
        options: Option values that differ from the model's defaults.
        strategy: The distribution strategy that creates the network's variables; None for the
            default one.

    Raises:
        UnknownNameError: There is no such model or option.
        OptionError: An option has an invalid value.
        DataError: A text is missing, or two classes have the same name.
        HubError: A pre-trained module cannot be fetched.

    Example:
        >>> classifier = create_classifier("seed_transformer", ["bad", "good"], ["so so"])
        >>> classifier.model(tf.constant(["good"])).shape
        TensorShape([1, 2])
    """
    task = Classification(label_names)  # type: ignore[arg-type]  # it makes strings of them
    settings = {"train_labels": train_labels, "options": options, "strategy": strategy}
    return create_model(name, task, train_texts, **settings)


def load_classifier(
    folder: str | Path,
    *,
    options: Mapping[str, Any] | None = None,
    precision: str | None = None,
    to_explain: bool = False,
) -> Classifier:
    """Loads a classifier that `Classifier.save` wrote.

    Args:
        folder: The ``model`` folder of a run.
        options: New values for options that do not affect the weights: encoder, precision,
            frozen_layers, the dropout rates, max_length and long_texts.
        precision: The precision of the encoder's computation; None for the one used in training,
            or for float32 if the machine has no faster one. Models without an encoder support
            float32 only.
        to_explain: Whether the model must return its attention. A BERT that was trained in its
            module's own graph is then reopened.

    Raises:
        OptionError: The option cannot change after training, or its value is invalid.
        RunError: The folder does not hold a classifier, or its files are damaged.
    """
    begin_computing()
    folder = user_path(folder)
    try:
        description = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        task = read_task(description)
        check_files(folder, description["sha256"], "train again")
        if description["model"] == MIX:
            return _load_mixture(folder, description, task, options, precision, to_explain)
        entry = _find_entry(description["model"], folder)
        changes = {**(options or {}), **entry.precision_options(precision)}
        changes |= entry.options.to_explain() if to_explain else {}
        chosen = entry.with_options(entry.options.when_loaded(description["options"], changes))
        pair = tuple(description.get("pair") or ()) or None
        chosen.check_task(task, bool(pair))
        text = _build_text(entry, chosen, task, pair)
        text.load_files(folder / "text")
        decision = task.decision_type(**description.get("decision", {}))
    except OptionError:
        raise
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"{folder} does not hold a saved classifier ({error}); expected the model/ folder of "
            "a finished run"
        ) from error
    classifier = _assemble(entry, chosen, task, text, decision, None, pair)
    classifier.load_weights(folder / WEIGHTS_FILE)
    return classifier


def _load_mixture(
    folder: Path,
    description: Mapping[str, Any],
    task: Task,
    options: Mapping[str, Any] | None,
    precision: str | None,
    to_explain: bool,
) -> Mixture:
    made_from = description["made_from"]
    if to_explain or options:
        what = "no attention" if to_explain else "no options"
        instead = "explain" if to_explain else "load"
        raise OptionError(f"a mix has {what} of its own: {instead} {' or '.join(made_from)}")
    folders = [folder / MEMBERS / str(number) for number in range(len(made_from))]
    saved = [json.loads((one / DESCRIPTION_FILE).read_text(encoding="utf-8")) for one in folders]
    has_bert = [_find_entry(one["model"], folder).has_encoder for one in saved]
    members = [
        # Without any BERT, the first member refuses a precision that it does not have.
        load_classifier(one, precision=precision if bert or not any(has_bert) else None)
        for one, bert in zip(folders, has_bert, strict=True)
    ]
    decision = task.decision_type(**description["decision"])
    return mix_classifiers(members, description["weights"], made_from, decision)


def _find_entry(name: str, folder: Path) -> ZooEntry:
    try:
        return find_model(name)
    except UnknownNameError as error:
        raise RunError(
            f"{folder} was trained on {name}, which is neither a known model nor a folder with a "
            "BERT; if it was a folder, put it back"
        ) from error


def _build_text(
    entry: ZooEntry, options: ModelOptions, task: Task, pair: tuple[str, str] | None
) -> TextVectorizer:
    if pair and task.needs_offsets:
        raise OptionError(
            f"{task.name} are found in single texts, not in pairs of {' and '.join(pair)}"
        )
    text = entry.build_text(options)
    if isinstance(options, LengthOptions):
        text.read_long_texts(options.long_texts, options.windows_in_training)
    if pair:
        text.read_pairs()
    if task.needs_offsets:
        text.keep_offsets()
    return text


def _assemble(
    entry: ZooEntry,
    options: ModelOptions,
    task: Task,
    text: TextVectorizer,
    decision: Any,
    strategy: tf.distribute.Strategy | None,
    pair: tuple[str, str] | None,
) -> Classifier:
    # AutoGraph would spend seconds on layers that contain nothing to convert.
    build_network = tf.autograph.experimental.do_not_convert(entry.build_network)
    with strategy.scope() if strategy else contextlib.nullcontext():
        network = build_network(text, task, options)
        if text.long_texts == "windows":
            network = WindowNetwork(network.input, network.output, name=network.name)
    return Classifier(entry, options, task, text, network, decision, pair)
