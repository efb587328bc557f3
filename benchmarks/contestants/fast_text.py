"""fastText: words and bigrams, 25 epochs."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fasttext
import protocol

PACKAGES = ["fasttext-wheel", "numpy"]
PREFIX = "__label__"


class FastText:
    """Trains and predicts."""

    def prepare(self, threads: int, normalized: bool) -> None:
        """Takes settings.

        Args:
            threads: For training; fastText predicts on one.
            normalized: Whether texts are lower-cased and punctuation is set apart, as
                fastText's tutorial does before it trains; else they are left as they are.
        """
        self.threads, self.normalized = threads, normalized

    def train(self, texts: list[str], labels: list[int], seed: int = 0) -> None:
        """Makes a new model."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "rows.txt")
            rows = zip(labels, self._lines(texts), strict=True)
            path.write_text("".join(f"{PREFIX}{label} {line}\n" for label, line in rows))
            self.model = fasttext.train_supervised(
                str(path), wordNgrams=2, epoch=25, thread=self.threads, seed=seed, verbose=0
            )

    def predict(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        """Finds the classes of texts, all in one call."""
        found, _ = self.model.predict(self._lines(texts))
        return lambda: {"labels": [int(names[0].removeprefix(PREFIX)) for names in found]}

    def _lines(self, texts: list[str]) -> list[str]:
        if self.normalized:
            texts = [re.sub(r"([.!?,'/()])", r" \1 ", text).lower() for text in texts]
        return [text.replace("\n", " ") for text in texts]  # a line break ends a row


if __name__ == "__main__":
    protocol.serve(FastText(), PACKAGES)
