"""Lower-casing does not depend on the locale."""

import os
import subprocess
import sys

import pytest

_PROGRAM = """
import tensorflow as tf
from kerasnlp_lab.bert.preprocessing import normalize
from kerasnlp_lab.text import TfidfVectorizer
texts = tf.constant(["IBM ISRAEL"])
print(TfidfVectorizer()._ngrams(texts).to_list()[0][:2])
print(normalize(texts, do_lower_case=True, strip_accents=False).numpy()[0])
"""


@pytest.mark.starts_tensorflow
def test_capital_i_in_a_turkish_locale():
    environment = {**os.environ, "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.splitlines() == ["[b'ibm', b'israel']", "b'ibm israel'"]
