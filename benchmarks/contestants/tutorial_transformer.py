"""The from-scratch Transformer of the tutorial, its code as written there (in tf_keras).

Source: https://keras.io/examples/nlp/text_classification_with_transformer/, with the AG News
of a lesson on Transformers: 256 words, batches of 128, adam, no masks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import protocol
import tensorflow as tf

from kerasnlp_lab._keras import keras

PACKAGES = ["tensorflow", "tf_keras"]


class TokenAndPositionEmbedding(keras.layers.Layer):
    """As in the tutorial."""

    def __init__(self, maxlen: int, vocab_size: int, embed_dim: int):
        super().__init__()
        self.token_emb = keras.layers.Embedding(input_dim=vocab_size, output_dim=embed_dim)
        self.pos_emb = keras.layers.Embedding(input_dim=maxlen, output_dim=embed_dim)
        self.maxlen = maxlen

    def call(self, x: tf.Tensor) -> tf.Tensor:
        positions = self.pos_emb(tf.range(start=0, limit=self.maxlen, delta=1))
        return self.token_emb(x) + positions


class TransformerBlock(keras.layers.Layer):
    """As in the tutorial."""

    def __init__(self, embed_dim: int, num_heads: int, ff_dim: int, rate: float = 0.1):
        super().__init__()
        self.att = keras.layers.MultiHeadAttention(num_heads, key_dim=embed_dim, name="attn")
        self.ffn = keras.Sequential(
            [keras.layers.Dense(ff_dim, activation="relu"), keras.layers.Dense(embed_dim)]
        )
        self.layernorm1 = keras.layers.LayerNormalization(epsilon=1e-6)
        self.layernorm2 = keras.layers.LayerNormalization(epsilon=1e-6)
        self.dropout1 = keras.layers.Dropout(rate)
        self.dropout2 = keras.layers.Dropout(rate)

    def call(self, inputs: tf.Tensor, training: Any = None) -> tf.Tensor:
        attn_output = self.att(inputs, inputs)
        attn_output = self.dropout1(attn_output, training=training)
        out1 = self.layernorm1(inputs + attn_output)
        ffn_output = self.ffn(out1)
        ffn_output = self.dropout2(ffn_output, training=training)
        return self.layernorm2(out1 + ffn_output)


class TutorialTransformer:
    """Trains and predicts."""

    def prepare(self, threads: int) -> None:
        """There is nothing to open."""

    def start(self, seed: int, label_names: list[str], vocabulary: list[str]) -> None:
        """Makes a new model, as the tutorial does."""
        keras.utils.set_random_seed(seed)
        embed_dim, num_heads, ff_dim, maxlen, vocab_size = 32, 2, 32, 256, 20000
        vectorization = keras.layers.TextVectorization(
            max_tokens=vocab_size, output_sequence_length=maxlen, input_shape=(1,)
        )
        self.model = keras.models.Sequential(
            [
                vectorization,
                TokenAndPositionEmbedding(maxlen, vocab_size, embed_dim),
                TransformerBlock(embed_dim, num_heads, ff_dim),
                keras.layers.GlobalAveragePooling1D(),
                keras.layers.Dropout(0.1),
                keras.layers.Dense(20, activation="relu"),
                keras.layers.Dropout(0.1),
                keras.layers.Dense(len(label_names), activation="softmax"),
            ]
        )
        vectorization.adapt(tf.data.Dataset.from_tensor_slices(vocabulary).batch(128))
        self.model.compile(
            loss="sparse_categorical_crossentropy", metrics=["acc"], optimizer="adam"
        )

    def train(self, texts: list[str], labels: list[int], epochs: int = 1) -> None:
        """Fits the model."""
        rows = tf.data.Dataset.from_tensor_slices((texts, labels))
        self.model.fit(rows.batch(128), epochs=epochs, verbose=0)

    def predict(self, texts: list[str]) -> Callable[[], dict[str, Any]]:
        """Finds the classes of texts."""
        batches = tf.data.Dataset.from_tensor_slices(texts).batch(128)
        labels = self.model.predict(batches, verbose=0).argmax(axis=-1)
        return lambda: {"labels": labels.tolist()}


if __name__ == "__main__":
    protocol.serve(TutorialTransformer(), PACKAGES)
