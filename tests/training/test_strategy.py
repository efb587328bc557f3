"""Strategies use the requested devices, and two devices train like one."""

import json
import os
import subprocess

import pytest

from kerasnlp_lab.errors import StrategyError, UnknownNameError
from kerasnlp_lab.training import make_strategy
from tests import processes

SCRIPT = "tests.training.losses_on_devices"


def train_on(
    strategy: str, model: str, options: dict, dataset: str = "news_sample", **environment: str
) -> dict:
    """Trains in a new process with two logical CPU devices."""
    result = run_script(strategy, model, options, 32, dataset, **environment)
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout.splitlines()[-1])


def run_script(
    strategy: str,
    model: str,
    options: dict,
    batch_size: int,
    dataset: str = "news_sample",
    **environment: str,
) -> subprocess.CompletedProcess:
    words = [strategy, model, json.dumps(options), str(batch_size), dataset]
    return processes.run(SCRIPT, words, environment={**os.environ, **environment})


def assert_same_losses(one: dict, two: dict) -> None:
    assert (one["replicas"], two["replicas"]) == (1, 2)
    assert len(one["history"]) == len(two["history"]) >= 3
    for line, other in zip(one["history"], two["history"], strict=True):
        assert other == pytest.approx(line, abs=1e-4)
    assert one["history"][0]["loss"] - one["history"][-1]["loss"] > 0.01  # it did learn


def test_from_scratch_losses_on_two_devices_equal_those_on_one():
    options = {"dropout": 0.0, "token_dropout": 0.0, "embed_dim": 16, "ff_dim": 16}
    assert_same_losses(
        train_on("cpu", "transformer", options), train_on("mirrored", "transformer", options)
    )


@pytest.mark.slow  # tests/zoo/test_windows.py trains on windows, on one device
def test_windows_on_two_devices_equal_those_on_one():
    options = {"dropout": 0.0, "token_dropout": 0.0, "embed_dim": 16, "ff_dim": 16}
    options |= {"max_length": 8, "long_texts": "windows", "windows_in_training": 2}
    assert_same_losses(
        train_on("cpu", "transformer", options), train_on("mirrored", "transformer", options)
    )


@pytest.mark.slow  # tests/tasks/test_multi_label.py has the losses of one device
def test_several_labels_on_two_devices_equal_those_on_one():
    options = {"dropout": 0.0, "token_dropout": 0.0, "embed_dim": 16, "ff_dim": 16}
    how = ("transformer", options, "several labels")
    assert_same_losses(train_on("cpu", *how), train_on("mirrored", *how))


@pytest.mark.slow  # a loss by the token: tests/tasks/test_every_task.py has the sums of one device
def test_entities_on_two_devices_equal_those_on_one():
    how = ("hash_embed_cnn", {"dropout": 0.0, "width": 16, "buckets": 500}, "news_entities")
    assert_same_losses(train_on("cpu", *how), train_on("mirrored", *how))


@pytest.mark.slow
@pytest.mark.parametrize(
    "encoder",
    [{"encoder": "module"}, {"encoder": "reopened", "encoder_dropout": 0.0}],
    ids=str,
)
def test_hub_losses_on_two_devices_equal_those_on_one(tiny_hub_cache, encoder, tmp_path):
    name, environment = tiny_hub_cache
    options = {"dropout": 0.0, "max_length": 32, "precision": "float32", **encoder}

    def losses(strategy):
        cache = str(tmp_path / strategy)  # each strategy computes its own features
        return train_on(strategy, name, options, **environment, KERASNLP_LAB_CACHE=cache)

    one, two = losses("cpu"), losses("mirrored")
    assert_same_losses(one, two)


def test_a_batch_that_devices_cannot_share_equally_is_an_error():
    result = run_script("mirrored", "transformer", {"embed_dim": 8, "ff_dim": 8}, 33)
    assert "33 rows cannot be shared equally by 2 devices; set batch_size to 32" in result.stderr


def test_a_gpu_that_is_not_there_is_an_error():
    with pytest.raises(StrategyError, match="no GPU is visible"):
        make_strategy("gpu")


def test_an_unknown_strategy_names_the_known_ones():
    with pytest.raises(UnknownNameError, match="did you mean 'mirrored'"):
        make_strategy("mirored")


def test_auto_is_one_device_without_a_gpu():
    assert make_strategy("auto").num_replicas_in_sync == 1
