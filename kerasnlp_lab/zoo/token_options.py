"""`TokenOptions`: options and recipe of a model from scratch that embeds words or characters."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from kerasnlp_lab.errors import check_option
from kerasnlp_lab.tasks import HeadOptions
from kerasnlp_lab.text import PieceVectorizer, TextVectorizer, WordVectorizer
from kerasnlp_lab.text.piece_vectorizer import need_pieces
from kerasnlp_lab.zoo.card import Recipe
from kerasnlp_lab.zoo.options import LengthOptions

__all__ = ["RECIPE", "TASK_RECIPES", "TokenOptions", "build_text", "resolve_tokens"]

TOKENS = ("auto", "words", "pieces", "characters")
Options = TypeVar("Options", bound="TokenOptions")
RECIPE = Recipe(
    epochs=10,
    batch_size=64,
    learning_rate=1e-3,
    label_smoothing=0.1,
    patience=4,
    min_steps_per_epoch=60,
)
# Smoothed targets would be far above the frequency of most labels.
TASK_RECIPES = {"multi_label": dataclasses.replace(RECIPE, label_smoothing=0.0)}


@dataclass(frozen=True)
class TokenOptions(LengthOptions):
    """How texts are read, and the dropout rates that keep a network from overfitting few rows.

    Args:
        max_length: As in `LengthOptions`, and so are long_texts and windows_in_training.
        vocab_size: The largest number of token ids, padding and [UNK] included.
        embed_dim: The size of the embeddings.
        token_dropout: The share of words that are hidden in training.
        dropout: The dropout rate of the network and its head.
        head_units: The size of a hidden layer with ReLU in the head; 0 for none.
        tokens: One of `TOKENS`. "words" lie between spaces. "pieces" are learned parts of words,
            and single letters in Chinese and Japanese. "characters" are single letters in every
            script. "auto" takes pieces if the training texts are of a script without spaces, and
            words otherwise.
        word_vectors: A BERT whose vector of each word the embeddings start from: its name in the
            zoo or on TF Hub, a folder with one, or a finished run of one; "" starts them at random.
            `kerasnlp_lab.training.train` puts the vectors in.

    Raises:
        OptionError: A value is out of range.
    """

    added_since: ClassVar[Mapping[str, Any]] = {
        **LengthOptions.added_since,
        "tokens": "words",
        "word_vectors": "",
    }

    vocab_size: int = 20000
    embed_dim: int = 48
    token_dropout: float = 0.4
    dropout: float = 0.5
    head_units: int = 0
    tokens: str = "auto"
    word_vectors: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_option("embed_dim", self.embed_dim, self.embed_dim >= 1, "1 or more")
        check_option("vocab_size", self.vocab_size, self.vocab_size >= 3, "3 or more")
        check_option("head_units", self.head_units, self.head_units >= 0, "0 or more")
        for name in ("token_dropout", "dropout"):
            value = getattr(self, name)
            check_option(name, value, 0 <= value < 1, "from 0 to below 1")
        check_option("tokens", self.tokens, self.tokens in TOKENS, f"one of {', '.join(TOKENS)}")

    @property
    def head(self) -> HeadOptions:
        return HeadOptions(self.head_units, self.dropout)

    def when_loaded(self, saved: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Does the same, without word_vectors: trained embeddings must not start anew."""
        return {**super().when_loaded(saved, changes), "word_vectors": ""}


def resolve_tokens(
    options: Options, texts: Collection[str | bytes], labels: np.ndarray | None
) -> tuple[Options, str]:
    """Replaces ``tokens=auto``; it is the `ZooEntry.resolve` of these models."""
    if options.tokens != "auto":
        return options, ""
    if not need_pieces(texts):
        return dataclasses.replace(options, tokens="words"), ""
    return dataclasses.replace(options, tokens="pieces"), (
        "the texts put no spaces between words: tokens=pieces reads single Chinese and Japanese "
        "letters, and learned pieces of all other words"
    )


def build_text(options: TokenOptions) -> TextVectorizer:
    """Returns the text half for the options; it is the `ZooEntry.build_text` of these models."""
    if options.tokens == "words":
        return WordVectorizer(options.max_length, options.vocab_size)
    characters = options.tokens == "characters"
    return PieceVectorizer(options.max_length, options.vocab_size, characters)
