"""`PretrainingConfig`: all settings of a pre-training, checked when made, to and from JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kerasnlp_lab.bert.reopening import PRECISIONS
from kerasnlp_lab.errors import OptionError, UnknownNameError, check_option
from kerasnlp_lab.machine import best_precision
from kerasnlp_lab.recipe import Recipe
from kerasnlp_lab.training.interval import Interval
from kerasnlp_lab.training.strategy import STRATEGIES
from kerasnlp_lab.training.trainer import CHECKPOINT_EVERY

__all__ = ["OBJECTIVES", "PretrainingConfig"]

OBJECTIVES = ("mlm", "mlm+nsp")
_OF_A_NEW_BERT = ("vocabulary", "vocab_size", "cased", "strip_accents")
_LEAST_MAX_LENGTH = 8


@dataclass(frozen=True)
class PretrainingConfig:
    """All settings of a pre-training, except the texts and the folder; checked when made.

    Args:
        shape: The shape of a new BERT: an encoder of the catalogue, or a folder or file with a
            config; None to continue from `model`.
        model: The BERT to continue from: a model of the zoo, an encoder of TF Hub, a folder, or
            the run directory of a pre-training; None for a new BERT.
        vocabulary: A folder with a vocabulary for a new BERT; None to learn one.
        vocab_size: The largest number of pieces to learn; None for 8,000.
        cased: Whether a learned vocabulary keeps capitals.
        strip_accents: Whether texts lose their accents before it is learned.
        objective: "mlm", masked words, or "mlm+nsp", with next-sentence prediction; None for
            masked words alone if the BERT is not new.
        whole_words: Whether all pieces of a word are hidden together.
        max_length: The longest sequence in tokens, special tokens included.
        epochs: The passes over the sequences; None for 10, or 3 if the BERT is not new.
        steps: The number of steps in place of epochs.
        batch_size: The sequences in a global batch.
        learning_rate: The peak learning rate; None for 5e-4, or 1e-4 if the BERT is not new.
        warmup_fraction: The share of the steps that warm up.
        dropout: The dropout rate within the encoder.
        precision: "float32", "mixed_bfloat16", or "auto" for the quickest on this machine.
        held_out: The share of the documents that are not trained on, to measure the perplexity.
        strategy: One of `kerasnlp_lab.training.strategy.STRATEGIES`.
        seed: The seed of initial weights, order, dropout, and of what is hidden.
        deterministic: As in `ExperimentConfig`.
        checkpoint_every: As in `ExperimentConfig`.

    Raises:
        OptionError: A value cannot be used, or does not go with another.
        UnknownNameError: There is no such strategy.

    Example:
        >>> config = PretrainingConfig(model="minilm_l6_h384")
        >>> config.objective, config.epochs, config.learning_rate
        ('mlm', 3, 0.0001)
        >>> PretrainingConfig.from_json(config.to_json()) == config
        True
    """

    shape: str | None = None
    model: str | None = None
    vocabulary: str | None = None
    vocab_size: int | None = None
    cased: bool = False
    strip_accents: bool = False
    objective: str | None = None
    whole_words: bool = False
    max_length: int = 128
    epochs: int | None = None
    steps: int | None = None
    batch_size: int = 32
    learning_rate: float | None = None
    warmup_fraction: float = 0.1
    dropout: float = 0.1
    precision: str = "auto"
    held_out: float = 0.02
    strategy: str = "auto"
    seed: int = 0
    deterministic: bool = False
    checkpoint_every: str = CHECKPOINT_EVERY

    def __post_init__(self) -> None:
        if (self.shape is None) == (self.model is None):
            raise OptionError(
                "say either --config NAME, the shape of a new BERT such as "
                "small_bert/bert_en_uncased_L-4_H-128_A-2, or --from MODEL to continue from one"
            )
        self._check_vocabulary()
        if self.epochs is not None and self.steps is not None:
            raise OptionError("say either --epochs or --steps, not both")
        self._fill("objective", "mlm+nsp" if self.is_new else "mlm")
        self._fill("learning_rate", 5e-4 if self.is_new else 1e-4)
        if self.steps is None:
            self._fill("epochs", 10 if self.is_new else 3)
        if self.precision == "auto":
            object.__setattr__(self, "precision", best_precision())
        self._check_values()
        Interval(self.checkpoint_every)  # raises if it cannot be read
        if self.strategy not in STRATEGIES:
            raise UnknownNameError("strategy", self.strategy, STRATEGIES)

    def _fill(self, name: str, value: Any) -> None:
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)

    def _check_vocabulary(self) -> None:
        plain = {field.name: field.default for field in dataclasses.fields(self)}
        given = [name for name in _OF_A_NEW_BERT if getattr(self, name) != plain[name]]
        flags = ["--vocab" if name == "vocabulary" else f"--{name}" for name in given]
        flags = [flag.replace("_", "-") for flag in flags]
        if not self.is_new and given:
            raise OptionError(f"{self.model} has its own vocabulary: leave out {flags[0]}")
        if self.vocabulary is not None and len(given) > 1:
            raise OptionError(f"--vocab names a finished vocabulary: leave out {flags[-1]}")
        if self.is_new and self.vocabulary is None:
            self._fill("vocab_size", 8000)

    def _check_values(self) -> None:
        def check(name: str, fits: bool, expected: str) -> None:
            check_option(f"--{name.replace('_', '-')}", getattr(self, name), fits, expected)

        check("objective", self.objective in OBJECTIVES, " or ".join(OBJECTIVES))
        check("vocab_size", self.vocab_size is None or self.vocab_size >= 10, "10 or more")
        fits = self.max_length >= _LEAST_MAX_LENGTH
        check("max_length", fits, f"{_LEAST_MAX_LENGTH} or more")
        check("epochs", self.epochs is None or self.epochs >= 1, "1 or more")
        check("steps", self.steps is None or self.steps >= 1, "1 or more")
        check("batch_size", self.batch_size >= 1, "1 or more")
        check("learning_rate", self.learning_rate is not None and self.learning_rate > 0, "above 0")
        check("warmup_fraction", 0 <= self.warmup_fraction < 1, "from 0 to below 1")
        check("dropout", 0 <= self.dropout < 1, "from 0 to below 1")
        check("precision", self.precision in PRECISIONS, f"auto or one of {PRECISIONS}")
        check("held_out", 0 < self.held_out <= 0.5, "above 0, and 0.5 at most")
        check("seed", 0 <= self.seed < 2**32, "from 0 to 2**32 - 1")

    @property
    def is_new(self) -> bool:
        """Whether the BERT begins with random weights."""
        return self.model is None

    @property
    def pairs(self) -> bool:
        """Whether sequences are pairs, for next-sentence prediction."""
        return self.objective == "mlm+nsp"

    def recipe(self, reports: int) -> Recipe:
        """Returns the settings for the training loop, whose epochs are reports."""
        assert self.learning_rate is not None
        return Recipe(
            epochs=reports,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            warmup_fraction=self.warmup_fraction,
            patience=reports,
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the settings for config.json."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> PretrainingConfig:
        """Returns the settings from the output of `to_json`.

        Raises:
            TypeError: A field is unknown.
        """
        return cls(**saved)
