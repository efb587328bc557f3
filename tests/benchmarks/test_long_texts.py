"""The demonstration of --long-texts on real news: three reports after 600 word pieces decide."""

import importlib

import pytest

from tests.benchmarks.conftest import BENCHMARKS

ROWS, TESTS = 450, 300
RECIPE = {"epochs": 0, "frozen_epochs": 20}
CHANCE = 1 / 3


@pytest.fixture(scope="module")
def found(ag_news_csv):
    """The results of MiniLM with a frozen encoder, by what it reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        benchmark = importlib.import_module("long_texts")
        data = benchmark.make_data(ag_news_csv, ROWS, TESTS, count=3)
        how = {"deciding": "head", "windows": "windows", "head": "head"}
        return {
            name: benchmark.measure(
                data["deciding" if name == "deciding" else "long"],
                "minilm_l6_h384",
                {"max_length": 128, "long_texts": long_texts},
                RECIPE,
                seed=0,
            )
            for name, long_texts in how.items()
        }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_windows_find_what_the_head_never_sees(found):
    assert found["deciding"]["accuracy"] > 0.8
    error = found["head"]["standard_error"]
    assert abs(found["head"]["accuracy"] - CHANCE) < 4 * error  # the head says nothing
    assert found["windows"]["accuracy"] > CHANCE + 6 * error
    for one in found.values():
        assert one["export_accuracy"] == pytest.approx(one["accuracy"], abs=1 / TESTS)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_windows_reach_nine_tenths_of_what_decides_alone(found):
    assert found["windows"]["accuracy"] >= 0.9 * found["deciding"]["accuracy"]
