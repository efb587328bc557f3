"""`ModelOptions`: the base class of every model's options; `LengthOptions`: of most models'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import OptionError, check_option
from kerasnlp_lab.tasks import HeadOptions, Task
from kerasnlp_lab.text.vectorizer import LONG_TEXTS

__all__ = ["LengthOptions", "ModelOptions"]


class ModelOptions:
    """The base class of a model's options: frozen dataclasses that check their own values.

    The defaults here suit a model without a pre-trained encoder.
    """

    changeable: ClassVar[tuple[str, ...]] = (
        "dropout",
        "max_length",
        "long_texts",
        "windows_in_training",
    )
    """The options that may change when a trained model is loaded: they do not affect weights."""
    added_since: ClassVar[Mapping[str, Any]] = {}
    """The options that version 0.1.0 did not have, with the values that it computed with."""
    has_encoder: ClassVar[bool] = False
    """Whether the model has a pre-trained encoder, with a choice of precision."""

    def check_task(self, task: Task | type[Task], pairs: bool = False) -> None:
        """Checks that the options suit a task, and pairs of texts if that is what its texts are.

        Raises:
            OptionError: They do not.
        """

    @property
    def head(self) -> HeadOptions:
        """The size of the head."""
        return HeadOptions()

    @property
    def encoder_precision(self) -> str | None:
        """The precision of the encoder's computation; None without an encoder."""
        return None

    @property
    def resumes_exactly(self) -> bool:
        """Whether a resumed training ends bit-equal: random numbers depend on the step alone."""
        return True

    def on_this_machine(self) -> ModelOptions:
        """Returns the options with every "auto" resolved that depends on the machine."""
        return self

    def when_loaded(self, saved: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the options for loading a trained model.

        Args:
            saved: The options that it was trained with.
            changes: The options to change, with their new values.

        Raises:
            OptionError: A change would need other weights.
        """
        for name, value in changes.items():
            check_option(name, value, name in self.changeable, "the same as in training")
        return {**self.added_since, **saved, **changes}

    def to_explain(self) -> dict[str, Any]:
        """Returns the option changes that let a trained model return its attention."""
        return {}

    def freeze_layers_of(self, encoder: keras.layers.Layer) -> None:
        """Freezes those layers of a trainable encoder that the options name; none by default."""

    def describe_features(self, encoder: keras.layers.Layer) -> dict[str, Any]:
        """Returns what affects an encoder's features besides weights and text half, for JSON."""
        return {}


@dataclass(frozen=True)
class LengthOptions(ModelOptions):
    """The options of a model that reads at most `max_length` tokens at a time.

    Args:
        max_length: The longest text in tokens, or the longest window.
        long_texts: What is read of a longer text: its "head", its "tail", "head_tail" (a quarter
            from the head, the rest from the tail), or "windows": all of it, in windows that
            overlap. The logits of a text are then pooled; see `zoo.network.pool_windows`.
        windows_in_training: The most windows of one text in a step of the training, drawn anew
            each time. Memory and time grow with it. Predictions read all windows.

    Raises:
        OptionError: A value is invalid.
    """

    added_since: ClassVar[Mapping[str, Any]] = {"long_texts": "head", "windows_in_training": 4}

    max_length: int = 256
    long_texts: str = "head"
    windows_in_training: int = 4

    def __post_init__(self) -> None:
        check_option("max_length", self.max_length, self.max_length >= 1, "1 or more")
        fits = self.long_texts in LONG_TEXTS
        check_option("long_texts", self.long_texts, fits, f"one of {', '.join(LONG_TEXTS)}")
        fits = self.windows_in_training >= 1
        check_option("windows_in_training", self.windows_in_training, fits, "1 or more")

    def check_task(self, task: Task | type[Task], pairs: bool = False) -> None:
        if self.long_texts == "head":
            return
        option = f"long_texts={self.long_texts}"
        if task.reads != "pooled":
            reason = ", which reads texts of any length" if task.needs_offsets else ""
            raise OptionError(f"{option} is not for the task {task.name}{reason}; leave it out")
        if pairs:
            raise OptionError(
                f"{option} is not for pairs of texts, of which the longer one is cut first; leave "
                "it out"
            )
