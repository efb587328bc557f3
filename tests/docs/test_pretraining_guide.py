"""The Python of the guide to pre-training runs as it stands."""

from pathlib import Path

import pytest

from tests.docs.pages import blocks, read


@pytest.mark.slow  # tests/lab/test_pretraining.py has smaller ones
def test_the_guide_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = blocks(read("docs/guides/pretraining.md"))
    (code,) = [block for block in page if block.language == "python"]
    exec(compile(code.text, "pretraining.md", "exec"), {})
    said = capsys.readouterr().out
    assert "held-out perplexity" in said and said.splitlines()[-1].count("'") == 10  # five guesses
    assert Path("runs/small/encoder/saved_model.pb").is_file()
