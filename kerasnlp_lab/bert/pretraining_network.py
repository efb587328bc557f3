"""`pretraining_network`: a BERT with its two output layers, to pre-train or to fill masks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.checkpoint import BertCheckpoint
from kerasnlp_lab.bert.config import WORDS
from kerasnlp_lab.bert.encoder import canonical_name, encoder_with, named_tensors
from kerasnlp_lab.bert.fast_encoder import FastBertEncoder
from kerasnlp_lab.bert.masked_word_head import MaskedWordHead
from kerasnlp_lab.bert.new_weights import with_heads
from kerasnlp_lab.bert.reopening import PRECISIONS
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.machine import has_gpu

__all__ = ["PretrainingNetwork", "pretraining_network"]


@dataclass(frozen=True, eq=False)
class PretrainingNetwork:
    """A BERT with output layers, as a Keras model that can be trained.

    Args:
        network: From input_word_ids, input_mask and input_type_ids, int32 [batch, seq], and
            masked_positions, int32 [hidden positions] (each is ``row * seq + place``), to
            masked_words, float32 logits [hidden positions, vocab], and next_sentence, float32
            logits [batch, 2] (0 if B follows A, 1 if not), unless it was left out. Values at
            padding matter nowhere.
        encoder: The BertEncoder that holds the encoder's weights.
        source: The checkpoint that it was made from, without the encoder's tensors.
    """

    network: keras.Model
    encoder: keras.Model
    source: BertCheckpoint

    def named_weights(self) -> dict[str, tf.Variable]:
        """Returns all variables, by the names of Hugging Face's BertForPreTraining.

        Their shapes are Keras': dense kernels are [inputs, outputs], and heads are apart.
        """
        named = {f"bert.{canonical_name(one.name)}": one for one in self.encoder.variables}
        return named | _head_variables(self.network)

    def checkpoint(self) -> BertCheckpoint:
        """Returns the current weights as a checkpoint in memory.

        An output layer that the network does not have is the one of the source, if there is one.
        """
        heads = {
            name: _transposed_if_matrix(np.asarray(variable.numpy()))
            for name, variable in _head_variables(self.network).items()
        }
        return dataclasses.replace(
            self.source,
            tensors=named_tensors(self.encoder.variables),
            heads={**self.source.heads, **heads},
        )


def pretraining_network(
    checkpoint: BertCheckpoint,
    *,
    next_sentence: bool = True,
    precision: str = "float32",
    dropout: float = 0.1,
    seed: int = 0,
) -> PretrainingNetwork:
    """Puts a BERT's weights into a network that predicts hidden pieces, and the next sentence.

    Only the positions that are asked for go through the output layer. On a CPU the encoder is a
    `FastBertEncoder`, which does not compute padding, on a GPU the Model Garden's.

    Args:
        checkpoint: The weights. Output layers that it lacks are new: truncated normal, bias 0.
        next_sentence: Whether there is an output for the next sentence. Without one the pooler
            is not trained.
        precision: What to compute in: "float32" or "mixed_bfloat16". Weights stay float32.
        dropout: The rate within the encoder while training.
        seed: Which new weights.

    Raises:
        HubError: The checkpoint has a part of an output layer.
        OptionError: The precision or the dropout is invalid.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805.
    """
    check_option("dropout", dropout, 0 <= dropout < 1, "from 0 to below 1")
    check_option("precision", precision, precision in PRECISIONS, f"one of {PRECISIONS}")
    wanted = ["masked words", "next sentence"] if next_sentence else ["masked words"]
    checkpoint = with_heads(checkpoint, wanted, seed)
    config = checkpoint.config
    bert = encoder_with(
        config, checkpoint.tensors, precision=precision, dropout=dropout, name="encoder"
    )
    bert.get_layer("pooler_transform").trainable = next_sentence
    names = ("input_word_ids", "input_mask", "input_type_ids")
    inputs = {name: keras.Input((None,), dtype=tf.int32, name=name) for name in names}
    positions = keras.Input((), dtype=tf.int32, name="masked_positions")
    if has_gpu():  # FastBertEncoder's operations are for CPUs
        encoded = bert(inputs)
        every = tf.reshape(encoded["sequence_output"], [-1, config.hidden_size])
        vectors = tf.gather(every, positions)
    else:
        encode = FastBertEncoder(bert, precision=precision, name="encoder")
        encoded = encode({**inputs, "output_positions": positions})
        vectors = encoded["position_output"]
    table = next(one for one in bert.variables if canonical_name(one.name) == WORDS)
    head = MaskedWordHead(config, lambda: table, precision=precision, name="masked_words")
    outputs = {"masked_words": head(vectors)}
    if next_sentence:
        pooled = tf.cast(encoded["pooled_output"], tf.float32)
        outputs["next_sentence"] = keras.layers.Dense(2, name="next_sentence")(pooled)
    network = keras.Model({**inputs, "masked_positions": positions}, outputs, name="pretraining")
    for name, variable in _head_variables(network).items():
        variable.assign(_transposed_if_matrix(checkpoint.heads[name]))
    return PretrainingNetwork(network, bert, dataclasses.replace(checkpoint, tensors={}))


def _head_variables(network: keras.Model) -> dict[str, tf.Variable]:
    """Returns the variables of the output layers, by Hugging Face's names."""
    head = network.get_layer("masked_words")
    named = {
        "cls.predictions.transform.dense.weight": head.dense.kernel,
        "cls.predictions.transform.dense.bias": head.dense.bias,
        "cls.predictions.transform.LayerNorm.weight": head.layer_norm.gamma,
        "cls.predictions.transform.LayerNorm.bias": head.layer_norm.beta,
        "cls.predictions.bias": head.bias,
    }
    if "next_sentence" in network.output:
        layer = network.get_layer("next_sentence")
        named |= {
            "cls.seq_relationship.weight": layer.kernel,
            "cls.seq_relationship.bias": layer.bias,
        }
    return named


def _transposed_if_matrix(value: np.ndarray) -> np.ndarray:
    """Turns a dense layer's kernel from [inputs, outputs] into [outputs, inputs], or back."""
    return value.T if value.ndim == 2 else value
