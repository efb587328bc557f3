"""BERT classifiers: options, network and zoo entries for MiniLM, TF Hub and local folders."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert import HubVectorizer, load_hub_layer, reopen
from kerasnlp_lab.bert.encoder import canonical_name, layer_of
from kerasnlp_lab.bert.fast_encoder import FastBertEncoder
from kerasnlp_lab.bert.loading import module_sha256
from kerasnlp_lab.bert.reopening import PRECISIONS, freeze_layers
from kerasnlp_lab.bert.vectorizer import SHAPE_TYPES
from kerasnlp_lab.errors import OptionError, check_option
from kerasnlp_lab.hub import HubModules, hub_modules, minilm_modules
from kerasnlp_lab.hub.catalogue import HubEncoder
from kerasnlp_lab.hub.local import local_modules
from kerasnlp_lab.layers import MaskedAveragePooling1D
from kerasnlp_lab.machine import best_precision, has_gpu
from kerasnlp_lab.tasks import HeadOptions, Task
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.features import Features
from kerasnlp_lab.zoo.card import ModelCard, Recipe
from kerasnlp_lab.zoo.entry import ZooEntry
from kerasnlp_lab.zoo.inside import Inside
from kerasnlp_lab.zoo.network import with_head
from kerasnlp_lab.zoo.options import LengthOptions

__all__ = ["MINILM", "bert_in_folder", "bert_on_tfhub"]


@dataclass(frozen=True)
class HubBertOptions(LengthOptions):
    """The options of a classifier on a BERT.

    Args:
        max_length: The longest text, or window, in word pieces, [CLS] and [SEP] included. See
            `LengthOptions` for long_texts and windows_in_training.
        pooling: "mean", the masked mean of sequence_output; "unit_mean", the same divided by its
            length; or "pooled_output".
        dropout: The dropout rate before the last layer.
        head_units: The size of a hidden layer with ReLU in the head; 0 for none.
        encoder: "reopened" puts the module's weights into the Model Garden's BertEncoder.
            "module" runs TF Hub's own graph. Both give the same outputs and load each other's
            weights. The options below, and an exact resume, need "reopened".
        layers: The number of the encoder's lowest layers to keep; 0 for all.
        frozen_layers: The number of lowest layers that are not trained, nor the embeddings
            below them; 0 trains everything.
        precision: The precision of the encoder's computation: "float32", "mixed_bfloat16", or
            "auto", which chooses bfloat16 if the machine has hardware for it.
        encoder_dropout: The dropout rate within the encoder; a module has its own rate.
        word_shapes: For entities, whether the encoder learns whether a word is capitalized, in
            capitals or mixed, which a BERT in lower case does not see. Needs "reopened".

    Raises:
        OptionError: A value is invalid.
    """

    changeable: ClassVar[tuple[str, ...]] = LengthOptions.changeable + (
        "encoder",
        "encoder_dropout",
        "frozen_layers",
        "precision",
    )
    added_since: ClassVar[Mapping[str, Any]] = {**LengthOptions.added_since, "word_shapes": False}
    has_encoder: ClassVar[bool] = True

    max_length: int = 128
    pooling: str = "mean"
    dropout: float = 0.1
    head_units: int = 0
    encoder: str = "reopened"
    layers: int = 0
    frozen_layers: int = 0
    precision: str = "auto"
    encoder_dropout: float = 0.1
    word_shapes: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        fits = self.pooling in ("mean", "unit_mean", "pooled_output")
        check_option("pooling", self.pooling, fits, "'mean', 'unit_mean' or 'pooled_output'")
        fits = 3 <= self.max_length <= 512
        check_option("max_length", self.max_length, fits, "from 3 to the encoder's 512 positions")
        check_option("dropout", self.dropout, 0 <= self.dropout < 1, "from 0 to below 1")
        check_option("head_units", self.head_units, self.head_units >= 0, "0 or more")
        fits = self.encoder in ("module", "reopened")
        check_option("encoder", self.encoder, fits, "'module' or 'reopened'")
        check_option("layers", self.layers, self.layers >= 0, "0 or more")
        check_option("frozen_layers", self.frozen_layers, self.frozen_layers >= 0, "0 or more")
        fits = self.precision in ("auto", *PRECISIONS)
        check_option("precision", self.precision, fits, f"auto or one of {PRECISIONS}")
        fits = 0 <= self.encoder_dropout < 1
        check_option("encoder_dropout", self.encoder_dropout, fits, "from 0 to below 1")
        if self.encoder == "module":
            for name in ("layers", "frozen_layers", "encoder_dropout"):
                value, plain = getattr(self, name), getattr(HubBertOptions, name)
                check_option(name, value, value == plain, f"{plain!r} unless encoder=reopened")
            fits = self.precision in ("auto", "float32")
            check_option("precision", self.precision, fits, "'float32' unless encoder=reopened")

    @property
    def head(self) -> HeadOptions:
        return HeadOptions(self.head_units, self.dropout)

    @property
    def encoder_precision(self) -> str | None:
        return self.precision

    @property
    def reads_shapes(self) -> bool:
        """Whether the encoder has a type for each shape of a word, if the task is entities."""
        return self.word_shapes and self.encoder == "reopened"

    @property
    def resumes_exactly(self) -> bool:
        """False for ``encoder="module"``, because TF Hub's own graph draws its dropout."""
        return self.encoder != "module"

    def on_this_machine(self) -> HubBertOptions:
        if self.precision != "auto":
            return self
        precision = "float32" if self.encoder == "module" else best_precision()
        return dataclasses.replace(self, precision=precision)

    def when_loaded(self, saved: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Does the same, and falls back to float32 on a machine without bfloat16."""
        options = super().when_loaded(saved, changes)
        if "precision" not in changes and best_precision() == "float32":
            options["precision"] = "float32"
        if changes.get("encoder") == "module":
            options |= {"precision": "float32", "frozen_layers": 0, "encoder_dropout": 0.1}
        return options

    def to_explain(self) -> dict[str, Any]:
        return {"encoder": "reopened"}

    def freeze_layers_of(self, encoder: keras.layers.Layer) -> None:
        freeze_layers(encoder, self.frozen_layers)

    def describe_features(self, encoder: keras.layers.Layer) -> dict[str, Any]:
        names = ("encoder", "layers", "pooling", "precision")
        described = {name: getattr(self, name) for name in names}
        # The weights alone do not determine the activation function.
        reopened = getattr(encoder, "bert_config", None)
        if reopened is not None:
            return {**described, "activation": reopened.activation}
        return {**described, "module": module_sha256(encoder)}


def _bert_entry(
    card: ModelCard,
    recipe: Recipe,
    options: HubBertOptions,
    modules: Callable[[], HubModules],
) -> ZooEntry:
    """Returns the entry of a BERT classifier; `modules` is called only when files are needed."""

    def build_text(options: HubBertOptions) -> HubVectorizer:
        shapes = options.reads_shapes
        return HubVectorizer(modules().preprocess, options.max_length, reads_shapes=shapes)

    def build_network(text: TextVectorizer, task: Task, options: HubBertOptions) -> keras.Model:
        inputs = text.inputs()
        encoder = _build_encoder(modules().encoder, task, options)
        _check_sizes(encoder, options, text.pairs)
        features = _head_input(encoder(inputs), inputs, task, options)
        return with_head("bert_classifier", inputs, features, task, options.head)

    return ZooEntry(
        card,
        recipe,
        options,
        build_text,
        build_network,
        task_recipes={
            "multi_label": dataclasses.replace(recipe, epochs=3),  # rare labels are learned late
            # An epoch with a frozen encoder takes long, as features of tokens are not cached.
            "entities": dataclasses.replace(
                recipe, epochs=3, frozen_epochs=0, learning_rate=2 * recipe.learning_rate
            ),
        },
        fuse=_fuse,
        look_inside=_look_inside,
        prepare=modules,
    )


def _head_input(
    outputs: Mapping[str, Any], inputs: Mapping[str, Any], task: Task, options: HubBertOptions
) -> Any:
    """Returns the head's input: [batch, hidden], or [batch, seq, hidden] for a sequence task."""
    if task.reads == "sequence":
        return outputs["sequence_output"]
    if options.pooling == "pooled_output":
        return outputs["pooled_output"]
    mean = MaskedAveragePooling1D(dtype="float32")(
        outputs["sequence_output"], mask=inputs["input_mask"]
    )
    if options.pooling == "mean":
        return mean
    return keras.layers.UnitNormalization(dtype="float32", name="unit_length")(mean)


def _fuse(
    network: keras.Model, task: Task, options: HubBertOptions
) -> Callable[[Features], tf.Tensor] | None:
    encoder = network.get_layer("encoder")
    if not isinstance(encoder, FastBertEncoder):
        return None
    encode = encoder.with_constants()
    return lambda inputs: tf.cast(_head_input(encode(inputs), inputs, task, options), tf.float32)


def _look_inside(network: keras.Model, task: Task, options: HubBertOptions) -> Inside:
    encoder = network.get_layer("encoder")
    bert = getattr(encoder, "bert", encoder)
    fits = hasattr(bert, "bert_config")
    check_option("encoder", options.encoder, fits, "'reopened' to look inside")
    exact, head = FastBertEncoder(bert), network.get_layer("head")

    def run(features: Features, words: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        outputs, attention = exact.with_attention(features, words)
        pooled = _head_input(outputs, features, task, options)
        return head(pooled, training=False), attention

    return Inside("input_word_ids", exact.embed_words, run, neutral="[MASK]")


def _check_sizes(encoder: keras.layers.Layer, options: HubBertOptions, pairs: bool) -> None:
    named = {canonical_name(weight.name): weight for weight in encoder.weights}
    positions = named.get("embeddings.position_embeddings.weight")
    if positions is not None:
        most = positions.shape[0]
        fits = options.max_length <= most
        expected = f"from 3 to the encoder's {most} positions"
        check_option("max_length", options.max_length, fits, expected)
    types = named.get("embeddings.token_type_embeddings.weight")
    if pairs and types is not None and types.shape[0] < 2:
        raise OptionError(
            "this BERT was pre-trained on single texts and has one type of tokens only, but a pair "
            "of texts needs two; choose another BERT"
        )
    layers = max((layer_of(weight.name) or 0 for weight in encoder.weights), default=0)
    fits = not options.frozen_layers or options.frozen_layers <= layers
    expected = f"from 0 to the encoder's {layers} layers"
    check_option("frozen_layers", options.frozen_layers, fits, expected)


def _build_encoder(module: str, task: Task, options: HubBertOptions) -> keras.layers.Layer:
    if options.encoder == "module":
        return load_hub_layer(module, trainable=True, name="encoder")
    encoder = reopen(
        module,
        layers=options.layers or None,
        precision=options.precision,
        dropout=options.encoder_dropout,
        types=SHAPE_TYPES if task.needs_offsets and options.reads_shapes else 0,
        name="encoder",
    )
    freeze_layers(encoder, options.frozen_layers)
    if has_gpu():  # FastBertEncoder's fused operations are for CPUs
        return encoder
    return FastBertEncoder(
        encoder,
        precision=options.precision,
        pooled_only=task.reads == "pooled" and options.pooling == "pooled_output",
        mixed_lengths=not task.similar_lengths,
        name="encoder",
    )


MINILM = _bert_entry(
    ModelCard(
        name="minilm_l6_h384",
        summary="all-MiniLM-L6-v2: BERT of 6 layers, hidden size 384, fine-tuned",
        source="sentence-transformers/all-MiniLM-L6-v2, fetched from a package index; "
        "https://arxiv.org/abs/2002.10957",
        parameters="22,714,756",
        licence="Apache-2.0",
        good_for="the best accuracy on two cores, from a few hundred rows up; no TF Hub needed",
    ),
    Recipe(epochs=2, frozen_epochs=1, batch_size=32, learning_rate=1e-4, min_steps_per_epoch=30),
    HubBertOptions(),
    minilm_modules,
)


def bert_on_tfhub(encoder: HubEncoder, address: str = "") -> ZooEntry:
    """Returns the entry of a classifier on an encoder of TF Hub's BERT family.

    Args:
        encoder: The encoder.
        address: The handle, if its version differs from the one in the catalogue.
    """
    address = address or encoder.handle
    number = "not known"
    if encoder.parameters:
        number = f"{encoder.parameters + 4 * encoder.hidden_size + 4:,}"
    return _bert_entry(
        ModelCard(
            name=encoder.name if address == encoder.handle else address,
            summary=f"{encoder.architecture} of {encoder.layers} layers, hidden size "
            f"{encoder.hidden_size}, {encoder.casing}, {encoder.languages}; fine-tuned",
            source=f"{address}; {encoder.source}",
            parameters=number,
            licence="Apache-2.0",
            good_for="texts like those it was pre-trained on; 'hub install' fetches it",
        ),
        Recipe(epochs=3, frozen_epochs=1, batch_size=32, learning_rate=3e-5),
        HubBertOptions(
            pooling="pooled_output",
            # Only a standard BERT can be reopened; other architectures run as modules.
            encoder="reopened" if encoder.architecture == "bert" else "module",
        ),
        lambda: hub_modules(address),
    )


def bert_in_folder(folder: Path) -> ZooEntry:
    """Returns the entry of a classifier on a BERT in a local folder, perhaps a pre-training's."""
    saved = _fine_tune_settings(folder)
    return _bert_entry(
        ModelCard(
            name=str(folder.resolve()),
            summary=f"the BERT in {folder}, fine-tuned",
            source=str(folder.resolve()),
            parameters="see its config",
            licence="see its publisher",
            good_for="a BERT of your own, or one that TF Hub does not have",
        ),
        Recipe(**saved.get("recipe", {"epochs": 3, "frozen_epochs": 1, "learning_rate": 3e-5})),
        HubBertOptions(pooling=saved.get("pooling", "pooled_output")),
        lambda: local_modules(folder),
    )


def _fine_tune_settings(folder: Path) -> dict[str, Any]:
    """Returns the settings that a pre-training chose for its result; none for another folder."""
    try:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content.get("fine_tune", {}) if isinstance(content, dict) else {}
