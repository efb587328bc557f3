"""`ModelOptions`: what the options of every model can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.tasks import HeadOptions

__all__ = ["ModelOptions"]


class ModelOptions:
    """The base class of a model's options, which are a frozen dataclass, checked when made.

    What holds here is true of a model without a pre-trained encoder.
    """

    changeable: ClassVar[tuple[str, ...]] = ("dropout", "max_length")
    """Options that may change when a trained model is loaded: they leave its weights alone."""
    has_encoder: ClassVar[bool] = False
    """Whether a pre-trained encoder can be frozen and computed in another precision."""

    @property
    def head(self) -> HeadOptions:
        """The size of the head."""
        return HeadOptions()

    @property
    def encoder_precision(self) -> str | None:
        """The precision that the encoder computes in; None without an encoder."""
        return None

    @property
    def resumes_exactly(self) -> bool:
        """Whether a resumed training ends bit-equal: all its random numbers depend on the step."""
        return True

    def on_this_machine(self) -> ModelOptions:
        """Returns the options with everything decided that is left to the machine ("auto")."""
        return self

    def when_loaded(self, saved: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the options that a trained model is loaded with.

        Args:
            saved: The options that it was trained with.
            changes: Those to change.

        Raises:
            OptionError: A change would need other weights.
        """
        for name, value in changes.items():
            check_option(name, value, name in self.changeable, "as it was in training")
        return {**saved, **changes}

    def to_explain(self) -> dict[str, Any]:
        """Returns the changes under which a trained model gives out its attention."""
        return {}

    def freeze_layers_of(self, encoder: keras.layers.Layer) -> None:
        """Freezes the layers of a trainable encoder that the options say to freeze."""

    def describe_features(self, encoder: keras.layers.Layer) -> dict[str, Any]:
        """Returns all but weights and text half that an encoder's features depend on, for JSON."""
        return {}
