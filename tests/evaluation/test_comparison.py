"""`compare`: the same rows for all, a leaderboard, and one page that needs nothing else."""

import csv
import json
import re

import pytest

from kerasnlp_lab.data import load_dataset
from kerasnlp_lab.errors import OptionError, UnknownNameError
from kerasnlp_lab.evaluation import compare
from kerasnlp_lab.training import RunDirectory


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison") / "run"
    return compare(
        ["seed_transformer", "tfidf_linear"], load_dataset("news_sample"), folder
    ), folder


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


def test_neighbours_are_put_to_mcnemars_test(comparison):
    result, _ = comparison
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
