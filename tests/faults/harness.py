"""Kills and resumes trainings, and compares them with uninterrupted ones."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests import processes

TIMES = ("seconds", "texts_per_second")
KILLED, SAVED = -9, 175


def command(
    arguments: Sequence[str],
    *,
    moment: str = "never",
    count: int = 1,
    devices: int = 1,
    forked: bool = True,
    **env: str,
) -> subprocess.CompletedProcess[str]:
    """Starts kerasnlp-lab in a new process that dies at a moment.

    Args:
        arguments: The arguments of kerasnlp-lab.
        moment: A moment from tests.faults.die.
        count: The occurrence of the moment at which it dies, counted from 1.
        devices: The number of logical devices.
        forked: Whether to fork the process from one that has imported TensorFlow.
        env: More variables for its environment.
    """
    words = [moment, str(count), str(devices), *arguments]
    variables = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **env}
    if forked:
        return processes.run("tests.faults.die", words, environment=variables, timeout=600)
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.die", *words],
        cwd=processes.ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=600,
    )


def finish(arguments: Sequence[str], **how: Any) -> None:
    """Runs a command to its end."""
    result = command(arguments, **how)
    assert result.returncode == 0, result.stderr[-3000:]


def kill_and_resume(
    arguments: Sequence[str], run: Path, kills: Sequence[tuple[str, int]], **how: Any
) -> list[str]:
    """Starts a run, kills it at each moment, finishes it, and returns the moments that occurred."""
    hits = []
    begun = False
    for moment, count in kills:
        words = (
            [arguments[0], "--resume", str(run)] if begun else [*arguments, "--output", str(run)]
        )
        result = command(words, moment=moment, count=count, **how)
        begun = (run / "config.json").exists()
        if result.returncode in (KILLED, SAVED):
            hits.append(f"{moment} {count}")
        else:  # it ended before that moment
            assert result.returncode == 0, result.stderr[-3000:]
        if (run / "metrics.json").exists():
            break
    words = [arguments[0], "--resume", str(run)] if begun else [*arguments, "--output", str(run)]
    finish(words, **how)
    return hits


def differences(one: Path, other: Path) -> list[str]:
    """Returns the differences of two finished runs, to the last bit, except for times."""
    found = [
        name
        for name, read in {
            "weights": lambda run: (run / "model" / "weights.safetensors").read_bytes(),
            "history": _history,
            "metrics": _metrics,
            "predictions": lambda run: (run / "predictions.csv").read_bytes(),
            "config": lambda run: (run / "config.json").read_bytes(),
            "TensorBoard": _scalars,
            "files": _files,
        }.items()
        if read(one) != read(other)
    ]
    return found


def pretraining_differences(one: Path, other: Path) -> list[str]:
    """Does the same with two finished pre-trainings."""
    found = {
        "weights": lambda run: (run / "checkpoint" / "model.safetensors").read_bytes(),
        "state": lambda run: json.loads((run / "metrics.json").read_text())["final_sha256"],
        "history": _history,
        "config": lambda run: (run / "config.json").read_bytes(),
        "TensorBoard": _scalars,
        "files": _files,
    }
    return [name for name, read in found.items() if read(one) != read(other)]


def _history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open(newline="") as file:
        return [
            {name: value for name, value in line.items() if name not in TIMES}
            for line in csv.DictReader(file)
        ]


def _metrics(run: Path) -> dict[str, Any]:
    """Returns metrics.json without times. Its final_sha256 covers weights and optimizer."""
    metrics = json.loads((run / "metrics.json").read_text())
    training = metrics["training"]
    assert training["final_sha256"]
    del metrics["test"]["predict_texts_per_second"]
    for name in TIMES:
        del training[name]
        for line in training["history"]:
            del line[name]
    return metrics


def _scalars(run: Path) -> list[tuple[str, str, int, float]]:
    """Returns every scalar of TensorBoard's files in order, so that a duplicate shows."""
    import tensorflow as tf

    found = []
    for file in sorted((run / "tensorboard").rglob("events.*")):
        for record in tf.data.TFRecordDataset(str(file)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                number = float(tf.make_ndarray(value.tensor))
                folder = file.parent.relative_to(run).as_posix()
                found.append((folder, value.tag, event.step, number))
    return sorted(found)


def _files(run: Path) -> list[str]:
    names = {file.relative_to(run).as_posix() for file in run.rglob("*") if file.is_file()}
    return sorted(name for name in names if not name.startswith("tensorboard/"))
