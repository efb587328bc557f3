"""Several workers: equal weights, the same losses as one worker, and a clean end if one dies."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest

from tests import processes
from tests.faults.harness import finish
from tests.faults.kill_many import TAGGER, hub, pretraining

SMALL = ["--option", "embed_dim=16", "--option", "ff_dim=16"]
NO_DROPOUT = ["--option", "dropout=0", "--option", "token_dropout=0"]
SCRATCH = ["train", "--model", "transformer", "--dataset", "news_sample", *SMALL]
BOUND = 90  # seconds until the other workers must have ended


class Workers:
    """The same command on several workers.

    Args:
        arguments: The arguments of kerasnlp-lab.
        folder: The folder for their output: worker0.log and so on.
        variables: More environment variables for each worker.
    """

    def __init__(self, arguments: list[str], folder: Path, variables: list[dict[str, str]]):
        folder.mkdir(exist_ok=True)
        self.logs = [folder / f"worker{index}.log" for index in range(len(variables))]
        self.processes = [
            processes.start("kerasnlp_lab", arguments, out=log, environment={**os.environ, **one})
            for log, one in zip(self.logs, variables, strict=True)
        ]

    def wait(self, seconds: float = 280) -> list[int | None]:
        """Waits for all workers and returns their exit statuses."""
        until = time.monotonic() + seconds
        for one in self.processes:
            one.join(max(until - time.monotonic(), 0.1))
        statuses = [one.exitcode for one in self.processes]
        for one in self.processes:
            one.kill()
        return statuses

    def said(self) -> list[str]:
        return [log.read_text() for log in self.logs]

    def final_states(self) -> set[str]:
        """Returns the hashes of final weights and optimizer that the workers print."""
        return {re.search(r"final state (\w+)", text).group(1) for text in self.said()}


def workers_on_loopback(number: int, arguments: list[str], folder: Path) -> Workers:
    """Starts a command on several workers, which find each other through TF_CONFIG."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    cluster = {"worker": [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]}
    for one in sockets:
        one.close()
    tasks = [{"type": "worker", "index": index} for index in range(number)]
    configs = [json.dumps({"cluster": cluster, "task": task}) for task in tasks]
    return Workers(arguments, folder, [{"TF_CONFIG": config} for config in configs])


def losses(run: Path) -> list[tuple[float, float]]:
    with (run / "history.csv").open(newline="") as file:
        return [(float(line["loss"]), float(line["val_loss"])) for line in csv.DictReader(file)]


def wait_for(path: Path, pattern: str, seconds: float = 240) -> None:
    until = time.monotonic() + seconds
    while not list(path.glob(pattern)):
        assert time.monotonic() < until, f"no {pattern} in {path}"
        time.sleep(0.1)


@pytest.mark.slow  # test_slurm_names_the_workers trains with two
@pytest.mark.parametrize("number, task", [(2, "classes"), (3, "classes"), (2, "entities")])
def test_workers_end_with_equal_weights_and_the_losses_of_one(number, task, tmp_path):
    given = [*SCRATCH, *NO_DROPOUT] if task == "classes" else [*TAGGER, "--option", "dropout=0"]
    arguments = [*given, "--epochs", "2", "--batch-size", "48"]
    many = ["--strategy", "multi_worker", "--output", str(tmp_path / "many")]
    workers = workers_on_loopback(number, [*arguments, *many], tmp_path / "logs")
    assert workers.wait() == [0] * number, workers.said()
    assert len(workers.final_states()) == 1
    finish([*arguments, "--output", str(tmp_path / "one")])
    together = losses(tmp_path / "many")
    assert len(together) == 2
    for line, other in zip(losses(tmp_path / "one"), together, strict=True):
        assert other == pytest.approx(line, abs=1e-4)
    assert [log.name for log in sorted((tmp_path / "many").iterdir())].count("history.csv") == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_workers_pretrain_with_the_losses_of_one(tmp_path):
    arguments = [*pretraining(tmp_path), "--dropout", "0", "--precision", "float32"]
    many = ["--strategy", "multi_worker", "--output", str(tmp_path / "many")]
    workers = workers_on_loopback(2, [*arguments, *many], tmp_path / "logs")
    assert workers.wait() == [0, 0], workers.said()
    assert len(workers.final_states()) == 1
    finish([*arguments, "--output", str(tmp_path / "one")])
    (together,), (alone,) = losses(tmp_path / "many"), losses(tmp_path / "one")
    assert together == pytest.approx(alone, abs=1e-4)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_that_is_killed_ends_all_and_the_same_command_goes_on(tmp_path):
    arguments = [*SCRATCH, "--epochs", "6", "--patience", "6", "--checkpoint-every", "10steps"]
    many = [*arguments, "--strategy", "multi_worker", "--output", str(tmp_path / "run")]
    workers = workers_on_loopback(2, many, tmp_path / "killed")
    wait_for(tmp_path / "run" / "checkpoints", "step-*.safetensors")
    workers.processes[1].kill()
    began = time.monotonic()
    assert workers.wait(BOUND) == [175, -signal.SIGKILL]
    assert time.monotonic() - began < BOUND
    assert "another worker is gone" in workers.said()[0]
    assert "start the same command on all workers again" in workers.said()[0]
    assert not (tmp_path / "run" / "metrics.json").exists()

    again = workers_on_loopback(2, many, tmp_path / "again")
    assert again.wait() == [0, 0], again.said()
    assert "resuming the run" in again.said()[0]
    whole = workers_on_loopback(2, [*many[:-1], str(tmp_path / "whole")], tmp_path / "logs")
    assert whole.wait() == [0, 0], whole.said()
    assert again.final_states() == whole.final_states()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_that_is_asked_to_stop_stops_all_and_all_is_saved(tmp_path):
    arguments = [*SCRATCH, "--epochs", "60", "--patience", "60", "--checkpoint-every", "10steps"]
    many = [*arguments, "--strategy", "multi_worker", "--output", str(tmp_path / "run")]
    workers = workers_on_loopback(2, many, tmp_path / "logs")
    wait_for(tmp_path / "run" / "checkpoints", "step-*.safetensors")
    os.kill(workers.processes[1].pid, signal.SIGTERM)
    assert workers.wait(BOUND) == [175, 175], workers.said()
    assert all("resume with: kerasnlp-lab train --resume" in text for text in workers.said())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hub_classifier_frozen_and_fine_tuned_on_shards(tmp_path):
    """Each worker opens only its own shards, and the batches equal those of a single worker."""
    shards = str(tmp_path / "shards")
    finish(["data", "shard", "--dataset", "news_sample", "--shards", "8", "--to", shards])
    of_sample = hub(tmp_path)
    dataset = of_sample.index("--dataset")
    arguments = [*of_sample[:dataset], "--data", shards, *of_sample[dataset + 2 :]]
    arguments += ["--option", "dropout=0", "--option", "encoder_dropout=0"]
    arguments += ["--precision", "float32"]
    many = ["--strategy", "multi_worker", "--output", str(tmp_path / "many")]
    workers = workers_on_loopback(2, [*arguments, *many], tmp_path / "logs")
    assert workers.wait() == [0, 0], workers.said()
    assert len(workers.final_states()) == 1
    finish([*arguments, "--output", str(tmp_path / "one")])
    together = losses(tmp_path / "many")
    assert len(together) == 6
    for line, other in zip(losses(tmp_path / "one"), together, strict=True):
        assert other == pytest.approx(line, abs=1e-4)


@pytest.mark.slow
def test_a_hub_classifier_whose_features_are_kept(tmp_path):
    many = [*hub(tmp_path), "--strategy", "multi_worker", "--output", str(tmp_path / "many")]
    workers = workers_on_loopback(2, many, tmp_path / "logs")
    assert workers.wait() == [0, 0], workers.said()
    assert len(workers.final_states()) == 1
    assert len(losses(tmp_path / "many")) == 6


def test_slurm_names_the_workers(tmp_path):
    """The test sets srun's variables for two tasks on this machine."""
    arguments = [*SCRATCH, "--epochs", "1", "--strategy", "multi_worker", "--output"]
    slurm = {"SLURM_STEP_NODELIST": "localhost", "SLURM_STEP_NUM_TASKS": "2"}
    slurm |= {"SLURM_STEP_TASKS_PER_NODE": "2"}
    variables = [{**slurm, "SLURM_PROCID": str(index)} for index in range(2)]
    workers = Workers([*arguments, str(tmp_path / "run")], tmp_path / "logs", variables)
    assert workers.wait() == [0, 0], workers.said()
    assert json.loads((tmp_path / "run" / "config.json").read_text())["strategy"] == {
        "name": "multi_worker",
        "replicas": 2,
    }


def test_without_a_cluster_the_error_says_where_to_name_it(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "TF_CONFIG"}
    words = [*SCRATCH, "--strategy", "multi_worker"]
    result = processes.run("kerasnlp_lab", words, environment=environment)
    assert result.returncode == 2
    assert "multi_worker needs an --output" in result.stderr
    words += ["--output", str(tmp_path / "run")]
    for config, expected in ((None, "set TF_CONFIG"), ("{}", "TF_CONFIG cannot be used")):
        extra = {} if config is None else {"TF_CONFIG": config}
        result = processes.run("kerasnlp_lab", words, environment=environment | extra)
        assert result.returncode == 2
        assert expected in result.stderr
