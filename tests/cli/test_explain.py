"""`kerasnlp-lab explain` prints to the terminal, and writes a picture and a page."""

import json
import re

import pytest

from tests.cli.command import run
from tests.cli.json_keys import assert_documented

TEXT = "The striker scores twice as shares fall 日本"


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain") / "run"
    sizes = ("max_length=16", "embed_dim=8", "ff_dim=8", "num_heads=2")
    result = run(
        *("train", "--model", "transformer", "--dataset", "news_sample", "--output", folder),
        *(argument for size in sizes for argument in ("--option", size)),
        *("--epochs", 2, "--min-steps-per-epoch", 1),
    )
    assert result.code == 0, result.err
    return folder


def test_a_run_is_explained(small_run, tmp_path):
    to = tmp_path / "deep" / "folder"
    result = run("explain", small_run, TEXT, "--to", to)
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert [line.split()[0] for line in lines[2 : 2 + len(TEXT.split())]] == TEXT.split()
    assert "contributions add up to" in lines[-2]
    assert "<html" in (to / "explanation.html").read_text(encoding="utf-8")
    before = (to / "explanation.png").read_bytes()
    assert before.startswith(b"\x89PNG")
    again = run("explain", small_run, TEXT, "--to", to, "--layer", 1, "--head", 2)
    assert again.code == 0, again.err
    assert (to / "explanation.png").read_bytes() != before


def test_for_programs(small_run, tmp_path):
    result = run("explain", small_run, TEXT, "--to", tmp_path, "--json")
    document = json.loads(result.out)
    assert_documented(document, "explain")
    assert [TEXT[one["start"] : one["end"]] for one in document["words"]] == TEXT.split()
    assert {one["attention"] for one in document["words"]} == {None}  # it has no pool
    total = sum(one["contribution"] for one in document["words"])
    assert total == pytest.approx(document["completeness"]["total"], abs=1e-4)


@pytest.fixture(scope="module")
def recurrent_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain") / "rnn"
    result = run(
        *("train", "--model", "rnn_attention", "--dataset", "news_sample", "--output", folder),
        *("--option", "max_length=16", "--option", "embed_dim=8", "--option", "units=4"),
        *("--epochs", 1, "--min-steps-per-epoch", 1),
    )
    assert result.code == 0, result.err
    return folder


def test_the_attention_of_a_pool_stands_beside_the_contributions(recurrent_run, tmp_path):
    result = run("explain", recurrent_run, TEXT, "--to", tmp_path)
    assert "and against it (-); each word's share of the attention:" in result.out
    shares = re.findall(r"[+-]\d\.\d{4} +(\d+\.\d)%", result.out)
    assert sum(map(float, shares)) == pytest.approx(100, abs=1)
    document = json.loads(run("explain", recurrent_run, TEXT, "--to", tmp_path, "--json").out)
    assert_documented(document, "explain")
    found = [100 * one["attention"] for one in document["words"] if one["tokens"]]
    assert found == pytest.approx([*map(float, shares)], abs=0.06)


def test_another_class_than_the_given_one(small_run, tmp_path):
    result = run("explain", small_run, TEXT, "--to", tmp_path, "--label", "Business")
    assert "contributions to Business, and against it (-):" in result.out


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((TEXT, "--label", "Busines"), "did you mean 'Business'"),
        ((TEXT, "--layer", 2), "layer must be from 1 to 1, got 2"),
        ((TEXT, "--layer", 1, "--head", 9), "head must be from 1 to 2, got 9"),
        ((TEXT, "--head", 1), "head must be given with a layer"),
        (("?!",), "reads no word of this text"),
    ],
)
def test_mistakes(small_run, tmp_path, arguments, message):
    result = run("explain", small_run, *arguments, "--to", tmp_path / "to")
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1
    assert not (tmp_path / "to").exists()


def test_what_has_no_attention(finished_run, exported, tmp_path):
    result = run("explain", finished_run, TEXT, "--to", tmp_path)
    assert (result.code, result.out) == (2, "")
    assert "tfidf_linear has no attention" in result.err
    result = run("explain", exported, TEXT, "--to", tmp_path)
    assert "explain the run it was made from" in result.err
