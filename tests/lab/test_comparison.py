"""`compare` gives all models the same rows, and writes a leaderboard and one page."""

import base64
import csv
import dataclasses
import io
import itertools
import json
import re
import statistics

import numpy as np
import pytest
import rich.console

from kerasnlp_lab.data import Split, TextDataset, load_dataset
from kerasnlp_lab.errors import OptionError, UnknownNameError
from kerasnlp_lab.evaluation.paired_tests import mcnemar_exact, paired_permutation
from kerasnlp_lab.lab import compare
from kerasnlp_lab.lab.comparison import _training_sets
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.zoo import Recipe, find_model, registry


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison") / "run"
    entry = find_model("seed_transformer")
    quick = dataclasses.replace(entry, recipe=dataclasses.replace(entry.recipe, epochs=1))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setitem(registry._ENTRIES, "seed_transformer", quick)
        result = compare(["seed_transformer", "tfidf_linear"], load_dataset("news_sample"), folder)
    return result, folder


def test_the_leaderboard_is_sorted_and_complete(comparison):
    result, folder = comparison
    saved = json.loads((folder / "comparison.json").read_text())
    assert [row["model"] for row in saved["leaderboard"]] == ["tfidf_linear", "seed_transformer"]
    best, worst = saved["leaderboard"]
    assert best["accuracy"] > 0.8 > worst["accuracy"]
    for row in saved["leaderboard"]:
        low, high = row["interval"]
        assert low < row["accuracy"] < high
        assert row["train_seconds"] > 0 and row["predict_texts_per_second"] > 0
        assert row["model_bytes"] > 4 * row["total_parameters"]
    assert worst["trained_parameters"] == worst["total_parameters"] == 659_592
    assert worst["train_texts_per_second"] > 0 == best["train_texts_per_second"]


def test_one_seed_and_no_sizes(comparison):
    result, folder = comparison
    saved = json.loads((folder / "comparison.json").read_text())
    assert saved["learning_curve"] == {} and saved["learning_curve_paired_tests"] == []
    for row in saved["leaderboard"]:
        assert row["folder"] == row["model"]
        assert (row["seeds"], row["spread"], row["accuracies"]) == (1, 0, [row["accuracy"]])
        (run,) = result.experiments[row["model"]]
        assert run.run.path == folder / row["model"]
    page = (folder / "report.html").read_text()
    assert "seed 0." in page and "95% interval" in page and "How many rows are enough?" not in page
    assert not (folder / "learning_curve.png").exists()


def test_neighbours_are_put_to_mcnemars_test(comparison):
    result, folder = comparison
    saved = json.loads((folder / "comparison.json").read_text())
    assert saved["paired_tests"] == result.verdicts
    assert len(result.verdicts) == 1
    assert re.match(
        r"tfidf_linear is better than seed_transformer by \d+\.\d\d points \(p = .*\)",
        result.verdicts[0],
    )


def test_models_saw_the_same_rows(comparison):
    _, folder = comparison
    configs = [RunDirectory.open(run).read_json("config.json") for run in folder.glob("*_*/")]
    assert len(configs) == 2
    assert len({config["dataset"]["fingerprint"] for config in configs}) == 1
    for config in configs:
        assert config["versions"]["tensorflow"].startswith("2.")
        assert config["recipe"]["epochs"] > 0 and config["seed"] == 0


def test_pages_load_nothing_from_outside(comparison):
    _, folder = comparison
    pages = [folder / "report.html", *folder.glob("*/report.html")]
    assert len(pages) == 3
    for page in pages:
        html = page.read_text()
        for source in re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)""", html):
            assert source.startswith("data:image/png;base64,") or source.endswith("/report.html")
        assert "url(" not in html and "<script" not in html
    run_page = (folder / "seed_transformer" / "report.html").read_text()
    mistakes = json.loads((folder / "seed_transformer" / "metrics.json").read_text())["mistakes"]
    assert mistakes[0]["text"][:20] in run_page.replace("&#39;", "'").replace("&#34;", '"')


def test_predictions_add_up_to_the_accuracy(comparison):
    result, folder = comparison
    for row in result.rows:
        with (folder / row["folder"] / "predictions.csv").open() as file:
            lines = list(csv.DictReader(file))
        right = sum(line["label"] == line["predicted"] for line in lines)
        assert right / len(lines) == pytest.approx(row["accuracy"])


def test_mistakes_in_the_call_come_before_any_training(tmp_path):
    data = load_dataset("news_sample")
    with pytest.raises(UnknownNameError, match="did you mean 'tfidf_linear'"):
        compare(["seed_transformer", "tfidf_liner"], data, tmp_path / "a")
    with pytest.raises(OptionError, match="name each model to compare once"):
        compare(["tfidf_linear", "tfidf_linear"], data, tmp_path / "b")
    with pytest.raises(OptionError, match="got none"):
        compare([], data, tmp_path / "c")
    assert not list(tmp_path.iterdir())


WORDS = "lunch home day see you cash prize now call free".split()


def noisy(rows, seed):
    """A dataset with three quarters ham, whose words separate the classes most of the time."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(rows) % 4 == 0).astype(int)
    shares = np.array([[0.14] * 5 + [0.06] * 5, [0.06] * 5 + [0.14] * 5])
    texts = [" ".join(rng.choice(WORDS, 6, p=shares[label])) for label in labels]
    return Split(texts, labels)


@pytest.fixture(scope="module")
def noise():
    return TextDataset("noisy", ("ham", "spam"), noisy(60, 0), noisy(40, 1), noisy(150, 2))


# tests/cli/test_compare.py has seeds and sizes of one model.
CURVE = pytest.mark.slow


@pytest.fixture(scope="module")
def curve(noise, tmp_path_factory):
    """Two models on 16 rows and on all 60, each with two seeds and few steps."""
    folder = tmp_path_factory.mktemp("curve") / "run"
    models = ["tfidf_linear", "transformer"]
    entry = find_model("transformer")
    sizes = dataclasses.replace(entry.options, embed_dim=8, ff_dim=8, vocab_size=20, max_length=5)
    recipe = Recipe(epochs=2, batch_size=16, learning_rate=1e-2, min_steps_per_epoch=4)
    quick = dataclasses.replace(entry, options=sizes, recipe=recipe)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setitem(registry._ENTRIES, "transformer", quick)
        console = rich.console.Console(file=io.StringIO(), soft_wrap=True)
        result = compare(
            models, noise, folder, seeds=2, seed=5, sizes=["all", 16, "60"], console=console
        )
    (folder / "shown.txt").write_text(console.file.getvalue(), encoding="utf-8")
    return result, folder


@CURVE
def test_texts_that_a_model_cuts_are_noted_once_for_each_training_set(curve):
    _, folder = curve
    shown = (folder / "shown.txt").read_text(encoding="utf-8")
    assert shown.count("100% of the texts are longer than 5 tokens: ") == 2


@CURVE
@pytest.mark.parametrize("size", [16, 60])
def test_a_row_has_mean_and_deviation_of_its_runs(size, curve):
    result, folder = curve
    assert list(result.curves) == [16, 60]
    assert result.rows == result.curves[60]
    saved = json.loads((folder / "comparison.json").read_text())
    assert list(saved["learning_curve"]) == ["16", "60"]
    for row in saved["learning_curve"][str(size)]:
        runs = [folder / f"{row['model']}-{size}-rows-seed-{seed}" for seed in (5, 6)]
        assert row["folder"] == runs[0].name and row["seeds"] == 2
        for run, seed in zip(runs, (5, 6), strict=True):
            config = json.loads((run / "config.json").read_text())
            assert config["seed"] == seed
            parts = [config["dataset"][f"{part}_rows"] for part in ("train", "validation", "test")]
            assert parts == [size, 40, 150]
        tests = [json.loads((run / "metrics.json").read_text())["test"] for run in runs]
        for name in ("accuracy", "macro_f1", "mcc"):
            values = [test[name] for test in tests]
            assert row[name] == pytest.approx(statistics.mean(values))
            spread = {"accuracy": "spread", "macro_f1": "macro_f1_spread"}.get(name)
            if spread:
                assert row[spread] == pytest.approx(statistics.stdev(values))
        assert row["accuracies"] == [test["accuracy"] for test in tests]


@CURVE
def test_seeds_make_a_difference(curve):
    """They change the network, but not the SVM, which uses no random numbers."""
    result, folder = curve
    rows = {row["model"]: row for rows in result.curves.values() for row in rows}
    assert rows["tfidf_linear"]["spread"] == 0
    for size in (16, 60):
        for model, same in (("tfidf_linear", True), ("transformer", False)):
            runs = [folder / f"{model}-{size}-rows-seed-{seed}" for seed in (5, 6)]
            one, other = ((run / "predictions.csv").read_text() for run in runs)
            assert (one == other) == same


@CURVE
def test_smaller_training_sets_keep_rare_labels():
    sets = [(0,) if row % 2 else (0, 1) if row % 10 == 0 else () for row in range(200)]
    rows = Split([f"text {row}" for row in range(200)], label_sets=sets)
    data = TextDataset("several", ("often", "rare"), rows, rows, rows)
    for size, part in _training_sets(data, [20, 50]).items():
        assert part.train.label_counts(2).tolist() == [size * 0.6, size * 0.1]
    with pytest.raises(OptionError, match="large enough to include all 2 classes"):
        _training_sets(data, [2])


def test_verdicts_over_seeds_are_by_the_runs_own_predictions(curve):
    result, folder = curve
    better, worse = (row["model"] for row in result.rows)
    right = {}
    for model in (better, worse):
        right[model] = []
        for seed in (5, 6):
            with (folder / f"{model}-60-rows-seed-{seed}" / "predictions.csv").open() as file:
                lines = list(csv.DictReader(file))
            right[model].append([line["label"] == line["predicted"] for line in lines])
    a, b = (np.mean(right[model], axis=0) for model in (better, worse))
    p = paired_permutation(a, b)
    assert f"{100 * (a.mean() - b.mean()):.2f} points" in result.verdicts[0]
    assert f"p = {p:.2g}" in result.verdicts[0]
    assert re.search(r"ahead with [0-2] of 2 seeds", result.verdicts[0])
    assert [sentence.split(":")[0] for sentence in result.curve_verdicts] == ["16 rows", "60 rows"]
    assert result.curve_verdicts[1].endswith(result.verdicts[0])


@CURVE
def test_the_page_shows_the_curve(curve):
    result, folder = curve
    page = (folder / "report.html").read_text()
    png = (folder / "learning_curve.png").read_bytes()
    assert png.startswith(b"\x89PNG") and base64.b64encode(png).decode() in page
    assert "means over\n2 seeds, starting with 5" in page and "standard deviation" in page
    table = page[page.index("How many rows are enough?") :]
    for size, rows in result.curves.items():
        assert f"<tr><td>{size}</td>" in table
        for row in rows:
            cell = rf"{100 * row['accuracy']:.2f}\s*&plusmn; {100 * row['spread']:.2f}"
            assert re.search(cell, table)


def test_each_training_set_is_a_part_of_the_next_with_the_same_shares(noise):
    parts = _training_sets(noise, ["8", "all", 20, 33])
    assert list(parts) == [8, 20, 33, 60]
    sets = [set(part.train.texts) for part in parts.values()]
    assert all(small < large for small, large in itertools.pairwise(sets))
    assert parts[60] is noise
    for size, part in parts.items():
        assert len(part.train) == size
        assert np.bincount(part.train.labels)[1] == pytest.approx(size / 4, abs=1)
        places = [noise.train.texts.index(text) for text in part.train.texts]
        np.testing.assert_array_equal(noise.train.labels[places], part.train.labels)
        assert part.validation is noise.validation and part.test is noise.test


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"seeds": 0}, "seeds must be 1 or more, got 0"),
        ({"sizes": [0]}, "a size must be all, or from 1 to 60 rows, got 0"),
        ({"sizes": ["61"]}, "a size must be all, or from 1 to 60 rows, got '61'"),
        ({"sizes": [20, "-5"]}, "got '-5'"),
        ({"sizes": ["many"]}, "got 'many'"),
        ({"sizes": [1]}, "a size must be large enough to include all 2 classes, got 1"),
        ({"sizes": ["1.5"]}, "got '1.5'"),
    ],
)
def test_sizes_and_seeds_that_cannot_be(settings, message, noise, tmp_path):
    with pytest.raises(OptionError, match=re.escape(message)):
        compare(["tfidf_linear"], noise, tmp_path / "run", **settings)
    assert not list(tmp_path.iterdir())


def all_sign_flips(a, b):
    """Returns the share of all swaps of rows' scores with at least the same difference."""
    differences = np.asarray(a) - np.asarray(b)
    found = abs(differences.sum())
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product((1, -1), repeat=len(a))]
    return np.mean([one >= found - 1e-9 for one in sums])


@pytest.mark.parametrize("rows", range(2, 11))
def test_a_permutation_test_of_few_rows_is_over_all_permutations(rows):
    rng = np.random.default_rng(rows)
    for _ in range(3):
        a, b = rng.integers(0, 4, (2, rows)) / 3
        assert paired_permutation(a, b) == pytest.approx(all_sign_flips(a, b))
        assert paired_permutation(a, b) == pytest.approx(paired_permutation(b, a))


def test_one_row_that_differs_tells_nothing():
    a, b = np.ones(20), np.ones(20)
    b[3] = 0.5
    assert paired_permutation(a, b) == 1.0


def test_equal_scores_tell_nothing():
    scores = np.random.default_rng(0).integers(0, 4, 50) / 3
    assert paired_permutation(scores, scores) == 1.0


def test_a_permutation_test_of_many_rows_is_about_that_of_all():
    """With one run of each model it equals McNemar's exact test."""
    a = np.array([1.0] * 30 + [0.0] * 18)
    p = paired_permutation(a, 1 - a)
    assert p == pytest.approx(mcnemar_exact(a == 1, a == 0), abs=0.015)
    assert p == paired_permutation(a, 1 - a)  # random, but the same in every call
