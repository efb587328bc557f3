"""`fill-mask` prints a table for each [MASK], or a JSON line for each text."""

import json

import pytest

from tests.cli.command import run
from tests.cli.json_keys import assert_documented
from tests.cli.test_mistakes import assert_mistake
from tests.tiny_bert import write_tiny_checkpoint


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_tiny_checkpoint(folder / "checkpoint", heads_of_pretraining=True)
    return folder


def test_a_table_for_each_mask(model):
    long = "the cat " * 60
    texts = ("the [MASK] sat,\nthe dog [MASK]", f"{long}[MASK]")
    result = run("fill-mask", model, *texts, "--top", 3)
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert len(lines) == 3 * 4
    assert lines[0] == lines[4] == "the [MASK] sat, the dog [MASK]"
    assert lines[8] == f"…{long[-36:]}[MASK]"
    shares = [float(line.split()[1]) for line in lines[1:4]]
    assert sorted(shares, reverse=True) == shares and 0 < sum(shares) <= 1
    assert result.err == (
        "this text has 121 pieces and the model reads 62 at once: those around each [MASK]\n"
    )


def test_json_of_a_file(model, tmp_path):
    file = tmp_path / "texts.txt"
    file.write_text("the cat [MASK]\n\noil\nnever read [MASK]\n")
    result = run("fill-mask", model, "--file", file, "--json")
    assert_mistake(result, f"{file}, line 2: the text '' has no [MASK]: write [MASK] where a word")
    (answer,) = map(json.loads, result.out.splitlines())  # what came before is answered
    assert_documented(answer, "fill-mask")
    assert (answer["line"], answer["text"], answer["pieces"]) == (1, "the cat [MASK]", 3)
    assert (answer["masks"][0]["start"], answer["masks"][0]["end"]) == (8, 14)
    assert len(answer["masks"][0]["guesses"]) == 5


def test_standard_input(model):
    result = run("fill-mask", model, "--json", stdin=b"the [MASK]\na [MASK] \xff\n")
    assert result.code == 0, result.err
    answers = [json.loads(line) for line in result.out.splitlines()]
    assert [answer["text"] for answer in answers] == ["the [MASK]", "a [MASK] \ufffd"]
    assert "line" not in answers[0]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["oil", "[MASK]"], "the text 'oil' has no [MASK]: write [MASK] where a word is missing"),
        (["oil", "[MASK]"], "in quotation marks"),
        (["[MASK]", "--file", "x"], "give texts or --file, not both"),
        (["[MASK]", "--encoding", "utf-8"], "--encoding is for a file"),
        (["[MASK]", "--top", "0"], "--top must be 1 or more, got 0"),
        (["--file", "no-such-file"], "no such file"),
    ],
)
def test_mistakes(model, arguments, expected):
    assert_mistake(run("fill-mask", model, *arguments), expected)


def test_a_model_that_is_none(finished_run):
    result = run("fill-mask", finished_run, "[MASK]")
    assert_mistake(result, "holds no BERT that fills masks", "kerasnlp-lab pretrain")


def test_no_texts_at_all(model):
    result = run("fill-mask", model, stdin=b"")
    assert (result.code, result.out) == (2, "")
    assert "there are no texts to fill" in result.err
