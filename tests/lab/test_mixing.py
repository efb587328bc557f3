"""A mix answers with the weighted mean of its runs, everywhere a run is opened."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.data import Split, load_table
from kerasnlp_lab.errors import OptionError, RunError
from kerasnlp_lab.explanation import explain_run
from kerasnlp_lab.export import export_classifier, open_predictor
from kerasnlp_lab.lab import ExperimentConfig, mix_runs, run_experiment
from kerasnlp_lab.lab.mixing import choose_weights
from kerasnlp_lab.tasks import Classification, MultiLabel
from kerasnlp_lab.training import train
from kerasnlp_lab.zoo import Recipe, load_classifier, predict_logits

WORDS = {"sport": "team game goal match", "tech": "chip code web data", "war": "war army tank fire"}
FILLERS = "the a of on in and for to at by".split()
SMALL = {"embed_dim": 8, "ff_dim": 8, "vocab_size": 100}
TEXTS = ["the goal of the team", "code for a chip", "", "tank \U0001f642 and a match"]


def write_table(path, rows=120, seed=0, several=False):
    rng = np.random.default_rng(seed)
    lines = ["text,label"]
    for _ in range(rows):
        names = (
            [name for name in WORDS if rng.random() < 0.4] if several else [rng.choice([*WORDS])]
        )
        own = [rng.choice(WORDS[name].split()) for name in names]
        lines.append(f'{" ".join([*rng.choice(FILLERS, 6), *own])},"{",".join(names)}"')
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def trained(folder, data, model="tfidf_linear", task="classification", **options):
    recipe = Recipe(epochs=1, batch_size=8) if model == "transformer" else None
    run_experiment(ExperimentConfig(model, options, recipe, task), data, folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mixing")


@pytest.fixture(scope="module")
def runs(folder):
    data = load_table(write_table(folder / "rows.csv"))
    return [
        trained(folder / "tfidf", data, tokens="words"),
        trained(folder / "transformer", data, "transformer", **SMALL),
    ]


@pytest.fixture(scope="module")
def mixed(folder, runs):
    return mix_runs(runs, folder / "mix")


def test_a_mix_is_the_weighted_mean_of_calibrated_logits(mixed, runs):
    mix = load_classifier(mixed.run.model)
    expected = 0
    for run, weight in zip(runs, mix.weights, strict=True):
        member = load_classifier(run / "model")
        expected += weight * predict_logits(member, TEXTS) / member.decision.temperature
    assert sum(mix.weights) == 1 and 0 < mix.weights[0] <= 1
    np.testing.assert_allclose(predict_logits(mix, TEXTS), expected, atol=1e-5)
    np.testing.assert_allclose(mix.model(tf.constant(TEXTS)).numpy(), expected, atol=1e-4)


def test_its_run_is_like_any_other(mixed, runs):
    config, metrics = (mixed.run.read_json(f"{name}.json") for name in ("config", "metrics"))
    assert config["model"]["options"]["runs"] == [str(run) for run in runs]
    assert config["dataset"]["train_rows"] > 50
    assert metrics["test"]["accuracy"] == mixed.evaluation.accuracy > 0.8
    (note,) = metrics["notes"]
    assert note.startswith("log loss ") and str(runs[0]) in note
    page = (mixed.run.path / "report.html").read_text()
    assert note in page and "Learning curves" not in page


def test_its_export_answers_as_the_run_does(mixed, tmp_path):
    mix = load_classifier(mixed.run.model)
    export_classifier(mix, tmp_path / "export")
    by_export, by_run = (
        list(open_predictor(path).predict(TEXTS)) for path in (tmp_path / "export", mixed.run.path)
    )
    for one, other in zip(by_export, by_run, strict=True):
        assert one.label == other.label
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-5)


def test_a_saved_mix_needs_none_of_its_runs_and_notices_damage(mixed, tmp_path):
    before = predict_logits(load_classifier(mixed.run.model), TEXTS)
    shutil.copytree(mixed.run.model, tmp_path / "model")
    np.testing.assert_array_equal(
        predict_logits(load_classifier(tmp_path / "model"), TEXTS), before
    )
    (tmp_path / "model" / "members" / "1" / "weights.safetensors").write_bytes(b"no")
    with pytest.raises(RunError, match="altered"):
        load_classifier(tmp_path / "model")


def test_several_labels_a_text_are_mixed_too(folder):
    data = load_table(write_table(folder / "sets.csv", several=True), annotation="label_sets")
    runs = [
        trained(folder / f"sets{n}", data, task="multi_label", tokens="words", longest_ngram=n)
        for n in (1, 2)
    ]
    mixed = mix_runs(runs, folder / "sets_mix")
    assert mixed.evaluation.headline[0] == "macro_f1" and mixed.evaluation.headline[1] > 0.8
    (answer,) = open_predictor(mixed.run.path).predict(["the chip and the team"])
    assert set(answer.labels) == {"sport", "tech"}


@pytest.mark.parametrize("several", [False, True])
def test_weights_have_the_lowest_log_loss(several):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    truth = np.eye(3)[labels]
    if several:
        sets = [(int(label),) for label in labels]
        split, task = Split([*map(str, labels)], label_sets=sets), MultiLabel(("a", "b", "c"))
    else:
        split, task = Split([*map(str, labels)], labels), Classification(("a", "b", "c"))
    noise = [rng.normal(0, 2, truth.shape).astype(np.float32) for _ in range(3)]
    good = [4 * truth - 2 + one for one in noise[:2]]
    weights, loss, alone = choose_weights([*good, noise[2]], split, task)
    # Two that are equally good are better together; one that knows nothing gets no part.
    assert weights[2] == 0 and abs(weights[0] - 0.5) < 0.16
    assert loss < min(alone) and np.isclose(sum(weights), 1)


def test_a_run_that_adds_nothing_is_named(folder, runs, tmp_path):
    lost = shutil.copytree(runs[0], tmp_path / "lost")
    description = json.loads((lost / "model" / "classifier.json").read_text())
    description["decision"]["temperature"] = -1.0  # its answers are upside down
    (lost / "model" / "classifier.json").write_text(json.dumps(description))
    mixed = mix_runs([runs[0], lost], tmp_path / "mix")
    (note,) = mixed.run.read_json("metrics.json")["notes"]
    assert f"{lost} adds nothing" in note


def test_what_cannot_be_mixed_is_refused(folder, runs, mixed, tmp_path):
    other_rows = load_table(write_table(tmp_path / "rows.csv"), seed=3)
    other_split = trained(tmp_path / "split", other_rows, tokens="words")
    two = tmp_path / "two.csv"
    two.write_text((folder / "rows.csv").read_text().replace("tech", "war"))
    two_classes = trained(tmp_path / "two", load_table(str(two)), tokens="words")
    folded = shutil.copytree(runs[0], tmp_path / "folded")
    config = json.loads((folded / "config.json").read_text())
    (folded / "config.json").write_text(json.dumps(config | {"folds": 5}))
    for given, error, said in (
        (runs[:1], OptionError, "from 2 to 4"),
        ([runs[0], runs[0]], OptionError, "different runs"),
        ([runs[0], mixed.run.path], RunError, "a mix already"),
        ([runs[0], folded], RunError, "without --folds"),
        ([runs[0], two_classes], OptionError, "the classes sport, war, and"),
        ([runs[0], other_split], RunError, r"was trained on \d+ of the \d+ validation rows"),
    ):
        with pytest.raises(error, match=said):
            mix_runs(given, tmp_path / "mix")
        assert not (tmp_path / "mix").exists()
    with pytest.raises(RunError, match="already exists"):
        mix_runs(runs, mixed.run.path)


def test_a_run_of_fewer_training_rows_is_taken(folder, runs, tmp_path):
    """As `compare --sizes` trains them."""
    data = load_table(str(folder / "rows.csv"), seed=0)
    rows = (folder / "rows.csv").read_text().splitlines()
    held_out = {*data.validation.texts, *data.test.texts}
    (tmp_path / "train.csv").write_text(
        "\n".join([rows[0], *(r for r in rows[1:] if r.split(",")[0] not in held_out)][:60]) + "\n"
    )
    for part in ("validation", "test"):
        split = getattr(data, part)
        pairs = zip(split.texts, split.labels, strict=True)
        lines = [f"{text},{data.label_names[label]}" for text, label in pairs]
        (tmp_path / f"{part}.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    fewer = load_table(
        str(tmp_path / "train.csv"),
        validation=str(tmp_path / "validation.csv"),
        test=str(tmp_path / "test.csv"),
    )
    mixed = mix_runs([runs[0], trained(tmp_path / "fewer", fewer)], tmp_path / "mix")
    assert len(mixed.evaluation.labels) == len(data.test)


def test_a_mix_is_not_explained_trained_or_changed(mixed, runs):
    with pytest.raises(OptionError, match=f"explain {runs[0]} or {runs[1]}"):
        explain_run(mixed.run.path, "the team")
    with pytest.raises(OptionError, match="no options of its own"):
        load_classifier(mixed.run.model, options={"max_length": 8})
    with pytest.raises(OptionError, match="precision"):
        load_classifier(mixed.run.model, precision="mixed_bfloat16")
    mix = load_classifier(mixed.run.model)
    with pytest.raises(OptionError, match="attention"):
        mix.look_inside()
    with pytest.raises(OptionError, match="a mix is not trained"):
        train(mix, None, Recipe(), "nowhere")
