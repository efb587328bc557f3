"""`run_experiment`: one model on one dataset, from rows to a run directory."""

from __future__ import annotations

import dataclasses
import functools
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rich.console
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import ShardedSplit, TextDataset, describe_dataset, load_again
from kerasnlp_lab.data.row_labels import strata
from kerasnlp_lab.data.tables import RejectedRow, csv_content
from kerasnlp_lab.display import printable
from kerasnlp_lab.errors import DataError, KerasnlpLabError, RunError, check_option, first_line
from kerasnlp_lab.evaluation import Evaluation, evaluate, evaluate_logits
from kerasnlp_lab.evaluation.fonts import without_font
from kerasnlp_lab.evaluation.plots import (
    learning_curves_figure,
    png_bytes,
)
from kerasnlp_lab.evaluation.report import render_page
from kerasnlp_lab.lab.claiming import claim_run, say
from kerasnlp_lab.lab.config import ExperimentConfig
from kerasnlp_lab.lab.distillation import Distillation, Teaching
from kerasnlp_lab.lab.folds import divide_into_folds, out_of_fold_logits
from kerasnlp_lab.lab.reading import note_on_word_vectors, notes_on_reading
from kerasnlp_lab.machine import precision_note
from kerasnlp_lab.paths import our_command, user_path, write_whole
from kerasnlp_lab.training import RunDirectory, TrainingResult, make_strategy, train
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.training.run_directory import package_versions
from kerasnlp_lab.training.steps import explain_lost_worker
from kerasnlp_lab.training.strategy import is_chief
from kerasnlp_lab.training.word_vectors import check_source
from kerasnlp_lab.zoo import Classifier, create_model, find_model, predict_logits

__all__ = ["Experiment", "resume_experiment", "run_experiment", "write_results"]


@dataclass(frozen=True, eq=False)
class Experiment:
    """A finished run.

    Args:
        run: Its directory.
        config: The settings that it was trained with; None for a mix.
        dataset: The description of its rows, as `describe_dataset` gives it.
        training: The course of the training.
        evaluation: The results on the test split.
    """

    run: RunDirectory
    config: ExperimentConfig
    dataset: Mapping[str, Any]
    training: TrainingResult
    evaluation: Any


def run_experiment(
    config: ExperimentConfig,
    data: TextDataset,
    output: str | Path,
    *,
    teaching: Teaching | None = None,
    console: rich.console.Console | None = None,
    notes: bool = True,
) -> Experiment:
    """Trains a model, evaluates it once on the test split, and writes a run directory.

    If the run directory holds an unfinished run with the same settings, it resumes that run.

    Args:
        config: The settings.
        data: The rows.
        output: The run directory: new, empty, or of an unfinished run.
        teaching: A teacher to learn from; its `Teaching.data` are the rows, and its
            `Teaching.student` gives the settings. None learns from labels alone.
        console: Where to show progress; None shows nothing.
        notes: Whether to say there which texts the model cannot read well.

    Raises:
        KerasnlpLabError: Any of the mistakes that a user can mend.
    """
    task = config.task_for(data)
    if teaching is not None:
        fits = config.strategy != "multi_worker"
        check_option("strategy", config.strategy, fits, "one for a single machine to distil")
    strategy = make_strategy(config.strategy)
    config, note = _resolved(config, data)
    record = config.to_json() | {"dataset": describe_dataset(data), "versions": package_versions()}
    record["strategy"]["replicas"] = strategy.num_replicas_in_sync
    if teaching is not None:
        record["distillation"] = teaching.record
    folds = divide_into_folds(config, data)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    with explain_lost_worker(strategy), claim_run(output, record, strategy, console) as run:
        if "precision" in config.options:
            say(console, precision_note(config.options["precision"]))
        if note:
            say(console, note)
        if folds:
            answers = out_of_fold_logits(folds, config, data, task, run, strategy, console)
            say(console, f"all {len(data.train)} rows")
        lesson, texts = None, data.train.texts
        if teaching is not None:
            for note in teaching.notes:
                say(console, note)
            lesson = teaching.lesson(console)
            texts = lesson.rows.texts
        keras.utils.set_random_seed(config.seed)
        classifier = create_model(
            config.model,
            task,
            texts,
            pair=data.pair,
            options=config.options,
            strategy=strategy,
        )
        if data.pair and not classifier.text.separates_pairs:
            say(
                console,
                f"{config.model} reads {' and '.join(data.pair)} as one text and does not know "
                f"where the second begins{'' if task.reads == 'target' else '; a BERT does'}",
            )
        found = notes_on_reading(classifier.entry, classifier.text, texts)
        advice = note_on_word_vectors(classifier, texts)
        for note in filter(None, [*found, advice]) if notes else ():
            say(console, note)
        training = train(
            classifier,
            data,
            config.recipe,
            run.path,
            seed=config.seed,
            console=console,
            checkpoints=Checkpoints(run.checkpoints, writes=is_chief(strategy)),
            checkpoint_every=config.checkpoint_every,
            lesson=lesson,
        )
        fused = classifier.fused()
        if folds:
            logits = answers
        else:
            logits = predict_logits(classifier, data.validation.texts, fused=fused)
        classifier = _with_decision(classifier, logits, data, config)
        validation = evaluate_logits(logits, data.validation, task, classifier.decision)
        evaluation = evaluate(classifier, data.test, fused=fused)
        if folds and data.test is data.train:
            speed = evaluation.texts_per_second
            evaluation = evaluate_logits(answers, data.test, task, classifier.decision, speed)
        experiment = Experiment(run, config, record["dataset"], training, evaluation)
        if is_chief(strategy):
            found = [*found, *(teaching.notes if teaching else ())]
            write_results(experiment, classifier, data, validation, record, found, console)
        return experiment


def _resolved(config: ExperimentConfig, data: TextDataset) -> tuple[ExperimentConfig, str]:
    """Returns the settings with the options that the rows decide, and a line on that choice."""
    entry = find_model(config.model)
    entry.prepare()
    labels = None if isinstance(data.train, ShardedSplit) else strata(data.train)
    options, note = entry.resolve(entry.with_options(config.options), data.train.texts, labels)
    if vectors := getattr(options, "word_vectors", ""):
        options = dataclasses.replace(options, word_vectors=check_source(vectors))
    return dataclasses.replace(config, options=dataclasses.asdict(options)), note


def resume_experiment(
    path: str | Path,
    *,
    moved: Mapping[str, str] | None = None,
    strategy: str | None = None,
    console: rich.console.Console | None = None,
) -> Experiment:
    """Resumes a run that was stopped, from its directory alone.

    Args:
        path: The run directory.
        moved: The new place of tables that have moved since, by "data", "validation_data" or
            "test_data"; of a folder of shards by "data", or of datasets by "data_dir".
        strategy: A strategy other than the one that it was started with.
        console: Where to show progress; None shows nothing.

    Raises:
        RunError: It is no unfinished run, or the rows are others than it was started with.
        DataError: A table is no longer there.
        KerasnlpLabError: Any of the mistakes that a user can mend.
    """
    run = RunDirectory(user_path(path))
    if not run.unfinished:
        raise RunError(f"{RunDirectory.open(path).path} is finished: there is nothing to resume")
    content = run.read_json("config.json")
    try:
        config, dataset = ExperimentConfig.from_json(content), content["dataset"]
    except (KeyError, TypeError) as error:
        raise RunError(
            f"{path} was started by a version whose runs this one cannot resume ({error}); "
            "train again"
        ) from error
    if strategy is not None:
        config = dataclasses.replace(config, strategy=strategy)
    data, teaching = load_again(dataset, moved), None
    if "distillation" in content:
        teaching = _same_teaching(run, content["distillation"], data)
    return run_experiment(config, data, path, teaching=teaching, console=console)


def _same_teaching(run: RunDirectory, record: Mapping[str, Any], data: TextDataset) -> Teaching:
    """Returns the teaching that a run was started with; raises RunError if it has changed."""
    settings = Distillation.from_json(record)
    try:
        teaching = Teaching(settings, data)
    except (DataError, RunError) as error:
        again = our_command("distil", "NEW_PLACE", "--output", run.path)
        raise RunError(
            f"{error}; if the teacher or its texts were moved, repeat the command with their new "
            f"places, as in {again}"
        ) from error
    teaching.check_same(record)
    return teaching


def _with_decision(
    classifier: Classifier, logits: np.ndarray, data: TextDataset, config: ExperimentConfig
) -> Classifier:
    """Returns the classifier with a decision that is chosen by its logits on validation rows."""
    decision = classifier.task.choose_decision(
        logits,
        data.validation,
        data.train,
        threshold=config.threshold,
        positive_class=config.positive_class,
    )
    return dataclasses.replace(classifier, decision=decision)


def write_results(
    experiment: Experiment,
    classifier: Classifier,
    data: TextDataset,
    validation: Evaluation,
    record: dict[str, Any],
    notes: list[str],
    console: rich.console.Console | None,
) -> None:
    """Writes the classifier, the rejected rows and the results; metrics.json comes last."""
    run = experiment.run
    shutil.rmtree(run.model, ignore_errors=True)  # left by a process that was killed since
    classifier.save(run.model)
    if data.rejected:
        rows = map(dataclasses.astuple, data.rejected)
        columns = [field.name for field in dataclasses.fields(RejectedRow)]
        write_whole(run.path / "rejects.csv", csv_content(columns, rows))
    _write_figures_and_report(experiment, record, notes, console)
    leaks = data.leaks_left_out
    run.write_json(
        "metrics.json",
        {
            "test": experiment.evaluation.as_json(),
            "validation": validation.as_json(),
            "mistakes": experiment.evaluation.mistakes_as_json(),
            "training": vars(experiment.training),
            "model_bytes": run.model_bytes(),
            "rejected_rows": len(data.rejected),
            "notes": notes,
            "leaks_left_out": None if leaks is None else dataclasses.asdict(leaks),
        },
    )


def _write_figures_and_report(
    experiment: Experiment,
    record: dict[str, Any],
    notes: list[str],
    console: rich.console.Console | None,
) -> None:
    run, evaluation = experiment.run, experiment.evaluation
    figures = _write_figures(experiment, console)
    write_whole(run.path / "predictions.csv", csv_content(*evaluation.predictions()))
    page = render_page(
        "kerasnlp_lab.evaluation",
        evaluation.template,
        config=record,
        notes=notes,
        training=experiment.training,
        evaluation=evaluation,
        figures=figures,
        text=evaluation.as_text(),
    )
    write_whole(run.path / "report.html", page)


def _write_figures(
    experiment: Experiment, console: rich.console.Console | None
) -> dict[str, bytes]:
    """Writes the figures, and returns their PNGs by name, without those that cannot be drawn."""
    console = console or rich.console.Console(stderr=True)

    def attempt(name: str, draw: Callable[[], Any]) -> Any:
        try:
            return draw()
        except KerasnlpLabError:  # such as SIGTERM
            raise
        except Exception as error:  # the results are worth more than their figures
            say(
                console, f"{name} could not be drawn, the results are complete: {first_line(error)}"
            )

    history = experiment.training.history
    drawn = attempt("the figures of the results", experiment.evaluation.figures) or {}
    if history:
        curves = attempt("learning_curves", lambda: learning_curves_figure(history))
        drawn["learning_curves"] = curves
    pngs = {
        name: attempt(f"{name}.png", functools.partial(png_bytes, figure))
        for name, figure in drawn.items()
        if figure is not None
    }
    pngs = {name: png for name, png in pngs.items() if png is not None}
    for name, png in pngs.items():
        write_whole(experiment.run.path / f"{name}.png", png)
    if missing := without_font(drawn[name] for name in pngs):
        say(
            console,
            f"no installed font has {printable(missing[:20])}: figures show boxes there, "
            "and such classes by their number, from 0, in the order of report.html; install a font "
            "that has them (Noto covers every script)",
        )
    return pngs
