"""Detects what this machine computes fast, frees memory, and refuses to compute in a fork."""

from __future__ import annotations

import ctypes
import os
import platform
from pathlib import Path

from kerasnlp_lab.errors import ForkError

__all__ = [
    "begin_computing",
    "best_precision",
    "give_back_memory",
    "has_gpu",
    "precision_note",
    "prefer_onednn",
]

# Flags in /proc/cpuinfo on Linux. TensorFlow's library oneDNN has code for both.
_CPU_FLAGS = ("amx_bf16", "avx512_bf16")
_CPU_INFO = Path("/proc/cpuinfo")
_GPU_CAPABILITY = (8, 0)  # Ampere, the first that multiplies in bfloat16

_forked = False  # whether TensorFlow had computed before this process was forked
_watched = False


def begin_computing() -> None:
    """Notes that TensorFlow computes in this process. A fork lacks its threads and would hang.

    Raises:
        ForkError: This process was forked from one in which TensorFlow had computed.
    """
    global _watched
    if _forked:
        raise ForkError(
            "TensorFlow does not survive a fork, and the process before this one had a model: open "
            "models only after the fork, in each process, or start processes with "
            'multiprocessing.get_context("spawn"); start gunicorn without --preload'
        )
    if not _watched and hasattr(os, "register_at_fork"):  # not on Windows
        _watched = True
        os.register_at_fork(after_in_child=_mark_forked)


def _mark_forked() -> None:
    global _forked
    _forked = True


def best_precision() -> str:
    """Returns "mixed_bfloat16" if the hardware multiplies in bfloat16, or else "float32"."""
    return "mixed_bfloat16" if _bfloat16_unit() else "float32"


def precision_note(precision: str) -> str:
    """Returns a line for the log about the precision in which an encoder computes."""
    unit = _bfloat16_unit()
    if precision == "float32":
        return f"precision {precision}{'' if unit else ' (no bfloat16 in hardware here)'}"
    why = f"this machine has {unit}" if unit else "slow here: no hardware support"
    return f"precision {precision} ({why}; --precision float32 turns it off)"


def prefer_onednn() -> None:
    """Makes TensorFlow use oneDNN on every x86 processor, not only on the newest.

    TensorFlow 2.20 does so by default only on processors with AVX512-VNNI or AVX-VNNI. The user's
    own TF_ENABLE_ONEDNN_OPTS is kept. Has no effect once TensorFlow is imported, because
    TensorFlow reads the variable on import.
    """
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def give_back_memory() -> None:
    """Returns freed memory that glibc still holds to the system. Does nothing without glibc.

    After millions of small objects are freed, glibc by itself returns only the end of its heap.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, TypeError):  # another C library, or Windows, which needs a name
        pass


def has_gpu() -> bool:
    """Returns whether TensorFlow sees a GPU."""
    import tensorflow as tf

    return bool(tf.config.get_visible_devices("GPU"))


def _bfloat16_unit() -> str:
    """Returns the name of the unit that multiplies in bfloat16 here, or "" if there is none."""
    if not has_gpu():
        flags = _cpu_flags()
        return next((flag for flag in _CPU_FLAGS if flag in flags), "")
    import tensorflow as tf

    for gpu in tf.config.get_visible_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        if details.get("compute_capability", (0, 0)) < _GPU_CAPABILITY:
            return ""
    return "the GPU's bfloat16"


def _cpu_flags() -> set[str]:
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return set()
    return set(next((line for line in lines if line.startswith("flags")), "").split())
