"""Embeddings start from a BERT's vector of each word, which are cached, and a resume keeps them."""

import os
import signal

import numpy as np
import pytest
import rich.console
from sklearn.decomposition import PCA

from kerasnlp_lab import paths
from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.errors import HubError, OptionError, RunError, TrainingStopped
from kerasnlp_lab.lab import ExperimentConfig, run_experiment
from kerasnlp_lab.training import train
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.training.steps import TrainingSteps
from kerasnlp_lab.training.word_vectors import check_source, start_from_word_vectors
from kerasnlp_lab.zoo import Recipe, create_classifier, load_classifier, predict_logits
from tests.tiny_bert import TINY_VOCABULARY

WORDS = TINY_VOCABULARY[5:21]
RNG = np.random.default_rng(0)
TEXTS = [" ".join(RNG.choice([*WORDS, "zzz"], 6)) for _ in range(40)]
SPLIT = Split(TEXTS, np.arange(40) % 2)
DATA = TextDataset("some", ("a", "b"), SPLIT, SPLIT, SPLIT)
OPTIONS = {"embed_dim": 8, "ff_dim": 8, "vocab_size": 100}
QUICK = Recipe(epochs=1, batch_size=8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of features for each test."""
    monkeypatch.setenv("KERASNLP_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("kerasnlp_lab.training.frozen_features.cache_dir", paths.cache_dir)
    return tmp_path / "cache"


def small(source, model="transformer", **options):
    return create_classifier(
        model, ["a", "b"], TEXTS, options=OPTIONS_OF[model] | {"word_vectors": source} | options
    )


OPTIONS_OF = {
    "transformer": OPTIONS,
    "lstm": {"embed_dim": 8, "units": 4, "vocab_size": 100},
    "rnn_attention": {"embed_dim": 8, "units": 4, "vocab_size": 100},
}


def table_of(classifier):
    layer = classifier.network.get_layer("embedding")
    return getattr(layer, "token_emb", layer).embeddings.numpy()


def rows_of(classifier, words):
    vocabulary = classifier.text.vocabulary()
    return [vocabulary.index(word) for word in words]


@pytest.mark.parametrize("model", ["transformer", "lstm", "rnn_attention"])
def test_words_start_from_the_vectors_of_a_bert(model, tiny_modules):
    classifier = small(str(tiny_modules), model)
    before = table_of(classifier)
    start_from_word_vectors(classifier)
    after = table_of(classifier)
    rows = rows_of(classifier, WORDS)
    bert = create_classifier(
        str(tiny_modules), ["a", "b"], [], options={"pooling": "mean", "max_length": 64}
    )
    features = bert.fused_features()
    vectors = np.concatenate([features(bert.text([word])).numpy() for word in WORDS])
    # The table holds them in another basis, centred and scaled: distances keep their proportions.
    expected = PCA(8).fit_transform(vectors)
    ratio = _distances(after[rows]) / np.maximum(_distances(expected), 1e-9)
    off = ~np.eye(len(rows), dtype=bool)
    np.testing.assert_allclose(ratio[off], np.median(ratio[off]), rtol=0.02)
    np.testing.assert_allclose(after[rows].std(), 4 * before.std(), rtol=1e-3)
    kept = [0, 1, *rows_of(classifier, ["zzz"]), *range(len(classifier.text.vocabulary()), 100)]
    np.testing.assert_array_equal(after[kept], before[kept])


def _distances(vectors):
    return np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)


def test_pieces_of_words_start_from_vectors_too(tiny_modules):
    classifier = small(str(tiny_modules), tokens="pieces")
    before = table_of(classifier)
    start_from_word_vectors(classifier)
    changed = np.any(table_of(classifier) != before, axis=1)
    rows = rows_of(classifier, [word for word in WORDS if word in classifier.text.vocabulary()])
    assert len(rows) > 3 and changed[rows].all() and not changed[:2].any()


def test_vectors_are_computed_once_and_said(tiny_modules):
    told = []
    for _ in range(2):
        console = rich.console.Console(record=True, width=200, quiet=True)
        console.quiet = False
        with open("/dev/null", "w") as nowhere:
            console.file = nowhere
            start_from_word_vectors(small(str(tiny_modules)), console)
        told.append(console.export_text())
    assert "17 words of the vocabulary go through" in told[0]
    assert "16 words start from them, reduced to 8 numbers; 1 that" in told[0]
    assert "17 of 17 words through the frozen encoder" in told[0]
    assert "0 of 17 words through the frozen encoder" in told[1]


def test_a_small_bert_fills_as_many_numbers_as_it_has_words(tiny_modules):
    classifier = small(str(tiny_modules), embed_dim=40)
    before = table_of(classifier)
    start_from_word_vectors(classifier)
    rows = rows_of(classifier, WORDS)
    changed = np.any(table_of(classifier)[rows] != before[rows], axis=0)
    assert changed.sum() == 16 and changed[:16].all()  # as the BERT's hidden size


def test_a_finished_run_lends_its_encoder(tiny_modules, tmp_path):
    config = ExperimentConfig(str(tiny_modules), {"max_length": 32}, QUICK)
    run_experiment(config, DATA, tmp_path / "teacher")
    student = ExperimentConfig(
        "transformer", OPTIONS | {"word_vectors": str(tmp_path / "teacher")}, QUICK
    )
    done = run_experiment(student, DATA, tmp_path / "student")
    assert done.config.options["word_vectors"] == str(tmp_path / "teacher")
    # A loaded model keeps its trained embeddings if it is trained further.
    loaded = load_classifier(done.run.model)
    before = predict_logits(loaded, TEXTS)
    start_from_word_vectors(loaded)
    np.testing.assert_array_equal(predict_logits(loaded, TEXTS), before)


def test_a_training_starts_from_them_and_a_resumed_one_ends_with_the_same_bits(
    tiny_modules, tmp_path, monkeypatch
):
    def trained(source, **kept):
        keras.utils.set_random_seed(0)
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        return train(small(source), DATA, QUICK, folder, **kept).final_sha256

    whole = trained(str(tiny_modules))
    assert whole != trained("")
    step, checkpoints = TrainingSteps.__call__, Checkpoints(tmp_path / "kept")

    def interrupted(steps, *arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        return step(steps, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingSteps, "__call__", interrupted)
        with pytest.raises(TrainingStopped):
            trained(str(tiny_modules), checkpoints=checkpoints)
    monkeypatch.delattr("kerasnlp_lab.training.word_vectors.frozen_features")
    assert trained(str(tiny_modules), checkpoints=checkpoints) == whole


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("minilm_l6_h385", OptionError, "did you mean 'minilm_l6_h384'"),
        ("tfidf_linear", OptionError, "without a BERT"),
        ("{tmp}", HubError, "holds no BERT"),
        ("{tmp}/unfinished", RunError, "did not finish"),
        ("{tmp}/other", OptionError, "a run of transformer, without a BERT"),
    ],
)
def test_other_sources_are_refused_before_the_training(source, error, said, tmp_path):
    if "unfinished" in source or "other" in source:
        run = tmp_path / ("unfinished" if "unfinished" in source else "other")
        done = run_experiment(ExperimentConfig("transformer", OPTIONS, QUICK), DATA, run)
        if "unfinished" in source:
            (done.run.path / "metrics.json").unlink()
    with pytest.raises(error, match=said):
        check_source(source.format(tmp=tmp_path))
