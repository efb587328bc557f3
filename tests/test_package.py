"""The imported package: its names, its version, and every value of TF_USE_LEGACY_KERAS."""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import distributions

import pytest
from packaging.specifiers import SpecifierSet

import kerasnlp_lab

ONE_STEP = """
import json
import numpy as np
import tensorflow as tf
from kerasnlp_lab import create_classifier
from kerasnlp_lab._keras import keras

keras.utils.set_random_seed(0)
texts, labels = ["so good", "so bad"] * 4, np.array([1, 0] * 4)
classifier = create_classifier("seed_transformer", ["bad", "good"], texts)
before = classifier.network.get_weights()
crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
classifier.model.compile("adam", crossentropy, run_eagerly=True)
history = classifier.model.fit(tf.constant(texts), labels, verbose=0)
moved = [bool((a != b).any()) for a, b in zip(before, classifier.network.get_weights())]
print(json.dumps([history.history["loss"], sum(moved)]))
"""


def test_every_name_resolves():
    for name in kerasnlp_lab.__all__:
        assert getattr(kerasnlp_lab, name).__class__ is not None
    assert dir(kerasnlp_lab) == sorted(kerasnlp_lab.__all__)


def test_names_are_those_of_their_modules():
    from kerasnlp_lab.layers import TransformerBlock
    from kerasnlp_lab.zoo import create_classifier

    assert kerasnlp_lab.TransformerBlock is TransformerBlock
    assert kerasnlp_lab.create_classifier is create_classifier


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="module 'kerasnlp_lab' has no attribute 'trian'"):
        kerasnlp_lab.trian  # noqa: B018  # looking it up is the test


def test_version_is_the_installed_one():
    assert kerasnlp_lab.__version__ == importlib.metadata.version("kerasnlp_lab")


@pytest.mark.slow  # tests/test_fresh_process.py shows that it does if it is told nothing
@pytest.mark.starts_tensorflow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="not an x86 processor")
def test_tensorflow_does_not_compute_by_onednn_if_told_so():
    script = (
        "import kerasnlp_lab.layers\n"
        "from tensorflow.python.util import _pywrap_util_port\n"
        "print(_pywrap_util_port.IsMklEnabled())"
    )
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert ran.stdout.strip() == "False", ran.stderr


def test_the_python_versions_are_those_that_setup_cfg_names():
    """The Makefile and `make pythons` read the classifiers, and pip reads Requires-Python."""
    metadata = importlib.metadata.metadata("kerasnlp_lab")
    prefix = "Programming Language :: Python :: "
    named = [one.removeprefix(prefix) for one in metadata.get_all("Classifier") if prefix in one]
    wanted = SpecifierSet(metadata["Requires-Python"])
    assert named == [f"3.{minor}" for minor in range(30) if f"3.{minor}" in wanted]


def test_the_first_release_of_this_python_can_install_what_it_needs():
    """constraints.txt once had versions that Debian's Python 3.11.2 is too old for."""
    wanted = {one.metadata["Name"]: one.metadata["Requires-Python"] for one in distributions()}
    assert len(wanted) > 50
    first = f"{sys.version_info.major}.{sys.version_info.minor}.0"
    too_new = {n: wants for n, wants in wanted.items() if first not in SpecifierSet(wants or "")}
    assert too_new == {}


@pytest.mark.slow
@pytest.mark.starts_tensorflow
def test_it_trains_whatever_tf_use_legacy_keras_is():
    """Each value makes tf.keras another library, and ours must not follow it."""
    # All other tests run with the value of this process, so it is left out here.
    values = {None, "0", "1"} - {os.environ.get("TF_USE_LEGACY_KERAS")}
    processes = {}
    for value in values:
        environment = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
        if value is not None:
            environment["TF_USE_LEGACY_KERAS"] = value
        processes[value] = subprocess.Popen(  # in parallel, because each takes seconds to start
            [sys.executable, "-c", ONE_STEP],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
    for value, process in processes.items():
        out, err = process.communicate()
        assert process.returncode == 0, f"TF_USE_LEGACY_KERAS={value}: {err}"
        (loss,), moved = json.loads(out.splitlines()[-1])
        assert 0.1 < loss < 3  # two classes, nothing learned yet: about log 2
        assert moved > 10
