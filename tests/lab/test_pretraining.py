"""Pre-training from texts to modules: what a run holds, exact resume, and the refusals."""

import json
import os
import signal
import types

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from kerasnlp_lab.bert.checkpoint import read_checkpoint
from kerasnlp_lab.bert.pretraining_network import pretraining_network
from kerasnlp_lab.data.corpus import CorpusSource
from kerasnlp_lab.errors import KerasnlpLabError, RunError, TrainingStopped
from kerasnlp_lab.lab.pretraining import resume_pretraining, run_pretraining
from kerasnlp_lab.lab.pretraining_config import PretrainingConfig
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.training.steps import TrainingSteps
from kerasnlp_lab.zoo import find_model
from tests.tiny_bert import TINY_VOCABULARY, write_tiny_checkpoint

DOCUMENTS = """the cat sat . the dog ran !
a dog sat . the cat ran .

oil stock vote . the war vote , the oil
stock vote war oil . a vote
the stock vote

team game goal . the match
the team match goal ! a game
game goal team

chip code web . the web code
the chip , a web chip
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A folder with a BERT, and a file of documents."""
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny_checkpoint(folder / "bert", positions=32)
    texts = folder / "texts.txt"
    texts.write_text(DOCUMENTS * 6)
    return types.SimpleNamespace(bert=folder / "bert", texts=CorpusSource(paths=(str(texts),)))


def settings(tiny, **changes):
    given = {"max_length": 16, "steps": 6, "batch_size": 4, "precision": "float32"}
    given |= {"held_out": 0.3} | changes
    if "model" not in given:
        given = {"shape": str(tiny.bert), "vocabulary": str(tiny.bert)} | given
    return PretrainingConfig(**given)


@pytest.fixture(scope="module")
def run(tiny, tmp_path_factory):
    """A finished run of both objectives."""
    output = tmp_path_factory.mktemp("run") / "run"
    return run_pretraining(settings(tiny), tiny.texts, output)


def test_a_run_ends_as_modules_that_anybody_loads(run):
    folder = run.run.path
    preprocess = hub.KerasLayer(str(folder / "preprocess"))
    encoder = hub.KerasLayer(str(folder / "encoder"))
    packed = preprocess(tf.constant(["the cat sat", "oil stock"]))
    outputs = encoder(packed)
    checkpoint = read_checkpoint(folder / "checkpoint")
    assert checkpoint.vocabulary == tuple(TINY_VOCABULARY)
    network = pretraining_network(checkpoint)
    expected = network.encoder(packed)
    for name in ("pooled_output", "sequence_output"):
        np.testing.assert_allclose(outputs[name], expected[name], atol=1e-5)


def test_the_report_has_the_measures_and_examples(run):
    metrics = run.run.read_json("metrics.json")
    held_out = metrics["held_out"]
    assert held_out["perplexity"] == pytest.approx(np.exp(held_out["masked_loss"]))
    assert 0 <= held_out["next_sentence_accuracy"] <= 1
    assert metrics["history"][-1]["val_masked_loss"] < metrics["history"][-1]["val_loss"]
    page = (run.run.path / "report.html").read_text()
    assert "Hidden words in held-out texts" in page and 'title="the model read [MASK]"' in page
    assert not (run.run.path / "checkpoints").exists()


def test_a_result_is_fine_tuned_by_its_folder(run, tiny):
    entry = find_model(str(run.run.path))
    assert entry.options.pooling == "pooled_output"
    assert entry.recipe.learning_rate == 1e-4
    assert entry.prepare().encoder == str(run.run.path / "encoder")
    assert find_model(str(tiny.bert)).recipe.learning_rate == 3e-5


def stop_after(monkeypatch, steps):
    step, taken = TrainingSteps.__call__, []

    def interrupted(self, *arguments):
        taken.append(1)
        if len(taken) == steps:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, *arguments)

    monkeypatch.setattr(TrainingSteps, "__call__", interrupted)


def test_a_stopped_run_resumes_to_the_same_bits(run, tiny, tmp_path, monkeypatch):
    output = tmp_path / "run"
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        with pytest.raises(TrainingStopped, match="pretrain --resume"):
            run_pretraining(settings(tiny), tiny.texts, output)
    with pytest.raises(RunError, match="pre-training"):
        RunDirectory.open(output)
    resumed = resume_pretraining(output)
    assert resumed.result.final_sha256 == run.result.final_sha256
    weights = [one.run.path / "checkpoint" / "model.safetensors" for one in (run, resumed)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


@pytest.mark.slow
def test_it_continues_with_the_output_layers_of_the_run_before(run, tiny, tmp_path):
    config = settings(tiny, model=str(run.run.path), objective="mlm+nsp", learning_rate=1e-9)
    again = run_pretraining(config, tiny.texts, tmp_path / "again")
    before, after = run.result.held_out, again.result.held_out
    assert after["masked_loss"] == pytest.approx(before["masked_loss"], abs=1e-3)
    recipe = find_model(str(run.run.path)).recipe
    assert find_model(str(again.run.path)).recipe == recipe


def test_a_vocabulary_is_learned_once_and_changed_texts_are_refused(tiny, tmp_path, monkeypatch):
    texts = tmp_path / "texts.txt"
    texts.write_text(DOCUMENTS)
    config = settings(tiny, vocabulary=None, vocab_size=30, objective="mlm", steps=1)
    output = tmp_path / "run"
    with monkeypatch.context() as patch:
        stop_after(patch, 1)
        with pytest.raises(TrainingStopped):
            run_pretraining(config, CorpusSource(paths=(str(texts),)), output)
    pieces = (output / "preprocess" / "assets" / "vocab.txt").read_text().split()
    assert len(pieces) <= 30 and "[MASK]" in pieces
    texts.write_text(DOCUMENTS + "\nanother cat . another dog\n")
    with pytest.raises(RunError, match="unfinished run with dataset fingerprint"):
        resume_pretraining(output)
    texts.write_text(DOCUMENTS)
    monkeypatch.setattr("kerasnlp_lab.lab.pretraining_origin.learn_vocabulary", None)
    resumed = resume_pretraining(output)
    assert "val_next_sentence_accuracy" not in resumed.result.history[-1]
    assert set(resumed.result.held_out) == {"perplexity", "masked_loss", "masked_accuracy"}
    assert find_model(str(output)).options.pooling == "mean"


def test_a_finished_run_answers_nothing_by_itself(run):
    with pytest.raises(RunError, match="fine-tune it with"):
        RunDirectory.open(run.run.path)
    with pytest.raises(RunError, match="nothing to resume"):
        resume_pretraining(run.run.path)
    with pytest.raises(RunError, match="there is no run directory"):
        resume_pretraining(run.run.path.with_name("none"))
    with pytest.raises(RunError, match="already exists"):
        run_pretraining(run.config, CorpusSource(paths=("missing.txt",)), run.run.path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": None}, "--config NAME"),
        ({"model": "minilm_l6_h384", "shape": "x"}, "--from MODEL"),
        ({"model": "minilm_l6_h384", "vocab_size": 100}, "leave out --vocab-size"),
        ({"shape": "x", "vocabulary": "y", "cased": True}, "leave out --cased"),
        ({"shape": "x", "epochs": 2, "steps": 3}, "not both"),
        ({"shape": "x", "objective": "nsp"}, "mlm or mlm"),
        ({"shape": "x", "max_length": 4}, "--max-length"),
        ({"shape": "x", "held_out": 0.9}, "--held-out"),
        ({"shape": "x", "checkpoint_every": "often"}, "often"),
        ({"shape": "x", "learning_rate": -1.0}, "--learning-rate must be above 0"),
        ({"shape": "x", "strategy": "tpu"}, "strategy"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(KerasnlpLabError, match=message):
        PretrainingConfig(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_length": 64}, "over the 32 positions"),
        ({"model": "the tiny one", "max_length": 64}, "over the 32 positions"),
        ({"model": "transformer"}, "has no BERT to continue from"),
        ({"shape": "albert_en_base", "vocabulary": None}, "expected a BERT"),
    ],
)
def test_a_bert_that_does_not_fit_is_refused_before_the_texts_are_read(
    tiny, tmp_path, changes, message
):
    if changes.get("model") == "the tiny one":
        changes = changes | {"model": str(tiny.bert)}
    with pytest.raises(KerasnlpLabError, match=message):
        run_pretraining(settings(tiny, **changes), tiny.texts, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_settings_survive_json():
    config = PretrainingConfig(shape="small_bert/bert_en_uncased_L-4_H-128_A-2", steps=7)
    assert PretrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert (config.objective, config.epochs, config.learning_rate) == ("mlm+nsp", None, 5e-4)
