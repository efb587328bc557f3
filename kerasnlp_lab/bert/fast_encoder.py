"""`FastBertEncoder`: a BertEncoder of the Model Garden, computed in fewer and larger operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.encoder import canonical_name
from kerasnlp_lab.bert.real_positions import RealPositions

__all__ = ["FastBertEncoder"]

EPSILON = 1e-12  # of BERT's LayerNorm
MASKED = -1e9  # added to the score of a position that is padding
# The LayerNorm that TensorFlow 2.20's graph rewriter makes of several operations has an epsilon
# of 0.001 whatever theirs was. So in inference all that is normalized is this much larger, which
# is exact in binary, and makes it 1e-9.
ENLARGED = 1024.0
_IN_INFERENCE = {
    f"{part}.{kind}": ENLARGED
    for part in (
        "embeddings.LayerNorm",
        "attention.output.dense",
        "attention.output.LayerNorm",
        "output.dense",
        "output.LayerNorm",
    )
    for kind in ("weight", "bias")
} | {
    f"{part}.weight": 1 / ENLARGED
    for part in ("attention.self", "intermediate.dense", "pooler.dense")
}
_AROUND_GELU = ("intermediate.dense.weight", "intermediate.dense.bias", "output.dense.weight")

Weights = dict[str, tf.Tensor]
Dropout = Callable[[tf.Tensor], tf.Tensor]
Dense = Callable[[Weights, str, tf.Tensor], tf.Tensor]  # or a LayerNorm: what weights do


class FastBertEncoder(keras.layers.Layer):
    """What a BertEncoder computes, from its weights, but for rounding; for a CPU.

    - Queries, keys and values are one matrix product, and so are all positions of a batch.
    - Padding is there only where positions look at each other: see `RealPositions`.
    - In inference each product is written so that TensorFlow's graph rewriter makes one
      operation of it, its bias and its GELU, which stays the exact one if that is the encoder's.
    - In training a LayerNorm and its gradient are one operation each.
    - In mixed precision all between embeddings and output is bfloat16; sums within a product,
      a softmax or a LayerNorm are float32 all the same.

    The encoder's own layers hold the weights, which can be trained, frozen and saved there;
    they are not called.

    Args:
        bert: What `reopen` returned.
        precision: What to compute in: "float32" or "mixed_bfloat16".
        pooled_only: Whether nobody wants the sequence_output, which saves most of the last
            layer.

    Call arguments:
        inputs: input_word_ids, input_mask and input_type_ids, int32 [batch, seq].
        training: Whether dropout is on.

    Returns:
        A dictionary with pooled_output [batch, hidden] and, unless pooled_only,
        sequence_output [batch, seq, hidden], in the compute dtype. What it has at padding
        is not meaningful.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805.
    """

    def __init__(
        self,
        bert: keras.Model,
        *,
        precision: str = "float32",
        pooled_only: bool = False,
        **kwargs: Any,
    ):
        super().__init__(dtype="float32", **kwargs)
        self.bert, self.pooled_only = bert, pooled_only
        self.bert_config = bert.bert_config
        self._computes_in = tf.as_dtype(keras.mixed_precision.Policy(precision).compute_dtype)
        rates = (
            self.bert_config.hidden_dropout_prob,
            self.bert_config.attention_probs_dropout_prob,
        )
        self._hidden_dropout, self._score_dropout = (
            keras.layers.Dropout(rate, dtype=self._computes_in) for rate in rates
        )

    @property
    def layers(self) -> list[keras.layers.Layer]:
        """The encoder's layers, as a Keras model has them: see `freeze_layers`."""
        return self.bert.layers

    def call(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> Any:
        if not training:
            return self._encode(self._weights(_IN_INFERENCE), inputs)
        exact_gelu = self.bert_config.activation == "gelu"
        return self._encode(
            self._weights(dict.fromkeys(_AROUND_GELU, 0.5**0.5) if exact_gelu else {}),
            inputs,
            differentiable=True,
            enlarged=1.0,
            hidden_dropout=partial(self._hidden_dropout, training=training),
            score_dropout=partial(self._score_dropout, training=training),
            gelu=_gelu_of_scaled,
            layer_norm=_layer_norm_with_gradient,
            dense=_dense_with_gradient,
        )

    def with_constants(self) -> Callable[[Mapping[str, tf.Tensor]], Any]:
        """Returns the same in inference, with the weights of now as constants of the graph.

        oneDNN lays out a constant once, and a variable in every call.
        """
        now = self._weights(_IN_INFERENCE)
        # A table of embeddings is large, and is only looked up.
        arrays = {name: one.numpy() for name, one in now.items() if not _is_table(name)}

        def encode(inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            constants = {name: tf.constant(array) for name, array in arrays.items()}
            return self._encode(now | constants, inputs)

        return encode

    def embed_words(self, word_ids: tf.Tensor) -> tf.Tensor:
        """Returns the word embeddings alone, float32 [batch, seq, hidden], of [batch, seq]."""
        return tf.gather(self._named()["embeddings.word_embeddings.weight"], word_ids)

    def with_attention(
        self, inputs: Mapping[str, tf.Tensor], words: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
        """Returns the outputs in inference, and every layer's attention.

        Args:
            inputs: As those of a call.
            words: What takes the place of the word embeddings, float32 [batch, seq, hidden].

        Returns:
            The outputs of a call; and of each layer, [batch, heads, seq (from), seq (to)].
        """
        attention: list[tf.Tensor] = []

        def keep(scores: tf.Tensor) -> tf.Tensor:
            attention.append(scores)
            return scores

        weights = self._weights(_IN_INFERENCE)
        outputs = self._encode(
            weights, inputs, differentiable=True, score_dropout=keep, words=words
        )
        return outputs, attention

    def _named(self) -> dict[str, tf.Variable]:
        return {str(canonical_name(one.name)): one for one in self.bert.variables}

    def _weights(self, factors: Mapping[str, float]) -> Weights:
        """Returns the weights in the compute dtype and in the shapes of 2-D products.

        Embeddings are left as they are: only the few rows that a batch looks up are cast.
        Queries have the scale of the scores.

        Args:
            factors: What some are multiplied by, by name; within a layer, by the name there.
        """
        named, weights = self._named(), {}
        config = self.bert_config
        for name, one in named.items():
            if _is_table(name):
                weights[name] = tf.convert_to_tensor(one)
            elif "attention.self" not in name:
                shape = [-1, one.shape[-1]] if name.endswith("weight") else [-1]
                shape = [-1] if "LayerNorm" in name else shape
                exact = _scaled(tf.reshape(one, shape), factors, name)
                weights[name] = tf.cast(exact, self._computes_in)
        hidden = config.hidden_size
        of_scores = (hidden // config.num_attention_heads) ** -0.5
        for layer in range(config.num_hidden_layers):
            part = f"encoder.layer.{layer}.attention.self"
            for kind, shape in (("weight", [hidden, hidden]), ("bias", [hidden])):
                query, key, value = (
                    tf.reshape(named[f"{part}.{which}.{kind}"], shape)
                    for which in ("query", "key", "value")
                )
                joined = tf.concat([query * of_scores, key, value], axis=-1)
                exact = _scaled(joined, factors, f"{part}.{kind}")
                weights[f"{part}.{kind}"] = tf.cast(exact, self._computes_in)
        return weights

    def _encode(
        self,
        weights: Weights,
        inputs: Mapping[str, tf.Tensor],
        *,
        differentiable: bool = False,
        enlarged: float = ENLARGED,
        hidden_dropout: Dropout = tf.identity,
        score_dropout: Dropout = tf.identity,
        gelu: Callable[[tf.Tensor], tf.Tensor] = tf.nn.gelu,
        layer_norm: Dense | None = None,
        dense: Dense | None = None,
        words: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        config = self.bert_config
        layer_norm, dense = layer_norm or _layer_norm, dense or _dense
        positions = RealPositions(inputs["input_mask"], differentiable=differentiable)
        x = self._embed(weights, inputs, positions, words, enlarged)
        x = hidden_dropout(layer_norm(weights, "embeddings.LayerNorm", x))  # [rows, hidden]
        mask = tf.cast(inputs["input_mask"][:, tf.newaxis, tf.newaxis, :], self._computes_in)
        masked = (1 - mask) * tf.constant(MASKED, self._computes_in)  # [batch, 1, 1, seq]
        activation = {"gelu": gelu, "gelu_tanh": _gelu_tanh, "relu": tf.nn.relu}[config.activation]
        for layer in range(config.num_hidden_layers):
            last = self.pooled_only and layer == config.num_hidden_layers - 1
            own = _part(weights, f"encoder.layer.{layer}.")
            joined = dense(own, "attention.self", x)  # [rows, 3 * hidden]
            heads = self._attend(joined, positions, masked, score_dropout, first_only=last)
            if last:
                x = positions.first(x)  # [batch, hidden]
            attended = hidden_dropout(dense(own, "attention.output.dense", heads))
            x = layer_norm(own, "attention.output.LayerNorm", attended + x)
            inner = activation(dense(own, "intermediate.dense", x))  # [rows, intermediate]
            outer = hidden_dropout(dense(own, "output.dense", inner))
            x = layer_norm(own, "output.LayerNorm", outer + x)
        outputs = {}
        if not self.pooled_only:
            outputs["sequence_output"] = positions.spread(x) / enlarged
            x = positions.first(x)
        return {"pooled_output": tf.tanh(dense(weights, "pooler.dense", x)), **outputs}

    def _embed(
        self,
        weights: Weights,
        inputs: Mapping[str, tf.Tensor],
        positions: RealPositions,
        words: tf.Tensor | None,
        enlarged: float,
    ) -> tf.Tensor:
        """Returns the sum of the three embeddings, so much larger, [rows, hidden]."""
        own = _part(weights, "embeddings.")
        if words is None:
            word_ids = positions.of(inputs["input_word_ids"])
            embedded = tf.gather(own["word_embeddings.weight"], word_ids)
        else:
            embedded = positions.gather(words)
        embedded += tf.gather(own["position_embeddings.weight"], positions.position)
        type_ids = positions.of(inputs["input_type_ids"])
        embedded += tf.gather(own["token_type_embeddings.weight"], type_ids)
        # A shape that the graph rewriter knows too, for the LayerNorm.
        rows = tf.reshape(embedded * enlarged, [-1, self.bert_config.hidden_size])
        return tf.cast(rows, self._computes_in)

    def _attend(
        self,
        joined: tf.Tensor,
        positions: RealPositions,
        masked: tf.Tensor,
        score_dropout: Dropout,
        *,
        first_only: bool,
    ) -> tf.Tensor:
        """Returns what the heads gather, side by side: [rows, hidden] or [batch, hidden]."""
        count = self.bert_config.num_attention_heads
        size = self.bert_config.hidden_size // count
        query, key, value = positions.split_heads(joined, count, size)
        if first_only:
            query = query[:, :, :1]
        scores = tf.matmul(query, key, transpose_b=True) + masked  # [batch, heads, from, to]
        gathered = tf.matmul(score_dropout(tf.nn.softmax(scores)), value)
        if first_only:
            return tf.reshape(gathered, [-1, count * size])
        return positions.join_heads(gathered)


def _is_table(name: str) -> bool:
    return name.startswith("embeddings.") and "LayerNorm" not in name


def _scaled(weight: tf.Tensor, factors: Mapping[str, float], name: str) -> tf.Tensor:
    within_layer = name.split(".", 3)[-1]
    factor = factors.get(name, factors.get(within_layer))
    return weight if factor is None else weight * factor


def _part(weights: Weights, prefix: str) -> Weights:
    return {n.removeprefix(prefix): one for n, one in weights.items() if n.startswith(prefix)}


def _dense(weights: Weights, name: str, x: tf.Tensor) -> tf.Tensor:
    return tf.nn.bias_add(tf.matmul(x, weights[f"{name}.weight"]), weights[f"{name}.bias"])


def _dense_with_gradient(weights: Weights, name: str, x: tf.Tensor) -> tf.Tensor:
    """The same, with a bias' gradient by a product, which is quicker than BiasAddGrad.

    A product in bfloat16 is one of "batches", which the graph rewriter does not join with its
    bias: oneDNN has no AMX kernel for the two in one where the weights are a variable.
    """

    @tf.custom_gradient
    def dense(
        x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]]:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            of_x = tf.matmul(upstream, kernel, transpose_b=True)
            of_kernel = tf.matmul(x, upstream, transpose_a=True)
            ones = tf.ones([1, tf.shape(x)[0]], x.dtype)
            return of_x, of_kernel, tf.matmul(ones, upstream)[0]

        return tf.nn.bias_add(_product(x, kernel), bias), gradient

    return dense(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _product(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    if x.dtype == tf.float32:
        return tf.matmul(x, kernel)
    return tf.raw_ops.BatchMatMulV2(x=x, y=kernel)


def _layer_norm(weights: Weights, name: str, x: tf.Tensor) -> tf.Tensor:
    """Normalizes each row of [rows, hidden], which is ENLARGED.

    Written so that the graph rewriter makes one operation of it where the weights are constants.
    """
    mean, variance = tf.nn.moments(x, [1], keepdims=True)
    offset, scale = weights[f"{name}.bias"], weights[f"{name}.weight"]
    return tf.nn.batch_normalization(x, mean, variance, offset, scale, EPSILON * ENLARGED**2)


def _layer_norm_with_gradient(weights: Weights, name: str, x: tf.Tensor) -> tf.Tensor:
    """The same, with one operation for its gradient.

    For training alone: in inference a graph may be run by several threads at once, and
    oneDNN's kernel of this operation in TensorFlow 2.20 then corrupts memory.
    """
    rows, hidden = tf.shape(x)[0], x.shape[-1]
    normal = tf.raw_ops.FusedBatchNormV3(
        x=tf.reshape(x, tf.stack([1, rows, hidden, 1])),  # a channel a row
        scale=tf.fill([rows], 1.0),
        offset=tf.fill([rows], 0.0),
        mean=tf.constant([], tf.float32),
        variance=tf.constant([], tf.float32),
        epsilon=EPSILON,
        data_format="NCHW",
        is_training=True,
    )[0]
    back = tf.reshape(normal, [-1, hidden])
    return back * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _gelu_tanh(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.gelu(x, approximate=True)


@tf.custom_gradient
def _gelu_of_scaled(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """The exact GELU of x * sqrt(2), times sqrt(2): two passes over [rows, intermediate] fewer.

    Its gradient has fewer passes than TensorFlow's own as well.
    """
    doubled = 1 + tf.math.erf(x)  # twice the share of a normal variable that is below

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        slope = tf.exp(tf.constant(np.log(2 * np.pi**-0.5), x.dtype) - x * x)  # erf's
        return upstream * (doubled + x * slope)

    return x * doubled, gradient
