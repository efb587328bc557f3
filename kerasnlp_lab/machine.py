"""What this machine computes quickly, and how its memory is given back."""

from __future__ import annotations

import ctypes
import os
import platform
from pathlib import Path

__all__ = [
    "best_precision",
    "give_back_memory",
    "has_gpu",
    "precision_note",
    "prefer_onednn",
]

# Linux names them in a line of /proc/cpuinfo; oneDNN, TensorFlow's library, has code for both.
_CPU_FLAGS = ("amx_bf16", "avx512_bf16")
_CPU_INFO = Path("/proc/cpuinfo")
_GPU_CAPABILITY = (8, 0)  # Ampere, the first with products in bfloat16


def best_precision() -> str:
    """Returns "mixed_bfloat16" where hardware multiplies in bfloat16, and "float32" elsewhere."""
    return "mixed_bfloat16" if _bfloat16_unit() else "float32"


def precision_note(precision: str) -> str:
    """Returns a line for the log on the precision that an encoder computes in."""
    unit = _bfloat16_unit()
    if precision == "float32":
        return f"precision {precision}{'' if unit else ' (no bfloat16 in hardware here)'}"
    why = f"this machine has {unit}" if unit else "slow here: nothing computes it in hardware"
    return f"precision {precision} ({why}; --precision float32 turns it off)"


def prefer_onednn() -> None:
    """Has TensorFlow compute by oneDNN on every x86 processor, not on the newest alone.

    TensorFlow 2.20 does so by itself where there is AVX512-VNNI or AVX-VNNI. A choice of the
    user's, TF_ENABLE_ONEDNN_OPTS, stands; and nothing changes where TensorFlow was imported
    before, which has read it then.
    """
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def give_back_memory() -> None:
    """Returns memory that is free, but that glibc keeps, to the system; no-op without glibc.

    Of what millions of small objects were in, glibc gives back by itself only the end.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, TypeError):  # another C library; Windows, where None is no name
        pass


def has_gpu() -> bool:
    """Returns whether TensorFlow sees a GPU."""
    import tensorflow as tf

    return bool(tf.config.get_visible_devices("GPU"))


def _bfloat16_unit() -> str:
    """Returns what computes products in bfloat16 here; an empty string if nothing does."""
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
    except OSError:  # no Linux
        return set()
    return set(next((line for line in lines if line.startswith("flags")), "").split())
