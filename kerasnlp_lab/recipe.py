"""`Recipe`: how a model is trained. Importing it does not import TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass, field

from kerasnlp_lab.errors import check_option

__all__ = ["Recipe"]


def _help(words: str) -> dict[str, str]:
    """Returns the metadata of a field: the help text of the command line's option."""
    return {"help": words}


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; checked when made.

    Args:
        epochs: The most passes over the training rows with everything trainable.
        frozen_epochs: Passes before those, with the pre-trained encoder frozen: its
            features are computed once, and the head alone is trained on them.
        min_steps_per_epoch: Where the rows give fewer steps, an epoch passes over
            them as often as it takes to have so many, so that few rows are not
            trained on too little.
        batch_size: Rows in a global batch.
        learning_rate: The peak, which "adamw" warms up to; "adam" keeps it throughout.
        head_learning_rate: The same, of the epochs with a frozen encoder.
        optimizer: "adamw" (linear warm-up, then linear decay to zero) or "adam".
        warmup_fraction: The share of the steps that warm up.
        layer_decay: What the learning rate of a pre-trained encoder's layer is of that
            of the layer above it; 1 for the same rate in all. The head has the rate
            itself.
        clip_norm: The largest global norm of the gradients; 0 for any.
        class_weight: How much a row of each class counts in the loss: "none" for all
            alike, "balanced" for classes that count alike together (scikit-learn's
            compute_class_weight), or "spam=6.5,ham=1", where a class left out has 1.
        label_smoothing: How much of the target goes to all classes alike.
        patience: How many epochs without a better validation loss end the training.

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
