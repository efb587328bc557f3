"""`mix_runs`: several finished runs as one, by a weighted mean of their logits."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rich.console
import scipy.special

from kerasnlp_lab.data import Split, TextDataset, describe_dataset, load_again
from kerasnlp_lab.data.normal_form import text_key
from kerasnlp_lab.data.row_labels import label_matrix
from kerasnlp_lab.display import listed
from kerasnlp_lab.errors import OptionError, RunError, check_option
from kerasnlp_lab.evaluation import evaluate, evaluate_logits
from kerasnlp_lab.lab.claiming import say
from kerasnlp_lab.lab.experiment import Experiment, write_results
from kerasnlp_lab.paths import check_new, user_path, whole_directory
from kerasnlp_lab.tasks import Classification, MultiLabel, Task
from kerasnlp_lab.training import RunDirectory, TrainingResult
from kerasnlp_lab.training.run_directory import package_versions
from kerasnlp_lab.zoo import Classifier, load_classifier, predict_logits
from kerasnlp_lab.zoo.mixture import MIX, Mixture, mix_classifiers

__all__ = ["choose_weights", "mix_runs"]

STEPS = 20  # a weight is a multiple of 0.05
MOST_RUNS = 4  # of which 1,771 mixes are tried


def mix_runs(
    runs: Sequence[str | Path],
    output: str | Path,
    *,
    moved: Mapping[str, str] | None = None,
    console: rich.console.Console | None = None,
) -> Experiment:
    """Writes a run whose classifier averages those of finished runs, and tests it once.

    The weights are those with the lowest log loss on the validation rows.

    Args:
        runs: The directories of 2 to 4 finished runs of one task, classification or multi_label,
            with the same classes and the same validation and test rows.
        output: The run directory: new or empty.
        moved: The new places of tables that have moved, as for `resume_experiment`.
        console: Where to say which weights were chosen; None says nothing.

    Raises:
        OptionError: The number of runs, their tasks or their classes do not fit.
        RunError: A run is not finished, is a mix, was trained on rows that another one is
            validated or tested on, or the output exists.
        DataError: A table is no longer there.
    """
    fits = 2 <= len(runs) <= MOST_RUNS
    check_option("the number of runs to mix", len(runs), fits, f"from 2 to {MOST_RUNS}")
    names = [str(user_path(run).resolve()) for run in runs]
    check_option("runs", listed(names), len({*names}) == len(names), "different runs")
    check_new(Path(output), "name another --output")
    for name in names:
        inside = user_path(output).resolve().is_relative_to(name)
        check_option("--output", str(output), not inside, f"a folder outside {name}")
    opened = [RunDirectory.open(run) for run in runs]
    configs = [run.read_json("config.json") for run in opened]
    for run, config in zip(opened, configs, strict=True):
        _check_run(run.path, config)
    members = [load_classifier(run.model) for run in opened]
    for run, member in zip(opened, members, strict=True):
        _check_alike(run.path, member, members[0])
    data = load_again(configs[0]["dataset"], moved)
    for run, config in zip(opened, configs, strict=True):
        if config["dataset"]["fingerprint"] != data.fingerprint:
            _check_rows(run.path, load_again(config["dataset"], moved), data)
    logits = [predict_logits(member, data.validation.texts) for member in members]
    mixture, note = _mixture(members, names, logits, data)
    say(console, note)
    mixed = mixture.mean(logits)
    settings = configs[0]["decision"]
    decision = mixture.task.choose_decision(mixed, data.validation, data.train, **settings)
    mixture = dataclasses.replace(mixture, decision=decision)
    validation = evaluate_logits(mixed, data.validation, mixture.task, decision)
    record = {
        "model": {"name": MIX, "options": {"runs": names, "weights": list(mixture.weights)}},
        "task": mixture.task.name,
        "seed": None,  # nothing was drawn
        "decision": settings,
        "dataset": describe_dataset(data),
        "versions": package_versions(),
    }
    training = TrainingResult([], 0, 0.0, 0.0, 0, 0)
    with whole_directory(output) as folder:
        run = RunDirectory(folder)
        run.write_json("config.json", record)
        tested = evaluate(mixture, data.test)
        dataset = record["dataset"]
        done = Experiment(run, None, dataset, training, tested)  # type: ignore[arg-type]
        write_results(done, mixture, data, validation, record, [note], console)
    return dataclasses.replace(done, run=RunDirectory.open(output))


def choose_weights(
    logits: Sequence[np.ndarray], split: Split, task: Task
) -> tuple[tuple[float, ...], float, list[float]]:
    """Chooses the weights of a mean of logits with the lowest log loss.

    Args:
        logits: Calibrated logits of the split's rows by each member, float32 [rows, classes].
        split: The rows.
        task: Classification or several labels a text.

    Returns:
        The weights, multiples of 0.05 whose sum is 1; their log loss; and the log loss of each
        member alone.
    """
    if isinstance(task, MultiLabel):
        truth = label_matrix(split.label_sets or (), len(task.label_names)).toarray()
    else:
        truth = np.eye(len(task.label_names), dtype=bool)[split.labels]

    def loss(weights: tuple[float, ...]) -> float:
        mixed = sum(weight * one for weight, one in zip(weights, logits, strict=True) if weight)
        if isinstance(task, MultiLabel):
            return float((np.logaddexp(0, mixed) - mixed * truth).sum(axis=1).mean())
        return float(-scipy.special.log_softmax(mixed, axis=1)[truth].mean())

    losses = {weights: loss(weights) for weights in _grid(len(logits))}
    best = min(losses, key=losses.__getitem__)
    alone = [losses[tuple(map(float, row))] for row in np.eye(len(logits))]
    return best, losses[best], alone


def _grid(members: int) -> Iterator[tuple[float, ...]]:
    for parts in itertools.product(range(STEPS + 1), repeat=members - 1):
        if sum(parts) <= STEPS:
            yield tuple(part / STEPS for part in (*parts, STEPS - sum(parts)))


def _mixture(
    members: list[Classifier], names: list[str], logits: list[np.ndarray], data: TextDataset
) -> tuple[Mixture, str]:
    """Returns the mixture of the best weights, and a sentence on them."""
    calibrated = [
        one / member.decision.temperature for one, member in zip(logits, members, strict=True)
    ]
    weights, loss, alone = choose_weights(calibrated, data.validation, members[0].task)
    parts = zip(weights, names, alone, strict=True)
    shares = [f"{weight:.2f} of {name} ({own:.4f} alone)" for weight, name, own in parts]
    note = f"log loss {loss:.4f} on {len(data.validation)} validation rows with {', '.join(shares)}"
    idle = [name for weight, name in zip(weights, names, strict=True) if not weight]
    if idle:
        note += f"; {' and '.join(idle)} adds nothing: leave it out"
    return mix_classifiers(members, weights, names), note


def _check_run(path: Path, config: Mapping[str, Any]) -> None:
    """Raises an error for a run that cannot be mixed."""
    if config["model"]["name"] == MIX:
        raise RunError(f"{path} is a mix already: mix the runs that it was made of")
    if config.get("folds"):
        raise RunError(
            f"{path} was trained on all rows, by cross-validation: none is left to choose weights "
            "on; train it without --folds"
        )
    task = config.get("task", Classification.name)
    fits = task in (Classification.name, MultiLabel.name)
    check_option(f"the task of {path}", task, fits, "classification or multi_label to be mixed")


def _check_alike(path: Path, member: Classifier, first: Classifier) -> None:
    """Raises OptionError unless a classifier answers the same question as the first."""
    for what, own, of_first in (
        ("the task", member.task.name, first.task.name),
        ("the classes", listed(member.label_names), listed(first.label_names)),
        ("texts", listed(member.pair or ["single"]), listed(first.pair or ["single"])),
    ):
        if own != of_first:
            raise OptionError(
                f"{path} has {what} {own}, and the first run has {of_first}; mix runs of one task "
                "on one table"
            )


def _check_rows(path: Path, own: TextDataset, first: TextDataset) -> None:
    """Raises RunError if a run of other rows has learned from those that the mix is judged by."""
    learned = {text_key(_decoded(text)) for text in own.train.texts}
    _refuse(path, "trained", learned, "validation", first.validation)
    chosen = {text_key(text) for text in own.validation.texts}
    _refuse(path, "trained or validated", learned | chosen, "test", first.test)


def _refuse(path: Path, how: str, known: set[bytes], part: str, split: Split) -> None:
    seen = sum(text_key(text) in known for text in split.texts)
    if seen:
        raise RunError(
            f"{path} was {how} on {seen} of the {len(split)} {part} rows of the first run; train "
            "both on the same splits of the same rows"
        )


def _decoded(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")
