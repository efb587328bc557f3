"""`compare_runs`: trained runs side by side on the same rows, without training."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rich.box
import rich.console
import rich.table
from rich.markup import escape

from kerasnlp_lab.data import Split, TextDataset, load_again
from kerasnlp_lab.data.normal_form import text_key
from kerasnlp_lab.display import listed
from kerasnlp_lab.errors import DataError, OptionError, RunError
from kerasnlp_lab.evaluation import Evaluation, evaluate_logits
from kerasnlp_lab.evaluation.report import render_page
from kerasnlp_lab.lab.claiming import say
from kerasnlp_lab.lab.distillation import unlabelled_texts
from kerasnlp_lab.lab.leaderboard import SECOND
from kerasnlp_lab.lab.verdicts import verdict
from kerasnlp_lab.paths import check_new, user_path, write_whole
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.zoo import Classifier, load_classifier, predict_logits

__all__ = ["RunComparison", "compare_runs", "runs_table"]

TURNS = 5  # of each model, of about a second each
WARM_UP_TEXTS = 64
MOST_TEXTS = 50_000  # in a turn


@dataclass(frozen=True, eq=False)
class RunComparison:
    """Trained runs on the same test rows.

    Args:
        rows: The results of each run, the best first, as docs/json.md lists them.
        reference: The run that the agreement is with: the first that another names as its teacher,
            or else the first.
        verdicts: A sentence with a p-value for each pair of neighbours.
        notes: What people should know about the test rows, a line each.
    """

    rows: list[dict[str, Any]]
    reference: str
    verdicts: list[str]
    notes: list[str]


@dataclass(frozen=True, eq=False)
class _Run:
    name: str  # as it was given
    directory: RunDirectory
    config: Mapping[str, Any]
    classifier: Classifier
    data: TextDataset


def compare_runs(
    runs: Sequence[str | Path],
    output: str | Path,
    *,
    test: Split | None = None,
    moved: Mapping[str, str] | None = None,
    console: rich.console.Console | None = None,
) -> RunComparison:
    """Tests trained runs on the same rows, and measures their speed in turns.

    Args:
        runs: The directories of finished runs of the same task and classes.
        output: The folder for comparison.json and report.html.
        test: The rows to test on; None for the test rows of the first run.
        moved: The new place of files that the runs were trained on: see `load_again`.
        console: Where to show progress; None shows nothing.

    Raises:
        OptionError: A run is named twice, or differs from the first in task, classes or pairs.
        RunError: A run is not finished, or was trained on rows that it would be tested on, or its
            training rows cannot be found again to know that.
    """
    check_new(user_path(output), "name another --output")
    opened = _open(list(map(str, runs)), moved or {})
    tested = opened[0].data.test if test is None else test
    notes = _check_not_trained_on(opened, tested)
    for note in notes:
        say(console, note)
    folder = RunDirectory.create(output, {"runs": [run.name for run in opened]})
    evaluations, speeds = _measured(opened, tested, console)
    reference = _reference(opened)
    expected = evaluations[reference].comparable_answers
    rows = []
    for run in opened:
        pairs = zip(evaluations[run.name].comparable_answers, expected, strict=True)
        agrees = [one == other for one, other in pairs]
        rows.append(_row(run, evaluations[run.name], speeds[run.name], agrees))
    rows.sort(key=lambda row: -row["value"])
    verdicts = [
        verdict((a, b), [evaluations[a]], [evaluations[b]])
        for a, b in itertools.pairwise(row["run"] for row in rows)
    ]
    result = RunComparison(rows, reference, verdicts, notes)
    content = {
        "test_rows": len(tested),
        "test_source": tested.path or opened[0].data.name,
        "reference": reference,
        "leaderboard": rows,
        "paired_tests": verdicts,
        "notes": notes,
    }
    second = _second(rows)
    page = render_page(
        "kerasnlp_lab.lab", "run_comparison.html.j2", **content, rows=rows, second=second
    )
    write_whole(folder.path / "report.html", page)
    folder.write_json("comparison.json", content)
    return result


def _open(names: Sequence[str], moved: Mapping[str, str]) -> list[_Run]:
    """Returns the runs, opened; raises OptionError unless they answer the same question."""
    if len(names) < 2 or len({user_path(name).resolve() for name in names}) < len(names):
        raise OptionError(f"name two runs or more, each once, got {', '.join(names) or 'none'}")
    directories = [RunDirectory.open(name) for name in names]
    configs = [one.read_json("config.json") for one in directories]
    classifiers = [load_classifier(one.model) for one in directories]
    first = classifiers[0]
    for name, other in zip(names[1:], classifiers[1:], strict=True):
        for what, own, others in (
            ("the task", first.task.name, other.task.name),
            ("the classes", listed(first.label_names), listed(other.label_names)),
            ("the pairs of", listed(first.pair or ["none"]), listed(other.pair or ["none"])),
        ):
            if own != others:
                raise OptionError(
                    f"runs are compared on the same question: {names[0]} has {what} {own}, and "
                    f"{name} has {others}"
                )
    loaded: dict[str, TextDataset] = {}  # by fingerprint: many runs have the same rows
    runs = []
    for name, one, config, classifier in zip(names, directories, configs, classifiers, strict=True):
        key = config["dataset"]["fingerprint"]
        try:
            data = loaded[key] if key in loaded else load_again(config["dataset"], moved)
        except (DataError, RunError) as error:
            raise RunError(
                f"{name}: its training rows cannot be found again, so it may have been trained on "
                f"the rows that it would be tested on ({error})"
            ) from error
        runs.append(_Run(name, one, config, classifier, loaded.setdefault(key, data)))
    return runs


def _check_not_trained_on(runs: Sequence[_Run], test: Split) -> list[str]:
    """Returns notes on texts of the test rows that runs have seen.

    Texts are the same if they differ only in case, white space or composed characters. A run that
    was tested on the same rows may have some of their texts in its training rows, if its dataset
    has: that is only said.

    Raises:
        RunError: A run was trained on rows that it would be tested on.
    """
    keys, texts = list(map(text_key, test.texts)), list(test.texts)
    notes: dict[str, list[str]] = {}
    for run in runs:
        data, many = run.data, f"of the {len(texts)} test rows"
        found = _places(keys, data.train.texts)
        own = data.test is not data.train and list(data.test.texts) == texts
        if found and not own:
            raise RunError(
                f"{run.name} was trained on {len(found)} {many}, such as {test.where(found[0])}: "
                "leave it out, or test on other rows (--test-data)"
            )
        told = {f"{len(found)} {many} have the text of a training row": found}
        found = [] if own else _places(keys, data.validation.texts)
        told |= {f"{len(found)} {many} were validated on": found}
        if record := run.config.get("distillation"):
            try:
                found = _places(keys, unlabelled_texts(record, data))
                told |= {f"{len(found)} {many} were among the unlabelled texts": found}
            except (DataError, RunError) as error:
                told |= {f"its unlabelled texts cannot be compared with the rows: {error}": [0]}
        for line, rows in told.items():
            if rows:
                notes.setdefault(line, []).append(run.name)
    return [f"{', '.join(names)}: {line}" for line, names in notes.items()]


def _places(keys: Sequence[bytes], texts: Any) -> list[int]:
    """Returns the rows whose keys are among those of texts."""
    seen = set(map(text_key, texts))
    return [row for row, key in enumerate(keys) if key in seen]


def _measured(
    runs: Sequence[_Run], test: Split, console: rich.console.Console | None
) -> tuple[dict[str, Evaluation], dict[str, list[float]]]:
    """Returns the results of each run, and its texts/s in each turn, by its name."""
    evaluations, speeds, fused = {}, {run.name: list[float]() for run in runs}, {}
    for run in runs:
        fused[run.name] = run.classifier.fused()
        predict_logits(run.classifier, test.texts[:WARM_UP_TEXTS], fused=fused[run.name])
        began = time.perf_counter()
        logits = predict_logits(run.classifier, test.texts, fused=fused[run.name])
        speed = len(test) / (time.perf_counter() - began)
        say(console, f"{run.name}: {len(test)} texts answered, {speed:.0f} texts/s")
        task, decision = run.classifier.task, run.classifier.decision
        evaluations[run.name] = evaluate_logits(logits, test, task, decision, speed)
    for _ in range(TURNS):
        for run in runs:
            # About a second: the rows over and over, or some of them from all over.
            count = min(max(int(evaluations[run.name].texts_per_second), 1), MOST_TEXTS)
            places = np.arange(count) * max(len(test) / count, 1.0)
            some = [test.texts[int(place) % len(test)] for place in places]
            began = time.perf_counter()
            predict_logits(run.classifier, some, fused=fused[run.name])
            speeds[run.name].append(count / (time.perf_counter() - began))
    return evaluations, speeds


def _reference(runs: Sequence[_Run]) -> str:
    """Returns the first run that another names as its teacher, or else the first."""
    teachers = {run.config["distillation"]["teacher"] for run in runs if _is_student(run)}
    found = (run.name for run in runs if str(run.directory.path.resolve()) in teachers)
    return next(found, runs[0].name)


def _is_student(run: _Run) -> bool:
    return "distillation" in run.config


def _row(
    run: _Run, result: Evaluation, speeds: Sequence[float], agrees: Sequence[bool]
) -> dict[str, Any]:
    name, value = result.headline
    return {
        "run": run.name,
        "model": run.config["model"]["name"],
        "seed": run.config["seed"],
        "teacher": run.config["distillation"]["teacher"] if _is_student(run) else None,
        "headline": name,
        "value": value,
        "interval": result.interval,
        "figures": {name: value, **result.more_figures},
        "agreement": float(np.mean(agrees)),
        "predict_texts_per_second": float(np.median(speeds)),
        "predict_texts_per_second_of_turns": list(speeds),
        "model_bytes": run.directory.model_bytes(),
    }


def _second(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns the second column of figures; "" for none."""
    figures = (one for one in SECOND if one in rows[0]["figures"])
    return next((one for one in figures if one != rows[0]["headline"]), "")


def runs_table(result: RunComparison) -> rich.table.Table:
    """Returns the comparison for the terminal."""
    rows, second = result.rows, _second(result.rows)
    table = rich.table.Table(box=rich.box.SIMPLE, pad_edge=False)
    table.add_column("run", no_wrap=True)
    table.add_column("model", no_wrap=True)
    columns = [rows[0]["headline"].replace("_", "\n"), "95%\ninterval"]
    columns += [second.replace("_f1", "\nF1").replace("_", "\n")] if second else []
    for column in (*columns, "agree", "texts/s", "MB"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        interval = "-" if row["interval"] is None else "{:.3f}-{:.3f}".format(*row["interval"])
        table.add_row(
            escape(row["run"]),
            escape(row["model"]),
            f"[bold]{row['value']:.4f}[/bold]",
            interval,
            *([f"{row['figures'][second]:.4f}"] if second else []),
            "-" if row["run"] == result.reference else f"{row['agreement']:.4f}",
            f"{row['predict_texts_per_second']:.0f}",
            f"{row['model_bytes'] / 1e6:.1f}",
        )
    return table
