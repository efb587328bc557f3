"""In a new process TensorFlow is quiet, computes by oneDNN, and ignores the locale.

One process shows all of it, because each would take seconds to import TensorFlow.
"""

import json
import os
import platform
import subprocess
import sys

import pytest

CODE = """
import json, os
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

from tensorflow.python.util import _pywrap_util_port
from kerasnlp_lab.bert.preprocessing import normalize
from kerasnlp_lab.text import TfidfVectorizer
texts = tf.constant(["IBM ISRAEL"])
ngrams = list(TfidfVectorizer(tokens="words").ngrams(["IBM ISRAEL"]))[0][:2]
normal = normalize(texts, do_lower_case=True, strip_accents=False).numpy()[0]
words = [one.decode() for one in [*ngrams, normal]]
print(json.dumps({"onednn": _pywrap_util_port.IsMklEnabled(), "words": words}))
"""

pytestmark = pytest.mark.starts_tensorflow


@pytest.fixture(scope="module")
def ran():
    """The finished process. Its locale is Turkish."""
    environment = {n: value for n, value in os.environ.items() if n != "TF_ENABLE_ONEDNN_OPTS"}
    environment |= {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}
    ran = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran


def test_advice_is_not_shown_and_errors_are(ran):
    shown = ran.stdout + ran.stderr
    assert "advice" not in shown and "cpu_feature_guard" not in shown, shown
    assert "a mistake" in shown


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="not an x86 processor")
def test_tensorflow_computes_by_onednn(ran):
    """With AVX512-VNNI it is TensorFlow's default; on other processors it makes us quick."""
    assert json.loads(ran.stdout.splitlines()[-1])["onednn"]


def test_capital_i_in_a_turkish_locale(ran):
    """Lower-casing does not depend on the locale."""
    assert json.loads(ran.stdout.splitlines()[-1])["words"] == ["ibm", "israel", "ibm israel"]
