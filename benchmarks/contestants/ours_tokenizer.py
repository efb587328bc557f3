"""The text half of minilm_l6_h384, by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import protocol
import tensorflow as tf

from kerasnlp_lab import create_classifier
from kerasnlp_lab.text import tokenize

PACKAGES = ["kerasnlp_lab", "tensorflow", "tensorflow-text"]


class OursTokenizer:
    """Tokenizes."""

    def prepare(self, threads: int, bare: bool) -> None:
        """Makes the text half.

        Args:
            threads: As many as it may take, by the processors that it runs on.
            bare: Whether the vectorizer's ``tokenize`` is called, whose ids stay in memory;
                else `kerasnlp_lab.text.tokenize`, which keeps them in a file.
        """
        self.text = create_classifier("minilm_l6_h384", ["a", "b"], []).text
        self.bare = bare

    def tokenize(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        """Finds the word pieces of texts, without special tokens."""
        if self.bare:
            ragged = self.text.tokenize(tf.constant(texts))
            return lambda: {"ids": ragged.to_list()}
        tokens = tokenize(self.text, texts)
        rows = np.arange(len(texts), dtype=np.int32)
        return lambda: {"ids": tokens.ragged(tf.constant(rows)).to_list()}


if __name__ == "__main__":
    protocol.serve(OursTokenizer(), PACKAGES)
