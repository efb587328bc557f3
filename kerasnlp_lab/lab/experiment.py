"""`run_experiment`: one model on one dataset, from rows to a finished run directory."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rich.console
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import TextDataset, describe_dataset, load_again
from kerasnlp_lab.data.table_rows import RejectedRow, csv_content
from kerasnlp_lab.errors import OptionError, RunError, check_option
from kerasnlp_lab.evaluation.metrics import Evaluation, evaluate, score
from kerasnlp_lab.evaluation.plots import (
    confusion_figure,
    learning_curves_figure,
    png_bytes,
    precision_recall_figure,
    reliability_figure,
)
from kerasnlp_lab.evaluation.report import evaluation_text, render_page
from kerasnlp_lab.machine import precision_note
from kerasnlp_lab.paths import write_whole
from kerasnlp_lab.tasks.class_weights import class_weights
from kerasnlp_lab.tasks.threshold import check_threshold, choose_decision
from kerasnlp_lab.training import RunDirectory, TrainingResult, make_strategy, train
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.training.interval import Interval
from kerasnlp_lab.training.run_directory import package_versions
from kerasnlp_lab.training.steps import explain_lost_worker
from kerasnlp_lab.training.strategy import is_chief
from kerasnlp_lab.training.trainer import CHECKPOINT_EVERY
from kerasnlp_lab.zoo import (
    Classifier,
    Recipe,
    ZooEntry,
    create_classifier,
    find_model,
    predict_logits,
)

__all__ = ["Experiment", "resume_experiment", "run_experiment"]


@dataclass(frozen=True, eq=False)
class Experiment:
    """A finished run.

    Args:
        run: Its directory.
        training: What the training came to.
        evaluation: The results on the test split.
    """

    run: RunDirectory
    training: TrainingResult
    evaluation: Evaluation


def run_experiment(
    model: str,
    data: TextDataset,
    output: str | Path,
    *,
    recipe: Recipe | None = None,
    options: dict[str, Any] | None = None,
    threshold: str = "auto",
    positive_class: str | None = None,
    strategy: str = "auto",
    seed: int = 0,
    deterministic: bool = False,
    checkpoint_every: str = CHECKPOINT_EVERY,
    console: rich.console.Console | None = None,
) -> Experiment:
    """Trains a model, then looks at the test split once, and writes a run directory.

    Where the run directory holds an unfinished run of the same configuration, it goes
    on with that.

    Args:
        model: The model's name in the zoo.
        data: The rows.
        output: The run directory: new, empty, or of an unfinished run.
        recipe: How to train; None for the model's own recipe.
        options: Options of the model that differ from its defaults.
        threshold: Of two classes, how the threshold is chosen on the validation rows: see
            `kerasnlp_lab.tasks.threshold.choose_decision`.
        positive_class: Of two classes, the one that it is for; None for the rarer.
        strategy: One of `kerasnlp_lab.training.strategy.STRATEGIES`.
        seed: Initial weights, dropout and order of the rows.
        deterministic: Whether TensorFlow may use only operations that give the same to
            the last bit every time; once switched on, it stays so for the whole process.
        checkpoint_every: When to save: "5m", "200steps", "off".
        console: Where to show progress; None for nowhere.

    Raises:
        KerasnlpLabError: Any of the mistakes that a user can mend.
    """
    entry = find_model(model)
    recipe = recipe or entry.recipe
    if entry.solve is None and not recipe.epochs + recipe.frozen_epochs:
        raise OptionError("the recipe trains for no epoch; set epochs to 1 or more")
    unused = _unused(entry, recipe)
    if unused:
        solved, frozen = "is solved, not trained step by step", "has no encoder to freeze"
        raise OptionError(
            f"{model} {frozen if entry.solve is None else solved}, and has no use for "
            f"{', '.join(unused)}; leave that out"
        )
    check_option("seed", seed, 0 <= seed < 2**32, "from 0 to 2**32 - 1")
    chosen = entry.with_options(options or {})
    check_threshold(threshold, positive_class, data.label_names)
    counts = data.train.label_counts(len(data.label_names))
    class_weights(recipe.class_weight, counts, data.label_names)  # its mistakes, now
    Interval(checkpoint_every)
    placed = make_strategy(strategy)
    entry.prepare()
    config = {
        "model": {"name": model, "options": dataclasses.asdict(chosen)},
        "dataset": describe_dataset(data),
        "recipe": dataclasses.asdict(recipe),
        "decision": {"threshold": threshold, "positive_class": positive_class},
        "strategy": {"name": strategy, "replicas": placed.num_replicas_in_sync},
        "seed": seed,
        "deterministic": deterministic,
        "checkpoint_every": checkpoint_every,
        "versions": package_versions(),
    }
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    with explain_lost_worker(placed), _claim(output, config, placed, console) as run:
        if console is not None and hasattr(chosen, "precision"):
            console.print(f"  {precision_note(chosen.precision)}", highlight=False)
        classifier = create_classifier(
            model,
            data.label_names,
            data.train.texts,
            options=dataclasses.asdict(chosen),
            strategy=placed,
        )
        checkpoints = Checkpoints(run.checkpoints, writes=is_chief(placed))
        training = train(
            classifier,
            data,
            recipe,
            run.path,
            seed=seed,
            console=console,
            checkpoints=checkpoints,
            checkpoint_every=checkpoint_every,
        )
        return _conclude(run, classifier, data, training, config, is_chief(placed))


def resume_experiment(
    path: str | Path,
    *,
    strategy: str | None = None,
    console: rich.console.Console | None = None,
) -> Experiment:
    """Goes on with a run that was stopped, from its directory alone.

    Args:
        path: The run directory.
        strategy: Another than it was begun with.
        console: Where to show progress; None for nowhere.

    Raises:
        RunError: It is no unfinished run, or its rows or its model are no longer there.
        KerasnlpLabError: Any of the mistakes that a user can mend.
    """
    run = RunDirectory(Path(path))
    if not run.unfinished:
        raise RunError(
            f"{RunDirectory.open(path).path} is finished: there is nothing to go on with"
        )
    config = run.read_json("config.json")
    try:
        arguments: dict[str, Any] = {
            "recipe": Recipe(**config["recipe"]),
            "options": config["model"]["options"],
            "threshold": config["decision"]["threshold"],
            "positive_class": config["decision"]["positive_class"],
            "strategy": strategy or config["strategy"]["name"],
            "seed": config["seed"],
            "deterministic": config["deterministic"],
            "checkpoint_every": config["checkpoint_every"],
        }
        model, dataset = config["model"]["name"], config["dataset"]
    except (KeyError, TypeError) as error:
        raise RunError(
            f"{path} was begun by a version that could not go on with it ({error}); train again"
        ) from error
    return run_experiment(model, load_again(dataset), path, console=console, **arguments)


@contextlib.contextmanager
def _claim(
    output: str | Path,
    config: dict[str, Any],
    strategy: tf.distribute.Strategy,
    console: rich.console.Console | None,
) -> Iterator[RunDirectory]:
    """Yields the run directory, which of several workers the chief alone claims."""
    if not is_chief(strategy):
        yield RunDirectory(Path(output))
        return
    again = RunDirectory(Path(output)).unfinished
    with RunDirectory.claim(output, config) as run:
        if again and console is not None:
            before = run.read_json("config.json")
            console.print(f"  going on with the run in {run.path}", highlight=False)
            for name in ("versions", "strategy"):
                if before[name] != config[name]:
                    console.print(
                        f"  with other {name} than it was begun with: the result may differ in "
                        "the last digits",
                        highlight=False,
                    )
        yield run


def _conclude(
    run: RunDirectory,
    classifier: Classifier,
    data: TextDataset,
    training: TrainingResult,
    config: dict[str, Any],
    writes: bool,
) -> Experiment:
    """Chooses how the classifier's answers are read, tests it, and writes what it came to."""
    fused = classifier.fused()
    logits = predict_logits(classifier, data.validation.texts, fused=fused)
    decision = choose_decision(
        logits,
        data.validation,
        data.label_names,
        data.train.label_counts(len(data.label_names)),
        threshold=config["decision"]["threshold"],
        positive_class=config["decision"]["positive_class"],
    )
    classifier = dataclasses.replace(classifier, decision=decision)
    validation = score(logits, data.validation, data.label_names, decision)
    evaluation = evaluate(classifier, data.test, fused=fused)
    if writes:
        shutil.rmtree(run.model, ignore_errors=True)  # of a process that was killed since
        classifier.save(run.model)
        if data.rejected:
            rows = map(dataclasses.astuple, data.rejected)
            columns = [field.name for field in dataclasses.fields(RejectedRow)]
            write_whole(run.path / "rejects.csv", csv_content(columns, rows))
        _write_results(run, config, training, validation, evaluation)
    return Experiment(run, training, evaluation)


def _unused(entry: ZooEntry, recipe: Recipe) -> list[str]:
    """Returns the fields of a recipe that were changed to no effect."""
    before, after = dataclasses.asdict(entry.recipe), dataclasses.asdict(recipe)
    changed = [name for name in after if after[name] != before[name]]
    if entry.solve is not None:
        return [name for name in changed if name != "class_weight"]
    if entry.has_encoder:
        return []
    return [name for name in changed if name in ("frozen_epochs", "head_learning_rate")]


def _write_results(
    run: RunDirectory,
    config: dict[str, Any],
    training: TrainingResult,
    validation: Evaluation,
    evaluation: Evaluation,
) -> None:
    figures = {
        "confusion": png_bytes(confusion_figure(evaluation)),
        "learning_curves": png_bytes(learning_curves_figure(training.history)),
        "precision_recall": png_bytes(precision_recall_figure(evaluation)),
        "reliability": png_bytes(reliability_figure(evaluation)),
    }
    for name, figure in figures.items():
        write_whole(run.path / f"{name}.png", figure)
    write_whole(run.path / "predictions.csv", _predictions_csv(evaluation))
    page = render_page(
        "kerasnlp_lab.evaluation",
        "run.html.j2",
        config=config,
        training=training,
        evaluation=evaluation,
        figures=figures,
        text=evaluation_text(evaluation),
    )
    write_whole(run.path / "report.html", page)
    run.write_json(
        "metrics.json",
        {
            "test": evaluation.as_json(),
            "validation": validation.as_json(),
            "mistakes": [dataclasses.asdict(mistake) for mistake in evaluation.mistakes],
            "training": vars(training),
            "model_bytes": run.model_bytes(),
            "rejected_rows": config["dataset"]["rejected_rows"],
            "leaks_left_out": config["dataset"]["reading"].get("leaks_left_out"),
        },
    )


def _predictions_csv(evaluation: Evaluation) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["row", "label", "predicted", *evaluation.label_names])
    names = evaluation.label_names
    rows = zip(evaluation.labels, evaluation.predicted, evaluation.probabilities, strict=True)
    for row, (label, predicted, probabilities) in enumerate(rows):
        writer.writerow([row, names[label], names[predicted], *(f"{p:.6f}" for p in probabilities)])
    return buffer.getvalue()
