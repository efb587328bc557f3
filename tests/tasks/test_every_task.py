"""Every task passes these tests, on a model from scratch and on a BERT."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.export import export_classifier, open_predictor
from kerasnlp_lab.layers import MaskedAveragePooling1D
from kerasnlp_lab.tasks import Classification, HeadOptions, registry
from kerasnlp_lab.tasks.tagging import TokenLogits
from kerasnlp_lab.text import evaluation_batches, tokenize, training_batches
from kerasnlp_lab.training import train
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.zoo import Recipe, create_model, load_classifier, predict_logits
from kerasnlp_lab.zoo.network import with_head
from tests.tasks.cases import CASES
from tests.tasks.throwaway import EvenWords, MaskedWords

RECURRENT = {"max_length": 16, "vocab_size": 60, "embed_dim": 8, "units": 6}
SMALL = {
    "lstm": RECURRENT,
    "rnn_attention": RECURRENT,
    "transformer": {"max_length": 16, "vocab_size": 60, "embed_dim": 8, "ff_dim": 8},
    "hash_embed_cnn": {"max_length": 16, "buckets": 60, "embed_dim": 8, "width": 8, "depth": 1},
    "rnn_seq2seq": {"embed_dim": 8, "units": 8, "beam_size": 2},
    "bert": {"max_length": 16, "precision": "float32", "layers": 1},
}
FROM_SCRATCH = Recipe(epochs=2, batch_size=4, learning_rate=1e-2, patience=9)
RECIPES = {
    **dict.fromkeys(("transformer", "lstm", "rnn_attention", "hash_embed_cnn"), FROM_SCRATCH),
    "rnn_seq2seq": FROM_SCRATCH,
    "bert": Recipe(epochs=1, frozen_epochs=1, batch_size=4, learning_rate=1e-2, patience=9),
}


def models_of(case):
    """Returns the models to try a task on: one from scratch, or all, and a BERT."""
    recurrent = case.task in (Classification, EvenWords)  # a vector a text, and one a token
    return (*case.models, *(("lstm", "rnn_attention") if recurrent else ()))


@pytest.fixture(autouse=True)
def all_registered(monkeypatch):
    """Registers the tests' own tasks, because a saved model finds its task by name."""
    monkeypatch.setattr(registry, "_TASKS", {case.task.name: case.task for case in CASES})


def subjects(*, throwaway):
    """Returns each model with each task. One task on a BERT is enough for make test.

    Args:
        throwaway: Whether make test runs `MaskedWords`, too, which changes its inputs, and `lstm`,
            which is built as `rnn_attention` is. Entities stand for `EvenWords`, the other task
            with a target for each token.
    """
    slow = [EvenWords] if throwaway else [EvenWords, MaskedWords]
    for case in CASES:
        for model in models_of(case):
            from_scratch = model != "bert" and case.task not in slow
            quick = case.task is Classification or from_scratch
            quick &= throwaway or model != "lstm"
            marks = () if quick else pytest.mark.slow
            yield pytest.param((model, case), marks=marks, id=f"{model}-{case.task.name}")


@pytest.fixture(params=list(subjects(throwaway=True)), scope="module")
def subject(request):
    return request.param


@pytest.fixture(scope="module")
def model(subject):
    return subject[0]


@pytest.fixture(scope="module")
def case(subject):
    return subject[1]


@pytest.fixture(scope="module")
def create(model, case, tiny_checkpoint):
    """A function that creates the same small model with each call."""
    name = str(tiny_checkpoint) if model == "bert" else model

    def new():
        keras.utils.set_random_seed(0)
        task = case.task.for_data(case.data)
        return create_model(name, task, case.data.train.texts, options=SMALL[model])

    return new


@pytest.fixture(scope="module")
def classifier(create):
    """One such model, for tests that leave its weights alone."""
    return create()


def logits_of(classifier, case, fused=None):
    found = predict_logits(classifier, case.data.test.texts, fused=fused)
    if isinstance(found, TokenLogits):
        found = np.split(found.values, np.cumsum(found.tokens.lengths)[:-1])
    return [np.asarray(one) for one in found]


def assert_close(found, expected, tolerance=1e-5):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance)


def assert_same_answer(found, expected):
    """Checks that two answers as JSON are equal, except for rounding."""
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for name, value in expected.items():
            assert_same_answer(found[name], value)
    elif isinstance(expected, list):
        for one, other in zip(found, expected, strict=True):
            assert_same_answer(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=1e-5)
    else:
        assert found == expected


SAVED = pytest.mark.parametrize("subject", list(subjects(throwaway=False)), indirect=True)


@SAVED
def test_build_save_and_load(classifier, case, tmp_path):
    classifier.save(tmp_path / "model")
    loaded = load_classifier(tmp_path / "model")
    assert type(loaded.task) is case.task
    assert loaded.label_names == classifier.label_names
    assert_close(logits_of(loaded, case), logits_of(classifier, case), 0)


def test_an_answer_a_token_or_a_text(classifier, case):
    words = [text.split() for text in case.data.test.texts]
    if (
        case.from_scratch == "transformer" and classifier.encoder is None
    ):  # the word vectorizer drops punctuation
        words = [[word for word in text if word.isalnum()] for text in words]
    lengths = [len(text) for text in words]
    width = classifier.head.output_shape[-1]
    expected = [(length, width) for length in lengths]
    if case.task.reads == "pooled":
        expected = [(width,) for _ in lengths]
    if case.task.reads == "target":
        longest = max(map(len, case.data.train.target_texts))
        most = 1 + longest + -(-longest // 2)  # the end included
        expected = [(most, 2) for _ in lengths]
    assert [one.shape for one in logits_of(classifier, case)] == expected
    logits = predict_logits(classifier, case.data.test.texts)
    answers = classifier.task.answers(logits, classifier.decision, case.data.test.texts)
    assert [answer.text for answer in answers] == list(case.data.test.texts)
    assert all(answer.as_line() for answer in answers)


def test_fused_equals_plain(classifier, case):
    assert_close(logits_of(classifier, case), logits_of(classifier, case, fused=classifier.forward))


@SAVED
def test_export_equals_both(classifier, case, tmp_path):
    export_classifier(classifier, tmp_path / "exported")
    texts = case.data.test.texts
    exported = [one.as_json() for one in open_predictor(tmp_path / "exported").predict(texts)]
    for fused in (classifier.fused(), classifier.forward):
        logits = predict_logits(classifier, texts, fused=fused)
        answers = classifier.task.answers(logits, classifier.decision, texts)
        for answer, other in zip(answers, exported, strict=True):
            assert_same_answer(other, answer.as_json())


def batches_of(classifier, case, step=None):
    """Returns batches of the rows, as in training from a step on, or as in evaluation."""
    task, text, split = classifier.task, classifier.text, case.data.train
    tokens, targets = tokenize(text, split.texts), task.targets(text, split)

    def make(rows, number):
        return task.batch(text, rows, 7, number)

    options = {"batch_size": 4, "targets": targets, "make_batch": make}
    if step is None:
        return evaluation_batches(text, tokens, split.labels, **options)
    batches, _ = training_batches(text, tokens, split.labels, seed=7, first_step=step, **options)
    return batches


def test_a_batch_is_a_function_of_seed_and_step(classifier, case):
    whole = list(batches_of(classifier, case, 0).take(5))
    for step in (1, 3):
        later = list(batches_of(classifier, case, step).take(5 - step))
        for one, other in zip(whole[step:], later, strict=True):
            tf.nest.map_structure(np.testing.assert_array_equal, one, other)
    once, again = (list(batches_of(classifier, case)) for _ in range(2))
    tf.nest.map_structure(np.testing.assert_array_equal, once, again)


def test_padding_is_never_read(classifier, case):
    """NaN at padding changes neither losses, tally nor answers."""
    task = classifier.task.for_training(case.data)
    features, targets = next(iter(batches_of(classifier, case)))
    mask = features.get("input_mask", next(iter(features.values())))
    mask = targets if task.reads == "target" else mask
    real = tf.cast(mask != 0, tf.float32)[:, :, tf.newaxis]  # [batch, seq, 1]
    assert tf.reduce_min(real) == 0, "a batch without padding proves nothing"
    rng = np.random.default_rng(0)
    sequence = tf.constant(rng.normal(size=(*mask.shape, 8)), tf.float32)
    damaged = tf.where(real > 0, sequence, np.nan)
    inputs = {"x": keras.Input((None, 8)), "mask": keras.Input((None,), dtype=tf.bool)}
    body = inputs["x"]
    if task.reads == "pooled":
        body = MaskedAveragePooling1D()(body, mask=inputs["mask"])
    network = with_head("on a given body", inputs, body, task, HeadOptions())
    found = []
    for x in (sequence, damaged):
        with tf.GradientTape() as tape:
            logits = network({"x": x, "mask": mask != 0})
            tape.watch(logits)
            loss, weight = task.losses(logits, targets)
        of_logits = tf.convert_to_tensor(tape.gradient(loss, logits))
        found.append([loss, weight, task.tally(logits, targets), of_logits])
    for plain, with_nan in zip(*found, strict=True):
        assert np.isfinite(with_nan).all()
        np.testing.assert_array_equal(plain, with_nan)


def resumes():
    """Returns subjects, quick if inputs change with the step or an encoder is frozen at first."""
    for case in CASES:
        for model in models_of(case):
            quick = case.task.changes_inputs
            if model in ("bert", "rnn_attention"):
                quick = case.task is Classification
            marks = () if quick else pytest.mark.slow
            yield pytest.param((model, case), marks=marks, id=f"{model}-{case.task.name}")


@pytest.mark.parametrize("subject", list(resumes()), indirect=True)
def test_resume_is_bit_equal(create, case, model, tmp_path, monkeypatch):
    """The files after the third checkpoint are all that a killed process would leave."""
    recipe = RECIPES[model]
    folder, checkpoints = tmp_path / "whole", Checkpoints(tmp_path / "checkpoints")
    save, saves = Checkpoints.save, []

    def copies_the_third(self, *arguments):
        save(self, *arguments)
        saves.append(arguments[0])
        if len(saves) == 3:
            shutil.copytree(folder, tmp_path / "run")
            shutil.copytree(checkpoints.folder, tmp_path / "copied")

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", copies_the_third)
        whole = train(
            create(), case.data, recipe, folder, checkpoints=checkpoints, checkpoint_every="1steps"
        )
    assert len(saves) > 3
    assert np.isfinite([line["val_loss"] for line in whole.history]).all()
    copied = Checkpoints(tmp_path / "copied")
    resumed = train(create(), case.data, recipe, tmp_path / "run", checkpoints=copied)
    assert resumed.final_sha256 == whole.final_sha256
    assert [line["val_loss"] for line in resumed.history] == [
        line["val_loss"] for line in whole.history
    ]
