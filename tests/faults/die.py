"""Runs `kerasnlp-lab` and kills it at a chosen moment, as a power failure would.

python -m tests.faults.die MOMENT COUNT DEVICES ARGUMENT...

MOMENT is one of MOMENTS, or "never". The process dies when it occurs for the COUNTth time, counted
from 1. If DEVICES is above 1, the CPU is split into that many logical devices.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


class Countdown:
    """Calls a function when `reached` is called for the COUNTth time."""

    def __init__(self, count: int, action):
        self.left, self.action = count, action

    def reached(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.action()


def around(owner, name: str, before=None, after=None) -> None:
    """Wraps a function to call another one before or after it."""
    original = getattr(owner, name)

    def wrapped(*arguments, **keywords):
        if before is not None:
            before()
        result = original(*arguments, **keywords)
        if after is not None:
            after()
        return result

    setattr(owner, name, wrapped)


def half_written(countdown: Countdown) -> None:
    """Cuts the file in the middle and kills the process."""
    import safetensors.numpy

    original = safetensors.numpy.save_file

    def save_half(arrays, path, metadata=None):
        original(arrays, path, metadata)
        if countdown.left == 1:
            os.truncate(path, Path(path).stat().st_size // 2)
        countdown.reached()

    safetensors.numpy.save_file = save_half


def interrupt_twice() -> None:
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGINT)


def disk_full(count: int) -> None:
    """Makes the countth checkpoint exceed the system's limit on file size."""
    import resource

    from kerasnlp_lab.training.checkpoints import Checkpoints

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = Countdown(count, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, -1)))
    around(Checkpoints, "save", before=limit.reached)


def arm(moment: str, count: int) -> None:
    from kerasnlp_lab import paths
    from kerasnlp_lab.lab import experiment
    from kerasnlp_lab.training import checkpoints, fit, history, steps
    from kerasnlp_lab.zoo import Classifier

    Checkpoints, step = checkpoints.Checkpoints, (steps.TrainingSteps, "__call__")
    validation, save = (fit.Fit, "_validate"), (Classifier, "save")
    places = {
        "step": (*step, "after", kill),
        "sigterm": (*step, "after", terminate),
        "ctrl-c twice": (*step, "after", interrupt_twice),
        "in validation": (*validation, "before", kill),
        "sigterm in validation": (*validation, "before", terminate),
        "before rename": (paths.os, "replace", "before", kill),
        "after rename": (paths.os, "replace", "after", kill),
        "before cleaning": (Checkpoints, "_remove_unneeded", "before", kill),
        "after the best": (Checkpoints, "save_best", "after", kill),
        "after a checkpoint": (Checkpoints, "save", "after", kill),
        "after a line of history": (history.History, "add", "after", kill),
        "after training": (experiment, "train", "after", kill),
        "before saving the model": (*save, "before", kill),
        "after saving the model": (*save, "after", kill),
        "before the results": (experiment, "_write_figures_and_report", "before", kill),
        "after the results": (experiment, "_write", "after", kill),
    }
    if moment in places:
        owner, name, when, action = places[moment]
        around(owner, name, **{when: Countdown(count, action).reached})
    elif moment == "half written":
        half_written(Countdown(count, kill))
    elif moment == "disk full":
        disk_full(count)
    elif moment != "never":
        raise SystemExit(f"no moment is called {moment!r}")


# Each with its number of occurrences in 4 epochs with a checkpoint every 5 steps.
MOMENTS = {
    "step": 28,
    "sigterm": 28,
    "sigterm in validation": 4,
    "before rename": 25,
    "after rename": 25,
    "half written": 7,
    "before cleaning": 7,
    "after the best": 3,
    "after a checkpoint": 5,
    "in validation": 4,
    "after a line of history": 4,
    "after training": 1,
    "before saving the model": 1,
    "after saving the model": 1,
    "before the results": 1,
    "after the results": 1,
}


def main() -> None:
    moment, count, devices, *arguments = sys.argv[1:]
    if int(devices) > 1:
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        logical = [tf.config.LogicalDeviceConfiguration()] * int(devices)
        tf.config.set_logical_device_configuration(cpu, logical)
    arm(moment, int(count))
    from kerasnlp_lab.cli.main import main as kerasnlp_lab

    sys.argv = ["kerasnlp-lab", *arguments]
    kerasnlp_lab()


if __name__ == "__main__":
    main()
