"""`Recipe`: the settings of a training, without importing TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass, field

from kerasnlp_lab.errors import check_option

__all__ = ["Recipe"]


def _help(words: str) -> dict[str, str]:
    """Returns a field's metadata, with the help text of its command line option."""
    return {"help": words}


@dataclass(frozen=True)
class Recipe:
    """The settings of a training. They are checked when a recipe is created.

    Args:
        epochs: The most epochs with everything trainable.
        frozen_epochs: The most epochs with a frozen pre-trained encoder, before the others. Its
            features are computed once, and only the head is trained on them.
        min_steps_per_epoch: The fewest steps in an epoch. If one pass over the rows has fewer,
            an epoch makes several passes, so that a small training set is trained long enough.
        batch_size: The number of rows in a global batch.
        learning_rate: The peak learning rate after the warm-up of "adamw"; "adam" keeps it
            constant.
        head_learning_rate: The same for the epochs with a frozen encoder.
        optimizer: "adamw" (linear warm-up, then linear decay to zero) or "adam".
        warmup_fraction: The share of the steps that warm up.
        layer_decay: The learning rate of each layer in a pre-trained encoder, divided by that of
            the layer above; 1 for the same rate in all layers. The head has the full rate.
        clip_norm: The largest global norm of the gradients; 0 for no limit.
        class_weight: The weight of each class in the loss. "none" gives every row the weight 1,
            and "balanced" gives every class the same total weight (scikit-learn's
            compute_class_weight). "spam=6.5,ham=1" sets weights; a class left out has 1.
        label_smoothing: The share of the target that is spread over all classes.
        patience: The number of epochs without a better validation loss that ends the phase.

    Raises:
        OptionError: A value is out of range.
    """

    epochs: int = field(default=3, metadata=_help("Epochs with everything trainable."))
    frozen_epochs: int = field(
        default=0, metadata=_help("Epochs before those, with the encoder frozen.")
    )
    min_steps_per_epoch: int = field(
        default=1, metadata=_help("Repeat a small training set up to this many steps an epoch.")
    )
    batch_size: int = field(default=32, metadata=_help("Rows in a global batch."))
    learning_rate: float = field(default=1e-3, metadata=_help("The peak learning rate."))
    head_learning_rate: float = field(
        default=1e-3, metadata=_help("The peak learning rate in the epochs with a frozen encoder.")
    )
    optimizer: str = field(default="adamw", metadata=_help("adamw or adam."))
    warmup_fraction: float = field(default=0.1, metadata=_help("Share of the steps that warm up."))
    layer_decay: float = field(
        default=1.0,
        metadata=_help(
            "Learning rate of a layer relative to the layer above; 1 for the same in all."
        ),
    )
    clip_norm: float = field(
        default=1.0, metadata=_help("Largest global norm of the gradients; 0 for no limit.")
    )
    class_weight: str = field(
        default="none", metadata=_help("none, balanced, or CLASS=WEIGHT separated by commas.")
    )
    label_smoothing: float = field(
        default=0.0, metadata=_help("Share of the target spread over all classes; 0 for none.")
    )
    patience: int = field(
        default=3, metadata=_help("Epochs without a better validation loss before training stops.")
    )

    def __post_init__(self) -> None:
        self._require(self.epochs >= 0, "epochs", "0 or more")
        self._require(self.frozen_epochs >= 0, "frozen_epochs", "0 or more")
        self._require(self.min_steps_per_epoch >= 1, "min_steps_per_epoch", "1 or more")
        self._require(self.batch_size >= 1, "batch_size", "1 or more")
        self._require(self.learning_rate > 0, "learning_rate", "above 0")
        self._require(self.head_learning_rate > 0, "head_learning_rate", "above 0")
        self._require(self.optimizer in ("adamw", "adam"), "optimizer", "'adamw' or 'adam'")
        self._require(0 <= self.warmup_fraction < 1, "warmup_fraction", "from 0 to below 1")
        self._require(0 < self.layer_decay <= 1, "layer_decay", "above 0, and 1 at most")
        fits = self.layer_decay == 1 or self.optimizer == "adamw"
        self._require(fits, "layer_decay", "1 unless optimizer=adamw")
        self._require(self.clip_norm >= 0, "clip_norm", "0 or more")
        self._require(0 <= self.label_smoothing < 1, "label_smoothing", "from 0 to below 1")
        self._require(self.patience >= 1, "patience", "1 or more")

    def _require(self, holds: bool, name: str, expected: str) -> None:
        check_option(name, getattr(self, name), holds, expected)
