"""`ModelOptions`: the base class of every model's options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.tasks import HeadOptions

__all__ = ["ModelOptions"]


class ModelOptions:
    """The base class of a model's options: frozen dataclasses that check their own values.

    The defaults here suit a model without a pre-trained encoder.
    """

    changeable: ClassVar[tuple[str, ...]] = ("dropout", "max_length")
    """The options that may change when a trained model is loaded: they do not affect weights."""
    added_since: ClassVar[Mapping[str, Any]] = {}
    """The options that version 0.1.0 did not have, with the values that it computed with."""
    has_encoder: ClassVar[bool] = False
    """Whether the model has a pre-trained encoder, with a choice of precision."""

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
