"""`FastBertEncoder`: the forward pass of a BERT, computed in few and large operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.encoder import cannot_rebuild, canonical_name
from kerasnlp_lab.bert.inference_operations import InferenceOperations
from kerasnlp_lab.bert.operations import Operations
from kerasnlp_lab.bert.real_positions import RealPositions
from kerasnlp_lab.bert.training_operations import TrainingOperations

__all__ = ["FastBertEncoder"]

Inputs = Mapping[str, tf.Tensor]
MASKED = -1e9  # added to a score to keep padding from being attended to


class FastBertEncoder(keras.layers.Layer):
    """Computes what the Model Garden's BertEncoder computes, from its weights, faster on a CPU.

    The results are the same but for rounding. `_forward` is the model; what makes it fast is
    kept apart from it:

    - Only real positions are computed. Padding exists only within attention: see `RealPositions`.
    - Queries, keys and values are one matrix product, and so are all positions of a batch.
    - In inference each product is fused with its bias and its GELU: see `InferenceOperations`.
    - In training, gradients take fewer passes over memory: see `TrainingOperations`.
    - In mixed precision everything between embeddings and output is bfloat16. The sums within a
      product, a softmax or a LayerNorm are float32 all the same.

    The encoder's own layers hold the weights, which are trained, frozen and saved there. Nothing
    calls those layers.

    Args:
        bert: What `reopen` returned.
        precision: What to compute in: "float32" or "mixed_bfloat16".
        pooled_only: Whether to leave out sequence_output, which saves most of the last layer.
        mixed_lengths: Whether a training batch has texts of any lengths. Attention then pads its
            longer and its shorter half apart.

    Call arguments:
        inputs: input_word_ids, input_mask and input_type_ids, int32 [batch, seq]; and perhaps
            output_positions, int32 [positions], each ``row * seq + place``.
        training: Whether dropout is on.

    Returns:
        A dictionary with pooled_output [batch, hidden] and, unless pooled_only,
        sequence_output [batch, seq, hidden], in the compute dtype. Its values at padding
        are not meaningful. With output_positions there is position_output [positions, hidden]
        in its place, which saves most of the last layer, too.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805.
    """

    def __init__(
        self,
        bert: keras.Model,
        *,
        precision: str = "float32",
        pooled_only: bool = False,
        mixed_lengths: bool = False,
        **kwargs: Any,
    ):
        super().__init__(dtype="float32", **kwargs)
        self.bert, self.pooled_only = bert, pooled_only
        self._mixed_lengths = mixed_lengths and not pooled_only
        self.bert_config = bert.bert_config
        self._layers_dtype = tf.as_dtype(keras.mixed_precision.Policy(precision).compute_dtype)
        config = self.bert_config
        self._hidden_dropout, self._attention_dropout = (
            keras.layers.Dropout(rate, dtype=self._layers_dtype)
            for rate in (config.hidden_dropout_prob, config.attention_probs_dropout_prob)
        )

    get_config = cannot_rebuild

    @property
    def layers(self) -> list[keras.layers.Layer]:
        """The encoder's layers, as a Keras model has them: see `freeze_layers`."""
        return self.bert.layers

    def call(self, inputs: Inputs, training: bool | None = None) -> dict[str, tf.Tensor]:
        kind = TrainingOperations if training else InferenceOperations
        return self._forward(kind(self.bert, self._layers_dtype), inputs, training=bool(training))

    def with_constants(self) -> Callable[[Inputs], dict[str, tf.Tensor]]:
        """Returns the same in inference, the current weights being constants of its graph."""
        do = InferenceOperations(self.bert, self._layers_dtype, constants=True)
        return lambda inputs: self._forward(do, inputs)

    def embed_words(self, word_ids: tf.Tensor) -> tf.Tensor:
        """Returns the word embeddings alone, float32 [batch, seq, hidden], of [batch, seq]."""
        named = {canonical_name(one.name): one for one in self.bert.variables}
        return tf.gather(named["embeddings.word_embeddings.weight"], word_ids)

    def with_attention(
        self, inputs: Inputs, words: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
        """Returns the outputs in inference, and every layer's attention.

        Args:
            inputs: As those of a call.
            words: Replaces the word embeddings, float32 [batch, seq, hidden].

        Returns:
            The outputs of a call; and of each layer, [batch, heads, seq (from), seq (to)].
        """
        attention: list[tf.Tensor] = []
        do = InferenceOperations(self.bert, self._layers_dtype, differentiable=True)
        return self._forward(do, inputs, words=words, attention=attention), attention

    def _forward(
        self,
        do: Operations,
        inputs: Inputs,
        *,
        training: bool = False,
        words: tf.Tensor | None = None,
        attention: list[tf.Tensor] | None = None,
    ) -> dict[str, tf.Tensor]:
        """The forward pass of a BERT. A row is a position that is not padding.

        `do` computes each layer of weights, by its name. `words` replace the word embeddings, and
        `attention` receives each layer's: see `with_attention`.
        """
        halves = training and self._mixed_lengths
        positions = RealPositions(
            inputs["input_mask"], differentiable=do.differentiable, halves=halves
        )
        asked = inputs.get("output_positions")
        masked = [_masked(mask, do.dtype) for mask in positions.masks]

        # Embeddings: the sum of a word's, its position's and its segment's, normalized.
        x = do.enter(_embed(do, inputs, positions, words))
        x = do.layer_norm("embeddings.LayerNorm", x)  # [rows, hidden]
        x = self._hidden_dropout(x, training=training)

        for number in range(self.bert_config.num_hidden_layers):
            layer = f"encoder.layer.{number}"
            is_last = number == self.bert_config.num_hidden_layers - 1
            first_only = self.pooled_only and is_last  # the pooler reads no other position

            # Self-attention: each position gathers values from all positions of its text.
            joined = do.dense(f"{layer}.attention.self", x)  # [rows, 3 * hidden]
            values = []
            for group, padding in zip(
                positions.split_heads(joined, *self._heads()), masked, strict=True
            ):
                query, key, value = group
                if first_only:
                    query = query[:, :, :1]
                # (The weights of the queries hold the scale of the scores: see `Operations`.)
                scores = tf.matmul(query, key, transpose_b=True) + padding
                shares = tf.nn.softmax(scores)  # [batch, heads, from, to]
                if attention is not None:
                    attention.append(shares)
                shares = self._attention_dropout(shares, training=training)
                values.append(tf.matmul(shares, value))  # [batch, heads, from, size]
            if first_only:
                gathered = tf.reshape(values[0], [-1, self.bert_config.hidden_size])
                x = positions.first(x)  # [batch, hidden]: from here on, a row is a text
            else:
                gathered = positions.join_heads(values)  # [rows, hidden]
            if asked is not None and is_last:
                rows = positions.rows_of_firsts_and(asked)
                gathered, x = tf.gather(gathered, rows), tf.gather(x, rows)
            attended = do.dense(f"{layer}.attention.output.dense", gathered)

            # Add and normalize.
            attended = self._hidden_dropout(attended, training=training)
            x = do.layer_norm(f"{layer}.attention.output.LayerNorm", attended + x)

            # Feed-forward: each position by itself.
            inner = do.activation(do.dense(f"{layer}.intermediate.dense", x))
            outer = do.dense(f"{layer}.output.dense", inner)

            # Add and normalize.
            outer = self._hidden_dropout(outer, training=training)
            x = do.layer_norm(f"{layer}.output.LayerNorm", outer + x)

        outputs = {}
        if asked is not None:
            batch = tf.shape(inputs["input_mask"])[0]
            outputs["position_output"] = do.leave(x[batch:])
            x = x[:batch]
        elif not self.pooled_only:
            outputs["sequence_output"] = do.leave(positions.spread(x))
            x = positions.first(x)
        # Pooler: a dense layer on each text's first position, [CLS].
        return {"pooled_output": tf.tanh(do.dense("pooler.dense", x)), **outputs}

    def _heads(self) -> tuple[int, int]:
        """Returns how many attention heads a layer has, and the size of each."""
        count = self.bert_config.num_attention_heads
        return count, self.bert_config.hidden_size // count


def _masked(mask: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Returns what is added to the scores of padding, [batch, 1, 1, seq], from [batch, seq]."""
    real = tf.cast(mask[:, tf.newaxis, tf.newaxis, :], dtype)
    return (1 - real) * tf.constant(MASKED, dtype)


def _embed(
    do: Operations, inputs: Inputs, positions: RealPositions, words: tf.Tensor | None
) -> tf.Tensor:
    """Returns the sum of the three embeddings, float32 [rows, hidden]."""
    if words is None:
        x = tf.gather(do.table("word_embeddings"), positions.select(inputs["input_word_ids"]))
    else:
        x = positions.gather(words)
    x += tf.gather(do.table("position_embeddings"), positions.position)
    x += tf.gather(do.table("token_type_embeddings"), positions.select(inputs["input_type_ids"]))
    return x
