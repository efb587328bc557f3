"""`Operations`: the layers of a BERT, as an interface behind its forward pass."""

from __future__ import annotations

import abc

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.encoder import canonical_name

__all__ = ["EPSILON", "Operations", "is_table"]

EPSILON = 1e-12  # of BERT's LayerNorm


class Operations(abc.ABC):
    """The layers of a BERT without their order, on the current weights of what `reopen` returned.

    `FastBertEncoder` holds the order. A subclass may compute in any way that gives the same
    numbers, and may store the weights multiplied by a factor of its own. Layers compute in `dtype`,
    tf.float32 or tf.bfloat16; `differentiable` says whether gradients are asked for.

    Names of layers are those of Hugging Face's BertModel ("encoder.layer.0.output.dense"), and
    "encoder.layer.0.attention.self" is queries, keys and values in one product.
    """

    def __init__(self, bert: keras.Model, dtype: tf.DType, *, differentiable: bool):
        self.config, self.dtype, self.differentiable = bert.bert_config, dtype, differentiable
        self._weights = self._prepare(
            {str(canonical_name(one.name)): one for one in bert.variables}
        )

    def table(self, name: str) -> tf.Tensor:
        """Returns an embedding table, "word_embeddings" say, float32 [ids, hidden]."""
        return self._weights[f"embeddings.{name}.weight"]

    @abc.abstractmethod
    def enter(self, embeddings: tf.Tensor) -> tf.Tensor:
        """Takes embeddings, float32 [rows, hidden], into what the layers compute in."""

    @abc.abstractmethod
    def leave(self, x: tf.Tensor) -> tf.Tensor:
        """Takes the last layer's output, [batch, seq, hidden], out of it again."""

    @abc.abstractmethod
    def dense(self, name: str, x: tf.Tensor) -> tf.Tensor:
        """Computes ``x @ weight + bias``, from [rows, inputs] to [rows, outputs]."""

    @abc.abstractmethod
    def layer_norm(self, name: str, x: tf.Tensor) -> tf.Tensor:
        """Normalizes each row of [rows, hidden]."""

    def activation(self, x: tf.Tensor) -> tf.Tensor:
        """Computes the encoder's GELU or ReLU, [rows, intermediate]."""
        if self.config.activation == "relu":
            return tf.nn.relu(x)
        return tf.nn.gelu(x, approximate=self.config.activation == "gelu_tanh")

    def factor(self, name: str) -> float:
        """Returns what the weight of a name is multiplied by before it is used."""
        return 1.0

    def _prepare(self, variables: dict[str, tf.Variable]) -> dict[str, tf.Tensor]:
        """Returns the weights in the compute dtype and in the shapes of 2-D products.

        Embedding tables stay float32: only the few rows that a batch looks up are cast.
        """
        weights = {}
        for name, variable in variables.items():
            if is_table(name):
                weights[name] = tf.convert_to_tensor(variable)
            elif "attention.self" not in name:
                is_matrix = name.endswith("weight") and "LayerNorm" not in name
                shape = [-1, variable.shape[-1]] if is_matrix else [-1]
                weights[name] = self._multiply_and_cast(name, tf.reshape(variable, shape))
        for layer in range(self.config.num_hidden_layers):
            for kind in ("weight", "bias"):
                name = f"encoder.layer.{layer}.attention.self.{kind}"
                weights[name] = self._multiply_and_cast(name, self._join(variables, layer, kind))
        return weights

    def _join(self, variables: dict[str, tf.Variable], layer: int, kind: str) -> tf.Tensor:
        """Returns queries', keys' and values' weights side by side, [(hidden,) 3 * hidden].

        Attention divides its scores by the square root of a head's size; the query's weights are
        divided instead, once for all rows.
        """
        hidden = self.config.hidden_size
        shape = [hidden, hidden] if kind == "weight" else [hidden]
        query, key, value = (
            tf.reshape(variables[f"encoder.layer.{layer}.attention.self.{part}.{kind}"], shape)
            for part in ("query", "key", "value")
        )
        head_size = hidden // self.config.num_attention_heads
        return tf.concat([query * head_size**-0.5, key, value], axis=-1)

    def _multiply_and_cast(self, name: str, weight: tf.Tensor) -> tf.Tensor:
        factor = self.factor(name)
        return tf.cast(weight if factor == 1.0 else weight * factor, self.dtype)


def is_table(name: str) -> bool:
    """Returns whether the weight of a name is an embedding table."""
    return name.startswith("embeddings.") and "LayerNorm" not in name
