"""A thin MiniLM: its vocabulary and layer names, with random weights of hidden size 24.

It is for tests that need the model's whole path, but not its weights.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.tiny_bert import build_beside, write_tiny_checkpoint

HIDDEN = 24


def build_thin_minilm(cache: Path, preprocess: Path) -> Path:
    """Builds the modules in a cache, under the name that `minilm_modules` expects.

    Args:
        cache: The folder for KERASNLP_LAB_CACHE.
        preprocess: MiniLM's own preprocessing module, which is copied.

    Returns:
        The cache.
    """
    from kerasnlp_lab.hub.minilm import minilm_folder

    folder = cache / "modules" / minilm_folder().name
    folder.mkdir(parents=True)
    vocab_file = preprocess / "assets" / "vocab.txt"
    vocabulary = vocab_file.read_text(encoding="utf-8").splitlines()
    sizes = {"hidden": HIDDEN, "inner": 48, "layers": 6, "heads": 12, "positions": 512}
    with tempfile.TemporaryDirectory() as name:
        checkpoint = write_tiny_checkpoint(Path(name), vocabulary=vocabulary, **sizes)
        build_beside(preprocess, checkpoint, folder)
    return cache
