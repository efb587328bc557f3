"""`make_strategy`: chooses the devices on which a network is trained."""

from __future__ import annotations

import json
import os
from functools import lru_cache

import tensorflow as tf

from kerasnlp_lab._internals import expand_slurm_nodes
from kerasnlp_lab.errors import StrategyError, UnknownNameError, first_line

__all__ = ["STRATEGIES", "is_chief", "make_strategy", "workers_of"]

SLURM_PORT = 8888  # of a node's first task
STRATEGIES = ("auto", "cpu", "gpu", "mirrored", "multi_worker")


@lru_cache
def make_strategy(name: str = "auto") -> tf.distribute.Strategy:
    """Returns a TensorFlow strategy.

    Args:
        name: "auto": all GPUs if there are several, one if there is one, else the
            CPU. "cpu" and "gpu": one device. "mirrored": a copy of the network on
            each GPU, or, where there is none, on each logical CPU device.
            "multi_worker": a process for each machine that TF_CONFIG or SLURM names,
            each with all its GPUs or its CPU; it has to be made before TensorFlow
            does anything else.

    Returns:
        The strategy, the same for the same name.

    Raises:
        UnknownNameError: There is no such strategy.
        StrategyError: The devices or the other workers are not there.

    Example:
        >>> make_strategy("cpu").num_replicas_in_sync
        1
    """
    if name not in STRATEGIES:
        raise UnknownNameError("strategy", name, STRATEGIES)
    if name == "multi_worker":
        return _multi_worker()
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    cpus = [device.name for device in tf.config.list_logical_devices("CPU")]
    if name == "gpu" and not gpus:
        raise StrategyError(
            "no GPU is visible to TensorFlow; install tensorflow[and-cuda] and check nvidia-smi, "
            "or use --strategy cpu"
        )
    if name == "mirrored" or (name == "auto" and len(gpus) > 1):
        return tf.distribute.MirroredStrategy(gpus or cpus)
    return tf.distribute.OneDeviceStrategy(cpus[0] if name == "cpu" or not gpus else gpus[0])


def _multi_worker() -> tf.distribute.MultiWorkerMirroredStrategy:
    if "TF_CONFIG" not in os.environ and "SLURM_STEP_NODELIST" not in os.environ:
        raise StrategyError(
            "multi_worker needs to know the workers: set TF_CONFIG, or start it with srun; see "
            "docs/guides/distributed.md"
        )
    try:
        if "TF_CONFIG" not in os.environ:
            os.environ["TF_CONFIG"] = _config_of_slurm()
        json.loads(os.environ["TF_CONFIG"])["task"]["index"]
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        return tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except (ValueError, KeyError, TypeError) as error:
        raise StrategyError(
            f"TF_CONFIG cannot be used ({first_line(error)}): expected "
            '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
        ) from error
    except tf.errors.OpError as error:
        raise StrategyError(
            f"the workers did not find each other ({first_line(error)}); check that each is "
            "started, with the same cluster in TF_CONFIG, and that its port can be reached"
        ) from error
    except RuntimeError as error:
        raise StrategyError(
            f"{first_line(error)}; make the strategy before anything else of TensorFlow"
        ) from error


def _config_of_slurm() -> str:
    """Returns the TF_CONFIG that srun's variables make; raises KeyError or ValueError."""
    nodes = expand_slurm_nodes(
        os.environ["SLURM_STEP_NODELIST"], os.environ["SLURM_STEP_TASKS_PER_NODE"]
    )
    workers = [f"{host}:{SLURM_PORT + place}" for host, number in nodes for place in range(number)]
    task = {"type": "worker", "index": int(os.environ["SLURM_PROCID"])}
    return json.dumps({"cluster": {"worker": workers}, "task": task})


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether this process is the worker that writes files."""
    return workers_of(strategy)[1] == 0


def workers_of(strategy: tf.distribute.Strategy) -> tuple[int, int]:
    """Returns the number of a strategy's processes, and the number of this one; 0 is the chief."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return 1, 0
    cluster = resolver.cluster_spec().as_dict()
    chiefs, workers = len(cluster.get("chief", [])), len(cluster.get("worker", []))
    place = resolver.task_id + (chiefs if resolver.task_type == "worker" else 0)
    return chiefs + workers, place
