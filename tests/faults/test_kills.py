"""A run that is killed at any moment and resumed ends bit-equal to an uninterrupted one.

`make faults` does this many more times, at random moments.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from kerasnlp_lab.zoo import find_model
from tests import processes
from tests.cli.command import run as cli
from tests.faults.harness import (
    KILLED,
    SAVED,
    command,
    differences,
    finish,
    kill_and_resume,
    pretraining_differences,
)
from tests.faults.kill_many import ENTITIES, EVERY, SCRATCH, SMALL, TAGGER, hub, pretraining

# The consecutive kills of one run.
PLANS = {
    "writing": [("half written", 2)],
    "steps and renaming": [("step", 3), ("before rename", 4), ("after rename", 1)],
    "tidying": [("after rename", 3), ("before cleaning", 3), ("after the best", 1)],
    "ends of epochs": [("in validation", 1), ("after a line of history", 2), ("step", 9)],
    "signals": [("sigterm", 4), ("sigterm in validation", 2), ("after a checkpoint", 1)],
    "the end": [("after training", 1), ("after saving the model", 1), ("after the results", 1)],
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """An uninterrupted run."""
    run = tmp_path_factory.mktemp("whole") / "run"
    finish([*SCRATCH, "--output", str(run)])
    return run


QUICK = "writing"


@pytest.mark.parametrize(
    "plan",
    [pytest.param(plan, marks=() if plan == QUICK else pytest.mark.slow) for plan in PLANS],
)
def test_a_killed_run_ends_bit_equal(plan, whole, tmp_path):
    hits = kill_and_resume(SCRATCH, tmp_path / "run", PLANS[plan])
    assert len(hits) == len(PLANS[plan])
    assert differences(whole, tmp_path / "run") == []


@pytest.mark.slow  # tests/tasks/test_every_task.py resumes both phases within one process
@pytest.mark.timeout(900)  # several processes train a BERT in turn
def test_a_killed_hub_classifier_ends_bit_equal(tmp_path):
    """It is killed while the encoder is frozen, and again during fine-tuning."""
    kills = [("step", 1), ("step", 8), ("half written", 1)]
    arguments = hub(tmp_path)
    finish([*arguments, "--output", str(tmp_path / "whole")])
    hits = kill_and_resume(arguments, tmp_path / "run", kills)
    assert len(hits) == len(kills)
    assert differences(tmp_path / "whole", tmp_path / "run") == []


@pytest.mark.slow  # tests/lab/test_pretraining.py stops one within a process
@pytest.mark.timeout(900)
@pytest.mark.parametrize("devices", [1, 2])
def test_a_killed_pretraining_ends_bit_equal(devices, tmp_path):
    arguments = pretraining(tmp_path)
    arguments += ["--strategy", "mirrored"] if devices > 1 else []
    finish([*arguments, "--output", str(tmp_path / "whole")], devices=devices)
    kills = [("before rename", 2), ("step", 12), ("half written", 2), ("in validation", 1)]
    kills += [("before rename", 2)] if devices == 1 else []
    hits = kill_and_resume(arguments, tmp_path / "run", kills, devices=devices)
    assert len(hits) == len(kills)
    assert pretraining_differences(tmp_path / "whole", tmp_path / "run") == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("model", ["hash_embed_cnn", "bert"])
def test_a_killed_run_on_entities_ends_bit_equal(model, tmp_path):
    arguments = TAGGER if model == "hash_embed_cnn" else [*hub(tmp_path), *ENTITIES]
    finish([*arguments, "--output", str(tmp_path / "whole")])
    kills = [("step", 3), ("half written", 1), ("in validation", 1)]
    assert len(kill_and_resume(arguments, tmp_path / "run", kills)) == len(kills)
    assert differences(tmp_path / "whole", tmp_path / "run") == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_run_on_two_devices_ends_bit_equal(tmp_path):
    arguments = [*SCRATCH, "--strategy", "mirrored"]
    finish([*arguments, "--output", str(tmp_path / "whole")], devices=2)
    kills = [("step", 9), ("before cleaning", 3)]
    assert len(kill_and_resume(arguments, tmp_path / "run", kills, devices=2)) == 2
    assert differences(tmp_path / "whole", tmp_path / "run") == []


@pytest.mark.slow
def test_a_killed_run_on_shards_ends_bit_equal(tmp_path):
    shards = str(tmp_path / "shards")
    finish(["data", "shard", "--dataset", "news_sample", "--shards", "8", "--to", shards])
    arguments = ["train", "--data", shards, "--model", "transformer", *SMALL, *EVERY]
    arguments += ["--epochs", "3", "--batch-size", "32"]
    finish([*arguments, "--output", str(tmp_path / "whole")])
    kills = [("step", 17), ("step", 9)]
    assert len(kill_and_resume(arguments, tmp_path / "run", kills)) == 2
    assert differences(tmp_path / "whole", tmp_path / "run") == []


@pytest.mark.slow
def test_deterministic_runs_of_one_configuration_are_bit_equal(tmp_path):
    arguments = [*SCRATCH, "--deterministic"]
    for name in ("one", "other"):
        finish([*arguments, "--output", str(tmp_path / name)])
    assert differences(tmp_path / "one", tmp_path / "other") == []


def begun(folder: Path, *arguments: str, step: int = 12) -> Path:
    """Returns a run that was killed after some steps, with two checkpoints."""
    run = folder / "run"
    result = command([*arguments, "--output", str(run)], moment="step", count=step)
    assert result.returncode == KILLED, result.stderr[-2000:]
    assert len(list((run / "checkpoints").glob("step-*"))) == 2
    return run


def resume(run: Path) -> subprocess.CompletedProcess[str]:
    return command(["train", "--resume", str(run)])


@pytest.mark.slow  # tests/training/test_checkpoints.py breaks some
def test_a_broken_checkpoint_falls_back_to_the_one_before(whole, tmp_path):
    run = begun(tmp_path, *SCRATCH)
    newest = max((run / "checkpoints").glob("step-*"))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1  # one bit
    newest.write_bytes(content)
    result = resume(run)
    assert result.returncode == 0, result.stderr
    assert f"{newest} has been altered since it was written" in result.stdout
    assert "the checkpoint before it is used" in result.stdout
    assert differences(whole, run) == []


@pytest.mark.slow
def test_checkpoints_that_are_all_broken_are_refused(tmp_path):
    run = begun(tmp_path, *SCRATCH)
    for file in (run / "checkpoints").glob("step-*"):
        file.write_bytes(file.read_bytes()[:1000])
    result = resume(run)
    assert result.returncode == 2
    assert "no checkpoint can be used" in result.stderr and "train again" in result.stderr


@pytest.mark.slow  # tests/cli/test_interrupts.py has other rows
def test_other_rows_are_refused(tmp_path):
    table = tmp_path / "table.csv"
    rows = [f"text {n} {'good' if n % 2 else 'bad'},{n % 2}" for n in range(200)]
    table.write_text("\n".join(["text,label", *rows]))
    arguments = ["train", "--model", "transformer", *SMALL, "--checkpoint-every", "3steps"]
    run = begun(tmp_path, *arguments, "--data", str(table), "--batch-size", "16", step=9)
    table.write_text("\n".join(["text,label", *rows[:-1], "something else,1"]))
    result = resume(run)
    assert result.returncode == 2
    assert "holds other rows than when the run was started" in result.stderr


def test_two_processes_cannot_train_into_one_run(tmp_path):
    run = tmp_path / "run"
    endless = ["--epochs", "2000", "--patience", "2000", "--output", str(run)]
    first = processes.start("kerasnlp_lab", [*SCRATCH, *endless], out=tmp_path / "said")
    try:
        for _ in range(600):
            if (run / "config.json").exists():
                break
            time.sleep(0.1)
        result = cli("train", "--resume", run)
        assert result.code == 2
        assert "another process is training into" in result.err
    finally:
        first.kill()
        first.join()


def test_sigterm_saves_with_a_status_of_its_own_and_another_model_is_refused(tmp_path):
    run = tmp_path / "run"
    arguments = [*SCRATCH, "--checkpoint-every", "off", "--output", str(run)]
    result = command(arguments, moment="sigterm", count=5)
    assert result.returncode == SAVED
    assert f"resume with: kerasnlp-lab train --resume {run}" in result.stderr
    assert [file.name for file in (run / "checkpoints").iterdir()] == [
        "step-000000000006.safetensors"
    ]
    refused = cli(*SCRATCH, "--learning-rate", "0.5", "--output", run)
    assert refused.code == 2
    rate = find_model("transformer").recipe.learning_rate
    assert f"unfinished run with recipe learning_rate = {rate}, not 0.5" in refused.err
    refused = cli("train", "--resume", run, "--epochs", "9")
    assert refused.code == 2
    assert "leave out --epochs" in refused.err


@pytest.mark.slow
def test_a_second_ctrl_c_stops_at_once(tmp_path):
    run = tmp_path / "run"
    result = command([*SCRATCH, "--output", str(run)], moment="ctrl-c twice", count=5)
    assert result.returncode not in (0, SAVED)
    assert not list(run.glob("checkpoints/step-*6.safetensors"))


@pytest.mark.slow  # tests/training/test_checkpoints.py fills one without a process
def test_a_full_disk_while_a_checkpoint_is_written(whole, tmp_path):
    """The run ends with a remedy, and with free space it resumes bit-equal."""
    run = tmp_path / "run"
    result = command([*SCRATCH, "--output", str(run)], moment="disk full", count=2)
    assert result.returncode == 2
    assert "cannot write" in result.stderr and "ulimit -f" in result.stderr
    assert len(list((run / "checkpoints").glob("step-*"))) == 1
    finish(["train", "--resume", str(run)])
    assert differences(whole, run) == []
