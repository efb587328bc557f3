import argparse
import json

import numpy as np
import pytest

from kerasnlp_lab.bert.checkpoint import BertConfig
from tests.benchmarks.conftest import BENCHMARKS


def test_a_result_is_a_line_of_history(benchmark_module, tmp_path):
    history, harness = benchmark_module("history"), benchmark_module("harness")
    results = harness.Results(counts={"ours": 4, "peer": 2})
    for own, other in ((4.0, 2.0), (9.0, 3.0), (5.0, 2.0)):
        results.add("ours", own, {})
        results.add("peer", other, {})
    arguments = argparse.Namespace(question="q", history=tmp_path / "h.jsonl", rounds=3)
    for _ in range(2):
        history.report(arguments, [], results, accuracy={"ours": 0.9})
    lines = [json.loads(line) for line in (tmp_path / "h.jsonl").read_text().splitlines()]
    assert len(lines) == 2
    assert lines[0]["ratios"] == {"ours": {"peer": [2.0, 3.0, 2.5]}}
    assert lines[0]["median"] == {"ours": {"peer": 2.5}}
    assert lines[0]["texts"] == {"ours": 4, "peer": 2}
    assert lines[0]["accuracy"] == {"ours": 0.9}
    assert lines[0]["arguments"]["rounds"] == "3"
    assert lines[0]["machine"]["cores"] >= 1
    assert {"date", "question", "commit", "versions", "rates", "unit"} <= set(lines[0])


def test_the_page_of_results_is_up_to_date(benchmark_module):
    table = benchmark_module("table")
    page = (BENCHMARKS / "RESULTS.md").read_text(encoding="utf-8")
    current = table.render(BENCHMARKS / "history.jsonl")
    assert page == current, "history.jsonl has new results: python benchmarks/table.py"


def test_every_question_of_the_history_is_on_the_page_of_results(benchmark_module):
    lines = (BENCHMARKS / "history.jsonl").read_text(encoding="utf-8").splitlines()
    asked = {json.loads(line)["question"] for line in lines}
    assert asked and asked <= set(benchmark_module("table").QUESTIONS)


@pytest.mark.parametrize("extra", ["peers-torch", "peers-keras-hub", "peers-fasttext"])
def test_requirements_come_from_setup_cfg(benchmark_module, extra):
    from packaging.requirements import Requirement

    found = benchmark_module("environments").requirements(extra)
    names = {Requirement(one).name for one in found}
    wanted = {"peers-torch": "torch", "peers-keras-hub": "keras-hub"}
    assert wanted.get(extra, "fasttext-wheel") in names


def test_operations_are_those_of_one_text_counted_by_hand(benchmark_module):
    machine_limit = benchmark_module("machine_limit")
    config = BertConfig(
        vocab_size=10,
        hidden_size=4,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=16,
        type_vocab_size=2,
    )
    # One layer on 5 tokens: query, key, value and output are [5, 4] x [4, 4], the two of the
    # feed-forward network [5, 4] x [4, 8] and back, scores and values 2 heads of [5, 2] x [2, 5].
    products = 4 * (5 * 4 * 4) + 2 * (5 * 4 * 8) + 2 * (2 * 5 * 2 * 5)
    one = machine_limit.forward_operations(config, np.array([5.0]))
    assert one == 3 * 2 * products
    assert machine_limit.forward_operations(config, np.array([5.0, 5.0])) == 2 * one
