"""The Python of the guide to pre-training runs, on a folder of texts."""

from pathlib import Path

import pytest

from kerasnlp_lab import load_dataset
from tests.docs.pages import blocks, read


@pytest.mark.slow  # tests/lab/test_pretraining.py has smaller ones
def test_the_guide_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("reports").mkdir()
    texts = load_dataset("news_sample").train.texts
    for number in range(3):
        stories = ["\n".join(texts[at : at + 4]) for at in range(number, len(texts), 12)]
        Path("reports", f"{number}.txt").write_text("\n\n".join(stories))
    (code,) = [
        one for one in blocks(read("docs/guides/pretraining.md")) if one.language == "python"
    ]
    exec(compile(code.text, "pretraining.md", "exec"), {})
    assert "held-out perplexity" in capsys.readouterr().out
    assert Path("runs/small/encoder/saved_model.pb").is_file()
