"""`EncoderDecoder`: a network that reads a text and writes another, with additive attention."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.layers import AdditiveAttention
from kerasnlp_lab.tasks.generation import END, NEVER_WRITTEN, PADDING, TARGET_IDS
from kerasnlp_lab.text.features import Features

__all__ = ["EncoderDecoder"]

NEVER = -1e9  # the log probability of a symbol that cannot be written


class Memory(NamedTuple):
    """The source texts as the decoder sees them.

    Args:
        states: The encoder's states, float32 [batch, seq, 2 * units], 0 at padding.
        keys: The states as the attention compares them, float32 [batch, seq, units].
        mask: Where a token is real, bool [batch, seq].
    """

    states: tf.Tensor
    keys: tf.Tensor
    mask: tf.Tensor

    def repeated(self, times: int) -> Memory:
        """Returns the memory with each text so many times in a row."""
        return Memory(*(tf.repeat(one, times, axis=0) for one in self))


@keras.utils.register_keras_serializable(package="kerasnlp_lab")
class EncoderDecoder(keras.Model):
    """A bidirectional GRU that reads, and a GRU that writes and attends to what was read.

    With the feature ``target_ids`` it computes the logits of each symbol after the symbols before
    it (teacher forcing), float32 [batch, out, symbols]. Without, it writes by beam search, and
    returns the best text's symbols and their log probabilities, float32 [batch, most, 2]. Both are
    as `kerasnlp_lab.tasks.Generation` takes them. A text that ends early is padded with 0.

    The beam keeps the texts with the highest mean log probability of their symbols, so that long
    ones are not at a disadvantage. With a beam of 1 it is greedy search.

    Args:
        vocab_size: The number of token ids.
        symbols: The number of symbol ids.
        embed_dim: The size of the embeddings of tokens and symbols.
        units: The size of the decoder's state, and of the encoder's in each direction.
        dropout: The dropout rate of the embeddings.
        most: The most symbols to write, the end included.
        beam_size: The number of texts that beam search keeps.
        head: Turns the decoder's outputs, float32 [batch, out, 3 * units + embed_dim], into logits.

    Source: Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473.
    """

    def __init__(
        self,
        *,
        vocab_size: int,
        symbols: int,
        embed_dim: int,
        units: int,
        dropout: float,
        most: int,
        beam_size: int,
        head: keras.Model,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.sizes = {
            "vocab_size": vocab_size,
            "symbols": symbols,
            "embed_dim": embed_dim,
            "units": units,
            "dropout": dropout,
            "most": most,
            "beam_size": beam_size,
        }
        self.most, self.beam_size, self.symbols = most, beam_size, symbols
        self.token_embedding = keras.layers.Embedding(vocab_size, embed_dim, name="token_embedding")
        self.symbol_embedding = keras.layers.Embedding(symbols, embed_dim, name="symbol_embedding")
        self.dropout = keras.layers.Dropout(dropout, name="dropout")
        self.reader = keras.layers.Bidirectional(
            keras.layers.GRU(units, return_sequences=True, return_state=True, name="gru"),
            name="reader",
        )
        self.first_state = keras.layers.Dense(units, activation="tanh", name="first_state")
        self.attention = AdditiveAttention(units, name="attention")
        self.writer = keras.layers.GRUCell(units, name="writer")
        self.head = head
        # Not when they are first called, which is within a loop.
        for layer, shape in (
            (self.attention, (None, None, 2 * units)),
            (self.attention.query_projection, (None, None, units)),
            (self.writer, (None, embed_dim + 2 * units)),
        ):
            with tf.name_scope(layer.name):
                layer.build(shape)

    def call(self, inputs: Features, training: Any = None, mask: Any = None) -> tf.Tensor:
        memory, state = self.read(inputs["token_ids"], training)
        if TARGET_IDS not in inputs:
            return self._beam_search(memory, state)
        outputs, _ = self._follow(memory, state, inputs[TARGET_IDS], training)
        return self.head(outputs, training=training)

    def alignment(self, inputs: Features) -> tf.Tensor:
        """Returns how each symbol of a target attends to the source, float32 [batch, out, seq].

        Args:
            inputs: The features, with ``target_ids``.
        """
        memory, state = self.read(inputs["token_ids"], training=False)
        return self._follow(memory, state, inputs[TARGET_IDS], training=False)[1]

    def read(self, token_ids: tf.Tensor, training: Any) -> tuple[Memory, tf.Tensor]:
        """Returns the memory of source texts, and the decoder's first states, [batch, units]."""
        mask = token_ids != 0
        embedded = self.dropout(self.token_embedding(token_ids), training=training)
        states, *last = self.reader(embedded, mask=mask, training=training)
        states = tf.where(mask[:, :, tf.newaxis], states, 0.0)  # [batch, seq, 2 * units]
        memory = Memory(states, self.attention.key_projection(states), mask)
        return memory, self.first_state(tf.concat(last, axis=-1))

    def _follow(
        self, memory: Memory, state: tf.Tensor, target_ids: tf.Tensor, training: Any
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the outputs [batch, out, width] for given symbols, and the attention."""
        embedded = self.dropout(self.symbol_embedding(target_ids), training=training)
        in_time = tf.transpose(embedded, [1, 0, 2])  # [out, batch, embed_dim]
        start = (state, tf.zeros_like(memory.states[:, 0]), tf.zeros_like(memory.keys[:, :, 0]))
        states, contexts, weights = tf.scan(
            lambda before, given: self._step(memory, before[0], given), in_time, start
        )
        outputs = tf.concat([states, contexts, in_time], axis=-1)
        return tf.transpose(outputs, [1, 0, 2]), tf.transpose(weights, [1, 0, 2])

    def _step(
        self, memory: Memory, state: tf.Tensor, embedded: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the state after a symbol, what was attended to, and the attention."""
        context, weights = self.attention.attend(
            memory.states, memory.keys, state, mask=memory.mask, return_attention_scores=True
        )
        state, _ = self.writer(tf.concat([embedded, context], axis=-1), state)
        return state, context, weights

    def _beam_search(self, memory: Memory, state: tf.Tensor) -> tf.Tensor:
        beam, most, symbols = self.beam_size, self.most, self.symbols
        batch = tf.shape(state)[0]
        memory = memory.repeated(beam)
        never = tf.reduce_sum(tf.one_hot(NEVER_WRITTEN, symbols, NEVER, 0.0), axis=0)
        only_padding = tf.one_hot(PADDING, symbols, 0.0, NEVER)

        def flat(x: tf.Tensor) -> tf.Tensor:
            return tf.reshape(x, [batch * beam, *x.shape[2:]])

        def step(number: tf.Tensor, *before: tf.Tensor) -> tuple[tf.Tensor, ...]:
            state, ids, shares, total, length, done = before
            last = tf.where(number > 0, ids[:, :, tf.maximum(number - 1, 0)], PADDING)
            embedded = self.symbol_embedding(flat(last))
            after, context, _ = self._step(memory, flat(state), embedded)
            output = tf.concat([after, context, embedded], axis=-1)[:, tf.newaxis]
            logits = self.head(output, training=False)[:, 0] + never  # [batch * beam, symbols]
            share = tf.reshape(tf.nn.log_softmax(logits), [batch, beam, symbols])
            share = tf.where(done[:, :, tf.newaxis], only_padding, share)
            length += tf.cast(~done, tf.float32)
            mean = (total[:, :, tf.newaxis] + share) / length[:, :, tf.newaxis]
            _, best = tf.math.top_k(tf.reshape(mean, [batch, -1]), beam)
            parent, chosen = best // symbols, best % symbols  # [batch, beam]
            share = tf.gather(tf.reshape(share, [batch, -1]), best, batch_dims=1)
            after = tf.reshape(after, [batch, beam, after.shape[-1]])
            after, ids, shares, total, length, done = (
                tf.gather(one, parent, batch_dims=1)
                for one in (after, ids, shares, total, length, done)
            )
            here = tf.range(most) == number
            ids = tf.where(here, chosen[:, :, tf.newaxis], ids)
            shares = tf.where(here, share[:, :, tf.newaxis], shares)
            done = done | (chosen == END)
            return number + 1, after, ids, shares, total + share, length, done

        # At first all texts are the same, so that one of them is enough.
        total = tf.tile([[0.0, *[NEVER] * (beam - 1)]], [batch, 1])
        nothing = tf.zeros([batch, beam, most])
        states = tf.repeat(state[:, tf.newaxis], beam, axis=1)
        start = (states, tf.cast(nothing, tf.int32), nothing, total, tf.zeros_like(total))
        _, _, ids, shares, *_ = tf.while_loop(
            lambda number, *now: (number < most) & ~tf.reduce_all(now[-1]),
            step,
            (tf.constant(0), *start, tf.zeros_like(total, tf.bool)),
            parallel_iterations=1,
        )
        return tf.stack([tf.cast(ids[:, 0], tf.float32), shares[:, 0]], axis=-1)

    @property
    def output_shape(self) -> tuple[None, int, int]:
        """The shape of what is written."""
        return None, self.most, 2

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            **self.sizes,
            "head": keras.saving.serialize_keras_object(self.head),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> EncoderDecoder:
        head = keras.saving.deserialize_keras_object(config["head"], custom_objects)
        return cls(**{**config, "head": head})
