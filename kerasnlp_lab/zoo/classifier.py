"""`Classifier`: a text half and a network, with methods to run, train, save and load them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.encoder import canonical_name, precision_policy
from kerasnlp_lab.errors import OptionError, RunError
from kerasnlp_lab.machine import begin_computing
from kerasnlp_lab.paths import sha256_of_files, whole_directory, write_whole
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.tasks.tagging import TokenLogits
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.features import Features
from kerasnlp_lab.text.windows import cut_into_windows
from kerasnlp_lab.zoo.entry import ZooEntry
from kerasnlp_lab.zoo.inside import Inside
from kerasnlp_lab.zoo.network import FEATURES, StringModel, pool_over_windows
from kerasnlp_lab.zoo.options import ModelOptions

__all__ = ["DESCRIPTION_FILE", "WEIGHTS_FILE", "Classifier"]

DESCRIPTION_FILE = "classifier.json"
WEIGHTS_FILE = "weights.safetensors"


@dataclasses.dataclass(frozen=True, eq=False)
class Classifier:
    """A model of the zoo, built for a task.

    Args:
        entry: The zoo's entry for this model.
        options: The model's options.
        task: The task, which defines targets, loss and answers.
        text: The layer that turns strings into features, in a tf.data pipeline or a graph.
        network: The trained part, which turns features into the task's logits.
        decision: The rule that turns logits into answers.
        pair: The names of the first and the second text, if each text is a pair; see
            `kerasnlp_lab.data.pairs`.
    """

    entry: ZooEntry
    options: ModelOptions
    task: Task
    text: TextVectorizer
    network: keras.Model
    decision: Any
    pair: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """The model's name in the zoo."""
        return self.entry.card.name

    @property
    def label_names(self) -> tuple[str, ...]:
        """The task's classes, in the order of the logits."""
        return self.task.label_names

    @cached_property
    def model(self) -> keras.Model:
        """Strings [batch] to logits [batch, classes]: a plain Keras model on the same weights.

        Keras' ``save_weights`` works for every model, and ``save("m.keras")`` for those without a
        BERT. For a BERT use `Classifier.save` or `export_classifier`.
        """
        texts = keras.Input(shape=(), dtype=tf.string, name="text")
        return StringModel(texts, self.network(self.text(texts)), name="strings_to_logits")

    @property
    def encoder(self) -> keras.layers.Layer | None:
        """The pre-trained part; None if the model has none."""
        layers = {layer.name: layer for layer in self.network.layers}
        return layers.get("encoder")

    @property
    def head(self) -> keras.Model:
        """The task's head, which turns features into logits."""
        return self.network.get_layer("head")

    # Computing

    def fused(self) -> Any:
        """Freezes the current weights into one graph that predicts from token ids.

        Returns:
            A tf.function that takes the token ids of all texts end to end, int32 [tokens], and
            the number of tokens of each text, int64 [batch]. It returns the same float32 logits
            as `forward`, except for rounding.
        """
        before_head = self._before_head()
        if before_head is None:
            return self.forward
        head = self.head

        def answer(features: Features) -> tf.Tensor:
            return head(before_head(features), training=False)

        if self.text.long_texts != "windows":
            return self._on_tokens(answer)
        classes = head.output_shape[-1]
        return self._on_tokens(lambda features: pool_over_windows(answer, features, classes))

    @cached_property
    def forward(self) -> Any:
        """A tf.function like `fused`, but on the live network: it uses the weights at each call."""
        return self._on_tokens(partial(self.network, training=False))

    def _on_tokens(self, network: Callable[[Features], tf.Tensor]) -> Any:
        begin_computing()
        text = self.text

        def answer(ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
            return network(text.pack_flat(ids, lengths))

        signature = [tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.int64)]
        return tf.function(answer, input_signature=signature, autograph=False)

    def logits_in_graph(self, fused: Any, texts: tf.Tensor) -> Any:
        """Returns logits as the task's `answers_in_graph` takes them, within a graph.

        Args:
            fused: The graph from `fused`.
            texts: Strings [batch], any bytes.
        """
        text = self.text
        if self.task.needs_offsets:
            found = text.tokens_in_text(texts)
            windows = cut_into_windows(found.lengths, found.continues, text.room)
            ids = tf.reshape(found.ids, [-1, text.ids_per_token])
            ids, lengths = tf.gather(ids, windows.tokens), windows.lengths * text.ids_per_token
            logits = text.own_tokens(fused(tf.reshape(ids, [-1]), lengths), lengths)
            return TokenLogits(tf.gather(logits.flat_values, windows.places), found)
        ids, lengths = text.ids_and_lengths(texts)
        logits = tf.cast(fused(ids, lengths), tf.float32)
        return text.own_tokens(logits, lengths) if self.task.reads == "sequence" else logits

    def owned_by_export(self, fused: Any) -> list[Any]:
        """Returns every object that a SavedModel must own because its graphs use it.

        Args:
            fused: The graph from `fused`.
        """
        outside = self.network
        # A network that writes would be traced again, and its loops take ten seconds.
        if fused is not self.forward or self.task.reads == "target":
            outside = list(fused.get_concrete_function().variables)
        elif self.encoder is None:  # Keras traces each layer of a network that it is given
            outside = list(self.network.variables)
        return [self.text, outside]

    def fused_features(self) -> Any:
        """Returns a graph that computes the head's input, float32 [batch, hidden], from features.

        For a task that reads a sequence its output is float32 [batch, seq, hidden].
        """
        before_head = self._before_head()
        if before_head is None:
            part = keras.Model(self.network.input, self.network.get_layer(FEATURES).output)
            before_head = partial(part, training=False)
        signature = {
            name: tf.TensorSpec(tensor.shape, tensor.dtype)
            for name, tensor in self.network.input.items()
        }
        graph = tf.function(before_head, input_signature=[signature], autograph=False)
        # Calling the tf.function itself warns about retracing in processes with many models.
        return graph.get_concrete_function()

    def _before_head(self) -> Any:
        fuse = self.entry.fuse
        return fuse(self.network, self.task, self.options) if fuse else None

    def look_inside(self) -> Inside:
        """Returns access to the network's attention and embeddings.

        It computes in float32. Under another policy of Keras it is a copy of the network.

        Raises:
            OptionError: The model is of no kind that can be explained.
        """
        if self.entry.look_inside is None:
            raise OptionError(
                f"{self.name} has no attention to show: explain a transformer, an lstm, an "
                "rnn_attention or a BERT"
            )
        begin_computing()
        network = self.network
        if network.compute_dtype != "float32":
            with precision_policy("float32"):
                network = self.entry.build_network(self.text, self.task, self.options)
            network.set_weights(self.network.get_weights())
        return self.entry.look_inside(network, self.task, self.options)

    # Training

    def train_encoder(self, trainable: bool) -> None:
        """Makes the pre-trained part trainable, or freezes it.

        Layers that the options freeze always stay frozen. Call it before compiling.
        """
        if self.encoder is not None:
            self.encoder.trainable = trainable
            self.options.freeze_layers_of(self.encoder)

    def encoder_fingerprint(self) -> str:
        """Returns the SHA-256, in hex, of everything that turns token ids into features."""
        described = [self.options.describe_features(self.encoder), self.text.fingerprint()]
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for name, variable in sorted(self.named_weights().items()):
            if name.startswith("encoder/"):
                value = np.ascontiguousarray(variable.numpy())
                digest.update(f"\0{name} {value.dtype} {value.shape}\0".encode())
                digest.update(value.tobytes())
        return digest.hexdigest()

    # Weights and files

    def named_weights(self) -> dict[str, Any]:
        """Returns the network's variables under names that stay the same when it is rebuilt.

        An encoder's weights have BERT's own names, so a module and the same module reopened
        share them. A module's variables that are not weights (do_lower_case) are skipped.
        """
        encoder = [] if self.encoder is None else self.encoder.weights
        named = {}
        for index, variable in enumerate(encoder):
            if variable.dtype.is_floating:
                own = canonical_name(variable.name) or f"{index:04d} {variable.name}"
                named[f"encoder/{own}"] = variable
        inside = {id(variable) for variable in encoder}
        rest = [variable for variable in self.network.weights if id(variable) not in inside]
        # Version 0.1.0 named both tables of TokenAndPositionEmbedding alike.
        names = (re.sub("/(token|pos)_emb/", "/", variable.name) for variable in rest)
        return named | {f"{n:04d} {name}": rest[n] for n, name in enumerate(names)}

    def save_weights(self, path: Path) -> None:
        """Writes the network's weights to a safetensors file, whole or not at all."""
        weights = {name: np.asarray(one.numpy()) for name, one in self.named_weights().items()}
        write_whole(path, safetensors.numpy.save(weights))

    def load_weights(self, path: Path) -> None:
        """Reads weights that `save_weights` wrote.

        Raises:
            RunError: The file is missing or damaged, or belongs to another network.
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

    def save(self, folder: str | Path) -> None:
        """Writes everything that `load_classifier` needs into a new folder.

        Raises:
            RunError: The folder is not empty.
            StorageError: The folder cannot be written.
        """
        with whole_directory(folder) as target:
            (target / "text").mkdir()
            self.text.save_files(target / "text")
            self.save_weights(target / WEIGHTS_FILE)
            description = {
                "model": self.name,
                "options": dataclasses.asdict(self.options),  # type: ignore[call-overload]
                "task": self.task.to_json(),
                **({"pair": list(self.pair)} if self.pair else {}),
                "decision": dataclasses.asdict(self.decision),
                "sha256": sha256_of_files(target),
            }
            write_whole(target / DESCRIPTION_FILE, json.dumps(description, indent=2) + "\n")
