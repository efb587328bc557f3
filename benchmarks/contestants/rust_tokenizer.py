"""Hugging Face's tokenizers, written in Rust."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import protocol
from tokenizers import BertWordPieceTokenizer

PACKAGES = ["tokenizers"]


class RustTokenizer:
    """Tokenizes."""

    def prepare(self, threads: int, folder: str, length: int, fast: bool) -> None:
        """Makes the tokenizer.

        Args:
            threads: RAYON_NUM_THREADS says so already.
            folder: With vocab.txt, of an uncased BERT.
            length: The most word pieces of a text.
            fast: Whether offsets are left out (``encode_batch_fast``).
        """
        whole = BertWordPieceTokenizer(str(Path(folder, "vocab.txt")), lowercase=True)
        whole.enable_truncation(length)
        tokenizer = whole._tokenizer  # the Rust object itself, whose encode_batch is wrapped there
        self.encode = tokenizer.encode_batch_fast if fast else tokenizer.encode_batch

    def tokenize(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        """Finds the word pieces of texts, without special tokens."""
        found = self.encode(texts, add_special_tokens=False)
        return lambda: {"ids": [one.ids for one in found]}


if __name__ == "__main__":
    protocol.serve(RustTokenizer(), PACKAGES)
