"""A thin MiniLM: its vocabulary and layer names, with random weights of hidden size 24.

It is for tests that need the model's whole path, but not its weights.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.tiny_bert import write_tiny_checkpoint

HIDDEN = 24


def build_thin_minilm(cache: Path, vocab_file: Path) -> Path:
    """Builds the modules in a cache, under the name that `minilm_modules` expects.

    Args:
        cache: The folder for KERASNLP_LAB_CACHE.
        vocab_file: MiniLM's own vocab.txt.

    Returns:
        The cache.
    """
    from kerasnlp_lab.bert import build_bert_modules
    from kerasnlp_lab.hub.minilm import minilm_folder

    folder = cache / "modules" / minilm_folder().name
    folder.mkdir(parents=True)
    vocabulary = vocab_file.read_text(encoding="utf-8").splitlines()
    sizes = {"hidden": HIDDEN, "inner": 48, "layers": 6, "heads": 12, "positions": 512}
    with tempfile.TemporaryDirectory() as name:
        checkpoint = write_tiny_checkpoint(Path(name), vocabulary=vocabulary, **sizes)
        build_bert_modules(checkpoint, folder, do_lower_case=True)
    return cache
