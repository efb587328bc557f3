"""`out_of_fold_logits`: answers to the training rows by models that were not trained on them."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rich.console
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import ShardedSplit, Split, TextDataset
from kerasnlp_lab.data.normal_form import group_texts
from kerasnlp_lab.errors import DataError, OptionError
from kerasnlp_lab.lab.claiming import say
from kerasnlp_lab.lab.config import ExperimentConfig
from kerasnlp_lab.paths import write_whole
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.training import RunDirectory, train
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.zoo import create_model, predict_logits

__all__ = ["divide_into_folds", "out_of_fold_logits"]


def divide_into_folds(config: ExperimentConfig, data: TextDataset) -> list[np.ndarray]:
    """Returns the rows of each fold, ascending: every training row is in one of them.

    Each class has about the same share in all folds, and is left in the rows outside each. The
    same texts, but for case and white space, stay in one fold. There are `ExperimentConfig.folds`
    of them, at most one a text; none if that is 0.

    Raises:
        DataError: A class has a single text, which cannot be trained on and tested on.
        OptionError: The validation rows are others than the training rows.
    """
    if not config.folds:
        return []
    train = data.train
    if isinstance(train, ShardedSplit) or data.validation is not train:
        raise OptionError(
            "folds need one table, whose rows are trained on and validated on: give the same table "
            "for both, or set folds to 0 to validate on rows of their own"
        )
    groups = group_texts(train.texts)
    labels = train.labels[np.unique(groups, return_index=True)[1]]  # of each group's first row
    counts = np.bincount(labels, minlength=len(data.label_names))
    single = [name for name, count in zip(data.label_names, counts, strict=True) if count < 2]
    if single:
        raise DataError(
            f"{data.name}: cross-validation needs two different texts of each class, and class "
            f"{', '.join(map(repr, single))} has fewer; add texts, take that class out "
            "(--rare-classes drop --rare-minimum 2), or hold rows out and keep it to train on "
            "(--folds 0 --rare-classes keep)"
        )
    shuffled = np.random.default_rng(config.seed).permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    number = min(config.folds, len(labels))  # dealt like cards, so that each class is spread
    return [np.flatnonzero(np.isin(groups, by_class[fold::number])) for fold in range(number)]


def out_of_fold_logits(
    folds: Sequence[np.ndarray],
    config: ExperimentConfig,
    data: TextDataset,
    task: Task,
    run: RunDirectory,
    strategy: tf.distribute.Strategy,
    console: rich.console.Console | None,
) -> np.ndarray:
    """Trains a model for each fold on the rows of the others, and answers the fold's rows.

    The answers of a finished fold are kept with the run's checkpoints, so that a resumed run
    trains no fold again.

    Args:
        folds: The rows of each fold, from `divide_into_folds`.
        config: The settings.
        data: The rows.
        task: The task.
        run: The run directory.
        strategy: The distribution strategy, on one machine.
        console: Where to say which part is trained; None says nothing.

    Returns:
        The logits of all training rows, float32 [rows, classes].
    """
    assert isinstance(data.train, Split)
    purpose = "the results" if data.test is data.train else "the temperature and the threshold"
    say(
        console,
        f"no row is held out: all {len(data.train)} rows are trained on, and {purpose} come from "
        f"{len(folds)} more models, each trained without a part of the rows and tested on it",
    )
    logits = np.zeros((len(data.train), len(data.label_names)), np.float32)
    for number, rows in enumerate(folds, start=1):
        file = run.checkpoints / f"fold-{number}.npy"
        if not file.is_file():
            say(console, f"part {number} of {len(folds)}")
            others = data.train.take(np.setdiff1d(np.arange(len(data.train)), rows))
            part = dataclasses.replace(data, train=others, validation=others)
            texts = [data.train.texts[row] for row in rows]
            found = _train_and_answer(file, part, texts, config, task, run, strategy)
            buffer = io.BytesIO()
            np.save(buffer, found)
            write_whole(file, buffer.getvalue())
        logits[rows] = np.load(file)
    keras.backend.clear_session()
    return logits


def _train_and_answer(
    file: Path,
    data: TextDataset,
    texts: Sequence[str],
    config: ExperimentConfig,
    task: Task,
    run: RunDirectory,
    strategy: tf.distribute.Strategy,
) -> np.ndarray:
    keras.backend.clear_session()
    keras.utils.set_random_seed(config.seed)
    settings = {"pair": data.pair, "options": config.options, "strategy": strategy}
    classifier = create_model(config.model, task, data.train.texts, **settings)
    checkpoints = Checkpoints(file.with_suffix(""))
    # The history in the run's folder is the whole model's in the end, which starts it anew.
    train(
        classifier,
        data,
        config.recipe,
        run.path,
        seed=config.seed,
        checkpoints=checkpoints,
        checkpoint_every=config.checkpoint_every,
    )
    checkpoints.remove()
    return predict_logits(classifier, texts)
