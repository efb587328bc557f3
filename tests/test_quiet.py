"""quiet_tensorflow hides TensorFlow's advice, but not its errors."""

import subprocess
import sys

import pytest

CODE = """
import os
os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)
from kerasnlp_lab import quiet_tensorflow
quiet_tensorflow()
import absl.logging
import tensorflow as tf
tf.get_logger().warning("advice")
absl.logging.warning("advice")
tf.get_logger().error("a mistake")
assert tf.config.optimizer.get_experimental_options()["loop_optimization"] is False
tf.zeros([2]) + 1
"""


@pytest.mark.starts_tensorflow
def test_advice_is_not_shown_and_errors_are():
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    shown = run.stdout + run.stderr
    assert "advice" not in shown and "cpu_feature_guard" not in shown, shown
    assert "a mistake" in shown
