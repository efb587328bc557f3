"""Exports of every task, and one server for all tests that ask it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.serving.running import running

SIZES = {"max_length": 16, "vocab_size": 60, "embed_dim": 8, "ff_dim": 8}
OPTIONS = {
    "classification": ("transformer", SIZES),
    "multi_label": ("transformer", SIZES),
    "entities": (
        "hash_embed_cnn",
        {"max_length": 16, "buckets": 60, "embed_dim": 8, "width": 8, "depth": 1},
    ),
    "generation": ("rnn_seq2seq", {"embed_dim": 8, "units": 8, "beam_size": 2}),
}
PAIR = ("premise", "hypothesis")


@pytest.fixture(scope="session")
def export_of(tmp_path_factory):
    """A function that returns an export of a task, or of pairs, without training."""
    from kerasnlp_lab._keras import keras
    from kerasnlp_lab.data.pairs import join_pair
    from kerasnlp_lab.export import export_classifier
    from kerasnlp_lab.zoo import create_model
    from tests.tasks.cases import CASES

    folder = tmp_path_factory.mktemp("exports")
    cases = {case.task.name: case for case in CASES}

    def export(name: str) -> Path:
        if not (folder / name).exists():
            keras.utils.set_random_seed(0)
            case = cases["classification" if name == "pairs" else name]
            task, texts, pair = case.task.for_data(case.data), case.data.train.texts, None
            if name == "pairs":
                texts, pair = [join_pair(text, "a dog ran") for text in texts], PAIR
            model, options = OPTIONS[task.name]
            classifier = create_model(model, task, texts, pair=pair, options=options)
            export_classifier(classifier, folder / name)
        return folder / name

    return export


@pytest.fixture(scope="session")
def server(export_of, tmp_path_factory):
    """A server of `model`, which is a classification, and `pairs`."""
    folder = tmp_path_factory.mktemp("served")
    exports = [f"model={export_of('classification')}", export_of("pairs")]
    with running(exports, folder / "log", "--max-texts", "100", "--body-timeout", "3") as server:
        yield server


@pytest.fixture
def client(server):
    """A client of that server."""
    with httpx.Client(base_url=server.address, timeout=60) as client:
        yield client
