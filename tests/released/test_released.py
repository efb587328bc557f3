"""Run directories and exports of version 0.1.0 open, give the same answers, and resume.

runs_0_1_0.tar.xz holds a run of a small ``transformer`` and its export, a run of a tiny BERT from
TF Hub's cache, and a ``transformer`` run that was killed after 90 of 120 steps. It has no plots.
"""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from kerasnlp_lab.export import open_predictor
from kerasnlp_lab.lab import resume_experiment

HERE = Path(__file__).parent
ANSWERS = json.loads((HERE / "answers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    folder = tmp_path_factory.mktemp("released")
    with tarfile.open(HERE / "runs_0_1_0.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize("name", ["transformer", "export", "bert"])
def test_it_answers_as_it_did(released, name, tiny_hub_cache, monkeypatch):
    _, environment = tiny_hub_cache
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    expected = ANSWERS[name]
    precision = "float32" if name == "bert" else None
    predictor = open_predictor(released / name, precision=precision)
    answers = list(predictor.predict([answer["text"] for answer in expected]))
    assert [answer.label for answer in answers] == [answer["label"] for answer in expected]
    for answer, before in zip(answers, expected, strict=True):
        assert list(answer.probabilities) == list(before["probabilities"])
        found, known = (
            list(one.values()) for one in (answer.probabilities, before["probabilities"])
        )
        np.testing.assert_allclose(found, known, atol=1e-5)


def test_an_unfinished_run_is_resumed(released):
    experiment = resume_experiment(released / "unfinished")
    lines = experiment.training.history
    assert [line["epoch"] for line in lines] == [1, 2]
    assert all(0 < line["accuracy"] <= 1 for line in lines)
    finished = json.loads((released / "transformer" / "metrics.json").read_text())
    before = finished["training"]["history"][-1]
    # The uninterrupted training. Another processor adds in another order, so allow for rounding.
    assert lines[-1]["loss"] == pytest.approx(before["loss"], rel=1e-3)
    assert lines[-1]["accuracy"] == pytest.approx(before["accuracy"], abs=0.02)
