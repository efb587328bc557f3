"""`quiet_tensorflow`: silences TensorFlow's advice to programmers."""

from __future__ import annotations

import logging
import os

__all__ = ["quiet_tensorflow"]


def quiet_tensorflow() -> None:
    """Keeps TensorFlow's advice to programmers out of terminals and notebooks.

    Errors are still shown. Call this before TensorFlow is imported to silence the messages
    of the import as well.

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
    # This optimization warns, at every log level, about each TF Hub preprocessing module that is
    # called eagerly.
    tf.config.optimizer.set_experimental_options({"loop_optimization": False})
