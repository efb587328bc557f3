"""`kerasnlp-lab pretrain` from texts to a classifier, and its mistakes."""

import json

import pytest

from tests.cli.command import run
from tests.cli.json_keys import assert_documented
from tests.faults.kill_many import pretraining

TINY = ["--frozen-epochs", "0", "--epochs", "1", "--max-length", "32"]


@pytest.mark.slow  # tests/lab/test_pretraining.py pre-trains without the command line
@pytest.mark.timeout(600)
def test_what_it_learns_is_fine_tuned_continued_and_fills_masks(tmp_path):
    bert = tmp_path / "run"
    result = run(*pretraining(tmp_path), "--output", bert, "--json")
    assert result.code == 0, result.err
    assert_documented(json.loads(result.out), "pretrain")
    assert "pieces" not in result.out and "tokens in" in result.err
    finished = run("pretrain", "--resume", bert)
    assert f"this run is finished: {bert / 'report.html'}" in finished.out
    finished = run("pretrain", "--resume", bert, "--json")
    assert json.loads(finished.out) == json.loads(result.out)
    fine_tuned = tmp_path / "fine-tuned"
    trained = run(
        *["train", "--model", bert, "--dataset", "news_sample", *TINY, "--output", fine_tuned]
    )
    assert trained.code == 0, trained.err
    config = json.loads((fine_tuned / "config.json").read_text())
    assert config["model"]["options"]["pooling"] == "pooled_output"
    filled = run("fill-mask", bert, "the cat [MASK] .", "--json")
    assert len(json.loads(filled.out)["masks"][0]["guesses"]) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the texts"),
        (["--resume", "run", "--steps", "3"], "leave out --steps"),
        (["texts.txt", "--strategy", "multi_worker", "--config", "x"], "needs an --output"),
    ],
    ids=["no texts", "resume with a setting", "many workers"],
)
def test_mistakes_before_tensorflow_starts(arguments, message):
    result = run("pretrain", *arguments)
    assert result.code == 2
    assert message in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["empty", "--from", "minilm_l6_h384"], "empty"),
        (["texts.txt"], "--config NAME"),
        (["texts.txt", "--config", "small_bert/bert_en_uncased_L-4_H-128_A"], "did you mean"),
        (["no.txt", "--config", "BERT"], "no such file"),
        (["binary.bin", "--config", "BERT"], "binary"),
        (["one.txt", "--config", "BERT"], "only one sentence"),
        (["lines.txt", "--config", "BERT", "--text-column", "body"], "expected a file named .csv"),
    ],
    ids=[
        "empty folder",
        "no shape",
        "misspelt shape",
        "missing",
        "binary",
        "one sentence",
        "column",
    ],
)
def test_texts_and_shapes_that_cannot_be_used(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "binary.bin").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "one.txt").write_text("a sentence of its own\n")
    for name in ("texts.txt", "lines.txt"):
        (tmp_path / name).write_text("the cat sat\na dog ran\n\noil stock\nwar vote\n")
    pretraining(tmp_path)  # writes a BERT
    given = [str(tmp_path / "bert") if one == "BERT" else one for one in arguments]
    result = run("pretrain", *given, "--max-length", "16", "--output", tmp_path / "run")
    assert result.code == 2, result.err
    assert message in result.err and len(result.err.splitlines()) <= 3
    assert not (tmp_path / "run").exists()
