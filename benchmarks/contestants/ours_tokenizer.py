"""The text half of minilm_l6_h384, by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import protocol
import tensorflow as tf

from kerasnlp_lab import create_classifier
from kerasnlp_lab.text import tokenize
from kerasnlp_lab.text.pipeline import tokenize_flat

PACKAGES = ["kerasnlp_lab", "tensorflow", "tensorflow-text"]


class OursTokenizer:
    """Tokenizes."""

    def prepare(self, threads: int, bare: bool) -> None:
        """Makes the text half.

        Args:
            threads: As many as it may take, by the processors that it runs on.
            bare: Whether ids stay in memory, as in prediction; else they go to a file, as in
                training.
        """
        self.text = create_classifier("minilm_l6_h384", ["a", "b"], []).text
        self.bare = bare

    def tokenize(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        """Finds the word pieces of texts, without special tokens."""
        if self.bare:
            found = tokenize_flat(self.text, texts)
            return lambda: {"ids": _of_each(*found)}
        tokens = tokenize(self.text, texts)
        return lambda: {"ids": _of_each(*tokens.read_flat(np.arange(len(texts))))}


def _of_each(ids: np.ndarray, lengths: np.ndarray) -> list[list[int]]:
    return tf.RaggedTensor.from_row_lengths(ids, lengths).to_list()


if __name__ == "__main__":
    protocol.serve(OursTokenizer(), PACKAGES)
