"""`make_strategy`: on which devices a network is trained."""

from __future__ import annotations

import tensorflow as tf

from kerasnlp_lab.errors import StrategyError, UnknownNameError

__all__ = ["STRATEGIES", "make_strategy"]

STRATEGIES = ("auto", "cpu", "gpu", "mirrored")


def make_strategy(name: str = "auto") -> tf.distribute.Strategy:
    """Returns a TensorFlow strategy.

    Args:
        name: "auto": all GPUs if there are several, one if there is one, else the
            CPU. "cpu" and "gpu": one device. "mirrored": a copy of the network on
            each GPU, or, where there is none, on each logical CPU device.

    Raises:
        UnknownNameError: There is no such strategy.
        StrategyError: The devices are not there.

    Example:
        >>> make_strategy("cpu").num_replicas_in_sync
        1
    """
    if name not in STRATEGIES:
        raise UnknownNameError("strategy", name, STRATEGIES)
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
