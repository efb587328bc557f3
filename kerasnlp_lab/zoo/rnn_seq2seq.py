"""`rnn_seq2seq`: an encoder-decoder of GRUs with additive attention, for texts in, texts out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import check_option
from kerasnlp_lab.tasks import Generation, HeadOptions, Task
from kerasnlp_lab.tasks.generation import TARGET_IDS
from kerasnlp_lab.text import CharacterVectorizer, TextVectorizer, WordVectorizer
from kerasnlp_lab.zoo.card import ModelCard, Recipe
from kerasnlp_lab.zoo.encoder_decoder import EncoderDecoder
from kerasnlp_lab.zoo.entry import ZooEntry
from kerasnlp_lab.zoo.options import ModelOptions

__all__ = ["RNN_SEQ2SEQ"]

TOKENS = ("characters", "words")


@dataclass(frozen=True)
class Seq2SeqOptions(ModelOptions):
    """The network's sizes, and how it searches for a text.

    Args:
        max_length: The longest source text in tokens; of a longer one, the head is read.
        tokens: One of `TOKENS`: what is read of a source text. "characters" are kept exactly.
            "words" are in lower case and without punctuation. Targets are always characters.
        vocab_size: The largest number of token ids, padding and [UNK] included.
        embed_dim: The size of the embeddings of tokens and of symbols.
        units: The size of the decoder's state, and of the encoder's in each direction.
        dropout: The dropout rate of embeddings and head.
        beam_size: The number of texts that beam search keeps; 1 is greedy search.
        max_output_length: The most characters of a text to write; 0 for half as many again as the
            longest training target has.

    Raises:
        OptionError: A value is out of range.
    """

    changeable: ClassVar[tuple[str, ...]] = (
        *ModelOptions.changeable,
        "beam_size",
        "max_output_length",
    )

    max_length: int = 256
    tokens: str = "characters"
    vocab_size: int = 20000
    embed_dim: int = 64
    units: int = 128
    dropout: float = 0.1
    beam_size: int = 4
    max_output_length: int = 0

    def __post_init__(self) -> None:
        for name in ("max_length", "embed_dim", "units", "beam_size"):
            value = getattr(self, name)
            check_option(name, value, value >= 1, "1 or more")
        check_option("tokens", self.tokens, self.tokens in TOKENS, f"one of {', '.join(TOKENS)}")
        check_option("vocab_size", self.vocab_size, self.vocab_size >= 3, "3 or more")
        check_option("dropout", self.dropout, 0 <= self.dropout < 1, "from 0 to below 1")
        most = self.max_output_length
        check_option("max_output_length", most, most >= 0, "1 or more, or 0")

    @property
    def head(self) -> HeadOptions:
        return HeadOptions(dropout=self.dropout)

    def check_task(self, task: Task | type[Task], pairs: bool = False) -> None:
        longest = task.longest_target if isinstance(task, Generation) else 0
        most = self.max_output_length
        expected = f"{longest} or more, the length of the longest training target, or left out"
        check_option("max_output_length", most, most == 0 or most >= longest, expected)

    def most_characters(self, task: Generation) -> int:
        """Returns the most characters to write."""
        return self.max_output_length or task.longest_target + (task.longest_target + 1) // 2


def _build_text(options: Seq2SeqOptions) -> TextVectorizer:
    kind = WordVectorizer if options.tokens == "words" else CharacterVectorizer
    return kind(options.max_length, options.vocab_size)


def _build_network(text: TextVectorizer, task: Generation, options: Seq2SeqOptions) -> keras.Model:
    head = task.head(3 * options.units + options.embed_dim, options.head)
    network = EncoderDecoder(
        vocab_size=len(text.vocabulary()),
        symbols=head.output_shape[-1],
        embed_dim=options.embed_dim,
        units=options.units,
        dropout=options.dropout,
        most=options.most_characters(task) + 1,
        beam_size=options.beam_size,
        head=head,
        name="rnn_seq2seq",
    )
    ids = keras.Input((None,), dtype=tf.int32, name=TARGET_IDS)
    network({**text.inputs(), TARGET_IDS: ids})  # makes the weights
    return network


RNN_SEQ2SEQ = ZooEntry(
    card=ModelCard(
        name="rnn_seq2seq",
        summary="an encoder-decoder of GRUs with additive attention: a text in, a text out",
        source="Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473",
        parameters="418,190 on dates",
        licence="Apache-2.0",
        good_for="--task generation: rewriting short texts; seeing an alignment",
    ),
    recipe=Recipe(epochs=7, batch_size=64, learning_rate=2e-3, patience=4, min_steps_per_epoch=250),
    options=Seq2SeqOptions(),
    build_text=_build_text,
    build_network=_build_network,
    tasks=(Generation.name,),
)
