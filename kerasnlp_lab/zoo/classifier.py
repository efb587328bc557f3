"""`Classifier`: a text half, a network, and the two joined in one Keras model."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.encoder import canonical_name
from kerasnlp_lab.bert.loading import module_sha256
from kerasnlp_lab.bert.reopening import freeze_layers
from kerasnlp_lab.errors import OptionError, RunError, UnknownNameError, check_option
from kerasnlp_lab.machine import best_precision
from kerasnlp_lab.paths import check_files, sha256_of_files, whole_directory, write_whole
from kerasnlp_lab.tasks.decision import Decision
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.vectorizer import Features
from kerasnlp_lab.zoo.entry import ZooEntry
from kerasnlp_lab.zoo.registry import find_model

__all__ = ["Classifier", "create_classifier", "load_classifier"]

DESCRIPTION_FILE = "classifier.json"
WEIGHTS_FILE = "weights.safetensors"
# Options that may differ between a classifier that is saved and the same one loaded.
_HARMLESS = (
    *("encoder", "precision", "frozen_layers"),
    *("dropout", "encoder_dropout", "max_length"),
)


@dataclasses.dataclass(frozen=True, eq=False)
class Classifier:
    """A model of the zoo, built for a set of classes.

    Args:
        entry: What it was built from.
        options: With which options.
        label_names: The classes, in the order of the logits.
        text: Strings to features: a layer for a tf.data pipeline or a graph.
        network: Features to logits [batch, classes]: what is trained.
        decision: How its logits are read.
    """

    entry: ZooEntry
    options: Any
    label_names: tuple[str, ...]
    text: TextVectorizer
    network: keras.Model
    decision: Decision = Decision()

    @property
    def name(self) -> str:
        """The model's name in the zoo."""
        return self.entry.card.name

    @cached_property
    def model(self) -> keras.Model:
        """Strings [batch] to logits [batch, classes]: a plain Keras model on the same weights.

        Save it by `Classifier.save` or `export_classifier`: Keras' own formats cannot
        rebuild the text half.
        """
        texts = keras.Input(shape=(), dtype=tf.string, name="text")
        return keras.Model(texts, self.network(self.text(texts)), name="strings_to_logits")

    @property
    def encoder(self) -> keras.layers.Layer | None:
        """The pre-trained part, if there is one."""
        layers = {layer.name: layer for layer in self.network.layers}
        return layers.get("encoder")

    @property
    def head(self) -> keras.Model:
        """What stands on the pre-trained part: features [batch, hidden] to logits."""
        return self.network.get_layer("head")

    def fused(self) -> Any:
        """Returns what answers tokenized texts, with the weights of now, as one quick graph.

        From token ids end to end, int32 [tokens], and how many are each text's, int64
        [batch], to logits, float32 [batch, classes]: those of `forward` but for rounding.
        """
        before_head = self._before_head()
        if before_head is None:
            return self.forward
        head = self.head
        return self._on_tokens(lambda features: head(before_head(features), training=False))

    @cached_property
    def forward(self) -> Any:
        """The same by the network itself, whatever its weights are when it is called."""
        return self._on_tokens(partial(self.network, training=False))

    def _on_tokens(self, network: Callable[[Features], tf.Tensor]) -> Any:
        text = self.text

        def answer(ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
            return network(text.pack_flat(ids, lengths))

        signature = [tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.int64)]
        return tf.function(answer, input_signature=signature, autograph=False)

    def fused_features(self) -> Any:
        """Returns the same from features, up to the head: [batch, hidden], float32."""
        before_head = self._before_head()
        if before_head is None:
            part = keras.Model(self.network.input, self.network.get_layer("pooled").output)
            before_head = partial(part, training=False)
        graph = tf.function(before_head, input_signature=[self._signature], autograph=False)
        # A call of the tf.function itself warns of many traces where many models are trained.
        return graph.get_concrete_function()

    def _before_head(self) -> Any:
        return self.entry.fuse(self.network, self.options) if self.entry.fuse else None

    def encoder_fingerprint(self) -> str:
        """Returns a SHA-256, as hex digits, of all that makes features of token ids."""
        names = ("encoder", "layers", "pooling", "precision")
        options = {name: getattr(self.options, name) for name in names}
        text = self.text.fingerprint()
        # The weights alone do not tell which activation is between them.
        reopened = getattr(self.encoder, "bert_config", None)
        if reopened is not None:
            options["activation"] = reopened.activation
        else:
            options["module"] = module_sha256(self.encoder)
        digest = hashlib.sha256(json.dumps([options, text], sort_keys=True).encode())
        for name, variable in sorted(self.named_weights().items()):
            if name.startswith("encoder/"):
                value = np.ascontiguousarray(variable.numpy())
                digest.update(f"\0{name} {value.dtype} {value.shape}\0".encode())
                digest.update(value.tobytes())
        return digest.hexdigest()

    def train_encoder(self, trainable: bool) -> None:
        """Lets the pre-trained part learn, but for layers that the options freeze; or not.

        Call it before compiling.
        """
        if self.encoder is not None:
            self.encoder.trainable = trainable
            freeze_layers(self.encoder, getattr(self.options, "frozen_layers", 0))

    @property
    def _signature(self) -> dict[str, tf.TensorSpec]:
        return {
            name: tf.TensorSpec(tensor.shape, tensor.dtype)
            for name, tensor in self.network.input.items()
        }

    def save_weights(self, path: Path) -> None:
        """Writes the network's weights to a safetensors file, whole or not at all."""
        weights = {name: np.asarray(one.numpy()) for name, one in self.named_weights().items()}
        write_whole(path, safetensors.numpy.save(weights))

    def load_weights(self, path: Path) -> None:
        """Reads weights that `save_weights` wrote.

        Raises:
            RunError: They are missing, or those of another network.
        """
        try:
            saved = safetensors.numpy.load(path.read_bytes())
        except (OSError, safetensors.SafetensorError) as error:
            raise RunError(f"cannot read the weights in {path}: {error}") from error
        wanted = self.named_weights()
        for name, variable in wanted.items():
            if name not in saved or saved[name].shape != tuple(variable.shape):
                found = saved[name].shape if name in saved else "none"
                raise RunError(
                    f"{path} holds the weights of another network: {self.name} expects {name} of "
                    f"shape {tuple(variable.shape)}, found {found}"
                )
        for name, variable in wanted.items():
            variable.assign(saved[name])

    def named_weights(self) -> dict[str, Any]:
        """Returns the network's variables by names that one built anew gives them too.

        An encoder's have BERT's own, the same for a module and for the same encoder
        reopened; what a module holds besides weights (its do_lower_case) is left out.
        """
        encoder = [] if self.encoder is None else self.encoder.weights
        named = {}
        for index, variable in enumerate(encoder):
            if variable.dtype.is_floating:
                own = canonical_name(variable.name) or f"{index:04d} {variable.name}"
                named[f"encoder/{own}"] = variable
        inside = {id(variable) for variable in encoder}
        rest = [variable for variable in self.network.weights if id(variable) not in inside]
        return named | {f"{index:04d} {one.name}": one for index, one in enumerate(rest)}

    def save(self, folder: str | Path) -> None:
        """Writes everything that `load_classifier` needs into a new folder.

        Raises:
            RunError: There is something in the folder already.
            StorageError: It cannot be written.
        """
        with whole_directory(folder) as target:
            (target / "text").mkdir()
            self.text.save_assets(target / "text")
            self.save_weights(target / WEIGHTS_FILE)
            description = {
                "model": self.name,
                "options": dataclasses.asdict(self.options),
                "label_names": list(self.label_names),
                "decision": dataclasses.asdict(self.decision),
                "sha256": sha256_of_files(target),
            }
            write_whole(target / DESCRIPTION_FILE, json.dumps(description, indent=2) + "\n")


def create_classifier(
    name: str,
    label_names: Sequence[str],
    train_texts: Collection[str],
    *,
    options: Mapping[str, Any] | None = None,
    strategy: tf.distribute.Strategy | None = None,
) -> Classifier:
    """Builds a new classifier.

    Args:
        name: The model's name in the zoo.
        label_names: The classes, in the order of their label ids.
        train_texts: What a vocabulary is learned from, where the model has one.
        options: Options of the model that differ from its defaults.
        strategy: In whose scope the network's variables are made.

    Raises:
        UnknownNameError: There is no such model or option.
        HubError: A pre-trained module cannot be fetched.

    Example:
        >>> classifier = create_classifier("seed_transformer", ["bad", "good"], ["so so"])
        >>> classifier.model(tf.constant(["good"])).shape
        TensorShape([1, 2])
    """
    entry = find_model(name)
    chosen = entry.with_options(options or {})
    text = entry.build_text(chosen)
    text.adapt(train_texts)
    return _assemble(entry, chosen, tuple(label_names), text, strategy)


def load_classifier(
    folder: str | Path,
    *,
    options: Mapping[str, Any] | None = None,
    precision: str | None = None,
) -> Classifier:
    """Reads a classifier that `Classifier.save` wrote.

    Args:
        folder: The ``model`` folder of a run.
        options: Options that differ from those it was made with: encoder, precision,
            frozen_layers, the rates of dropout or max_length, which do not change its
            weights.
        precision: What an encoder computes in; None for what it was trained in, or float32
            where the machine has nothing better. Models without an encoder have float32 only.

    Raises:
        OptionError: Another option, or a value that cannot be used.
        RunError: The folder holds none, or a damaged one.
    """
    folder = Path(folder)
    try:
        description = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        label_names = tuple(description["label_names"])
        check_files(folder, description["sha256"], "train again")
        entry = _entry_of(description["model"], folder)
        changes = {**(options or {}), **entry.precision_options(precision)}
        chosen = entry.with_options(_changed(description["options"], changes))
        text = entry.build_text(chosen)
        text.load_assets(folder / "text")
        decision = Decision(**description.get("decision", {}))
    except OptionError:
        raise
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"{folder} does not hold a saved classifier ({error}); expected the model/ folder of "
            "a finished run"
        ) from error
    classifier = _assemble(entry, chosen, label_names, text, None)
    classifier.load_weights(folder / WEIGHTS_FILE)
    return dataclasses.replace(classifier, decision=decision)


def _entry_of(name: str, folder: Path) -> ZooEntry:
    try:
        return find_model(name)
    except UnknownNameError as error:
        raise RunError(
            f"{folder} was made on {name}, which is no model, or no longer a folder with a BERT; "
            "if it was a folder, put it back"
        ) from error


def _changed(saved: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a saved classifier's options with some changed that leave its weights as they are."""
    for name in changes:
        check_option(name, changes[name], name in _HARMLESS, "left as it was in the training")
    changed = {**saved, **changes}
    if "precision" in saved and "precision" not in changes and best_precision() == "float32":
        changed["precision"] = "float32"  # where it was trained there was more
    if changes.get("encoder") == "module":
        changed |= {"precision": "float32", "frozen_layers": 0, "encoder_dropout": 0.1}
    return changed


def _assemble(
    entry: ZooEntry,
    options: Any,
    label_names: tuple[str, ...],
    text: TextVectorizer,
    strategy: tf.distribute.Strategy | None,
) -> Classifier:
    # AutoGraph would take seconds to convert layers that have nothing to convert.
    build_network = tf.autograph.experimental.do_not_convert(entry.build_network)
    with strategy.scope() if strategy else contextlib.nullcontext():
        network = build_network(text, len(label_names), options)
    return Classifier(entry, options, label_names, text, network)
