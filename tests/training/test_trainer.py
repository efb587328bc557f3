"""`train` is repeatable, keeps the best weights, stops early, and fails cleanly."""

import json
import os
import resource
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import load_dataset
from kerasnlp_lab.errors import OptionError, RunError, TrainingStopped
from kerasnlp_lab.tasks.losses import SmoothedCrossentropy
from kerasnlp_lab.text import evaluation_batches, tokenize
from kerasnlp_lab.text.order import training_order
from kerasnlp_lab.training import RunDirectory, train
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.training.steps import TrainingSteps
from kerasnlp_lab.zoo import Recipe, create_classifier, predict_logits

SMALL = {"embed_dim": 16, "ff_dim": 16}


@pytest.fixture(scope="module")
def news():
    return load_dataset("news_sample")


def new_classifier(news, seed=0, name="transformer", options=SMALL):
    keras.utils.set_random_seed(seed)
    return create_classifier(name, news.label_names, news.train.texts, options=options)


TWO_EPOCHS = Recipe(epochs=2, learning_rate=3e-3)


@pytest.fixture(scope="module")
def whole(news, tmp_path_factory):
    """A classifier trained for two epochs with seed 0, the result, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    classifier = new_classifier(news)
    return classifier, train(classifier, news, TWO_EPOCHS, folder), folder


def weights_of(classifier):
    return np.concatenate([weight.ravel() for weight in classifier.network.get_weights()])


def test_another_seed_gives_another_training(whole, news, tmp_path):
    """The test of a stopped training, below, shows that one seed gives one training."""
    other = new_classifier(news, seed=1)
    train(other, news, TWO_EPOCHS, tmp_path, seed=1)
    assert np.abs(weights_of(whole[0]) - weights_of(other)).max() > 0.01


def test_the_best_weights_are_kept_and_training_stops_early(news, tmp_path):
    """The learning rate makes the model overfit within a few epochs."""
    recipe = Recipe(epochs=40, learning_rate=2e-2, optimizer="adam", patience=2)
    classifier = new_classifier(news, options=SMALL | {"dropout": 0.0, "token_dropout": 0.0})
    result = train(classifier, news, recipe, tmp_path)
    losses = [line["val_loss"] for line in result.history]
    assert result.best_epoch == 1 + int(np.argmin(losses)) < len(losses)
    assert len(losses) == result.best_epoch + 2 < 40
    tokens = tokenize(classifier.text, news.validation.texts)
    batches = evaluation_batches(classifier.text, tokens, news.validation.labels, batch_size=64)
    classifier.network.compile(loss=SmoothedCrossentropy())
    loss = classifier.network.evaluate(batches, verbose=0)
    assert loss == pytest.approx(min(losses), abs=1e-5)
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0].startswith("epoch,phase,loss,accuracy,val_loss,val_accuracy")
    assert len(lines) == 1 + len(losses)
    assert list((tmp_path / "tensorboard").rglob("events.out.tfevents.*"))


@pytest.mark.slow  # tests/zoo/test_encoder_paths.py has a frozen phase
def test_frozen_epochs_train_the_head_alone(news, tmp_path, tiny_hub_cache, monkeypatch):
    name, environment = tiny_hub_cache
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    classifier = new_classifier(news, name=name, options={"max_length": 16})
    encoder = [w.numpy() for w in classifier.encoder.trainable_weights]
    head = classifier.head.get_weights()[0]
    result = train(classifier, news, Recipe(epochs=0, frozen_epochs=1), tmp_path)
    for variable, value in zip(classifier.encoder.weights, encoder, strict=False):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert np.abs(classifier.head.get_weights()[0] - head).max() > 1e-3
    assert result.trained_parameters == 4 * 16 + 4 < result.total_parameters
    assert [line["phase"] for line in result.history] == ["frozen"]


def test_few_rows_are_passed_over_several_times_an_epoch(news, tmp_path):
    recipe = Recipe(epochs=1, batch_size=64, min_steps_per_epoch=20)
    classifier = new_classifier(news)
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    train(classifier, news, recipe, tmp_path, checkpoints=checkpoints)
    # 462 rows make 7 full batches: three passes are the fewest that reach 20 steps.
    assert checkpoints.newest()[1]["steps"] == 21


def test_tfidf_is_solved_as_scikit_learn_solves_it(news, tmp_path):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    classifier = new_classifier(news, name="tfidf_linear", options={})
    result = train(classifier, news, Recipe(epochs=1), tmp_path)
    strength = result.history[result.best_epoch - 1]["C"]
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
    features = vectorizer.fit_transform(news.train.texts)
    reference = LinearSVC(C=strength).fit(features, news.train.labels)
    expected = reference.decision_function(vectorizer.transform(news.test.texts))
    found = predict_logits(classifier, news.test.texts)
    factor = found[0, 0] / expected[0, 0]  # calibration multiplies all by one positive number
    assert factor > 0
    np.testing.assert_allclose(found, factor * expected, atol=0.01 * factor)


def test_tfidf_is_calibrated_on_the_validation_rows(news, tmp_path):
    """No other factor on the logits gives a lower validation loss."""
    classifier = new_classifier(news, name="tfidf_linear", options={})
    train(classifier, news, Recipe(epochs=1), tmp_path)
    logits = predict_logits(classifier, news.validation.texts)
    losses = [log_loss(news.validation.labels, softmax(f * logits, axis=1)) for f in (0.9, 1, 1.1)]
    assert losses[1] < min(losses[0], losses[2])


def test_a_recipe_without_epochs_is_an_error(news, tmp_path):
    with pytest.raises(OptionError, match="trains for no epoch"):
        train(new_classifier(news), news, Recipe(epochs=0), tmp_path)


def test_a_loss_that_is_not_a_number_stops_the_run(news, tmp_path):
    """The error names the step and the rows of its batch, here the second."""
    recipe = Recipe(epochs=1, learning_rate=1e38, optimizer="adam")
    classifier = new_classifier(news)
    with pytest.raises(RunError) as error:
        train(classifier, news, recipe, tmp_path)
    tokens = tokenize(classifier.text, news.train.texts)
    rows = training_order(tokens.lengths, news.train.labels, batch_size=32, seed=0, first_step=1)
    first = next(iter(rows)).numpy()[:8]
    named = ", ".join(f"row {row}" for row in first)
    assert f"at step 2 of 14 in train epoch 1, on the training rows {named}, and 24 more" in str(
        error.value
    )
    assert "a smaller learning rate than 1e+38" in str(error.value)


@pytest.mark.slow  # tests/training/test_checkpoints.py fills a disk too
def test_a_full_disk_at_checkpoint_time(tmp_path):
    """Files are limited to 1 MB, less than the weights. The error is clean and no file stays."""
    script = textwrap.dedent(
        f"""
        import json, pathlib, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        from kerasnlp_lab import create_classifier, load_dataset, train
        from kerasnlp_lab.errors import StorageError
        from kerasnlp_lab.zoo import Recipe
        news = load_dataset("news_sample")
        classifier = create_classifier("transformer", news.label_names, news.train.texts)
        folder = pathlib.Path({str(tmp_path)!r})
        try:
            train(classifier, news, Recipe(epochs=1), folder)
        except StorageError as error:
            files = [file.name for file in folder.iterdir() if "safetensors" in file.name]
            print(json.dumps({{"message": str(error), "files": files}}))
        """
    )
    limit = 1_000_000
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=os.environ,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    found = json.loads(result.stdout.splitlines()[-1])
    assert "cannot write" in found["message"] and "ulimit -f" in found["message"]
    assert found["files"] == []


def test_a_run_directory_is_whole_or_refused(tmp_path):
    run = RunDirectory.create(tmp_path / "run", {"seed": 1})
    with pytest.raises(RunError, match="did not finish"):
        RunDirectory.open(run.path)
    with pytest.raises(RunError, match="already exists"):
        RunDirectory.create(run.path, {})
    with pytest.raises(RunError, match="not a run directory"):
        RunDirectory.open(tmp_path)
    run.write_json("metrics.json", {})
    assert RunDirectory.open(run.path).read_json("config.json") == {"seed": 1}


def test_a_stopped_training_goes_on_from_its_checkpoints_and_without_leaves_nothing(
    whole, news, tmp_path, monkeypatch
):
    recipe, (trained, result, folder) = TWO_EPOCHS, whole
    assert sorted(file.name for file in folder.iterdir()) == ["history.csv", "tensorboard"]
    step = TrainingSteps.__call__

    def interrupted(steps, *arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        return step(steps, *arguments)

    checkpoints = Checkpoints(tmp_path / "kept")
    with monkeypatch.context() as patch:
        patch.setattr(TrainingSteps, "__call__", interrupted)
        with pytest.raises(TrainingStopped, match="nothing is kept"):
            train(new_classifier(news), news, recipe, tmp_path / "run")
        with pytest.raises(TrainingStopped, match="all is saved"):
            train(new_classifier(news), news, recipe, tmp_path / "run", checkpoints=checkpoints)
    assert not (tmp_path / "run" / "checkpoints").exists()
    again = new_classifier(news)
    resumed = train(again, news, recipe, tmp_path / "run", checkpoints=checkpoints)
    np.testing.assert_array_equal(weights_of(again), weights_of(trained))
    assert resumed.final_sha256 == result.final_sha256
    with pytest.raises(RunError, match="another vocabulary"):
        classifier = create_classifier("transformer", news.label_names, ["few words"])
        train(classifier, news, recipe, tmp_path / "run", checkpoints=checkpoints)
