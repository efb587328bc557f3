"""`quiet_tensorflow`: no advice to programmers among results."""

from __future__ import annotations

import logging
import os

__all__ = ["quiet_tensorflow"]


def quiet_tensorflow() -> None:
    """Keeps TensorFlow's advice to programmers off a terminal, and out of a notebook.

    Errors are still shown. What TensorFlow says while it is being imported can be kept
    back only if it has not been imported before.

    Example:
        >>> quiet_tensorflow()
        >>> tf.get_logger().level == logging.ERROR
        True
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import absl.logging
    import tensorflow as tf

    tf.get_logger().setLevel(logging.ERROR)
    absl.logging.set_verbosity(absl.logging.ERROR)
    # It warns, past every log level, of each TF Hub preprocessing module that is called eagerly.
    tf.config.optimizer.set_experimental_options({"loop_optimization": False})
