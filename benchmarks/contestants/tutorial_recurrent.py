"""`lstm` and `rnn_attention` as a tutorial trains them: every text padded to 256 words.

The networks and the sizes are ours, of Keras' layers. Rows come in any order, in batches of 128.
"""

from __future__ import annotations

import protocol
import tensorflow as tf
from tutorial_transformer import PACKAGES, TutorialTransformer

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers import AdditiveAttention
from kerasnlp_lab.zoo import find_model


class TutorialRecurrent(TutorialTransformer):
    """Trains and predicts."""

    def start(  # type: ignore[override]  # it needs to know the model
        self, seed: int, label_names: list[str], vocabulary: list[str], model: str
    ) -> None:
        """Makes a new model."""
        keras.utils.set_random_seed(seed)
        options = find_model(model).options
        pools = model == "rnn_attention"
        cell = keras.layers.GRU if pools else keras.layers.LSTM
        vectorization = keras.layers.TextVectorization(
            max_tokens=options.vocab_size, output_sequence_length=256, input_shape=(1,)
        )
        self.model = keras.models.Sequential(
            [
                vectorization,
                keras.layers.Embedding(options.vocab_size, options.embed_dim, mask_zero=True),
                keras.layers.Dropout(options.dropout),
                keras.layers.Bidirectional(cell(options.units, return_sequences=pools)),
                *([AdditiveAttention(options.units)] if pools else []),
                keras.layers.Dropout(options.dropout),
                keras.layers.Dense(len(label_names), activation="softmax"),
            ]
        )
        vectorization.adapt(tf.data.Dataset.from_tensor_slices(vocabulary).batch(128))
        self.model.compile(
            loss="sparse_categorical_crossentropy", metrics=["acc"], optimizer="adam"
        )


if __name__ == "__main__":
    protocol.serve(TutorialRecurrent(), PACKAGES)
