"""`Entities`: the task of finding names in texts, and its answer, `TextEntities`."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import regex
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import Annotation, ShardedSplit, Split, TextDataset
from kerasnlp_lab.data.inputs import as_class_names
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.tasks.decision import fit_temperature
from kerasnlp_lab.tasks.entity_rows import cut_long_rows, notes_on
from kerasnlp_lab.tasks.head import dense_head
from kerasnlp_lab.tasks.tagging import (
    TokenLogits,
    align,
    best_tags,
    entities_of_tags,
    tag_count,
)
from kerasnlp_lab.tasks.task import HeadOptions, Task
from kerasnlp_lab.text import TextVectorizer
from kerasnlp_lab.text.features import Features, TokensInText
from kerasnlp_lab.text.order import evaluation_order, items_of
from kerasnlp_lab.text.pipeline import find_tokens
from kerasnlp_lab.text.raw_texts import replace_invalid_utf8, replace_surrogates
from kerasnlp_lab.text.rows import Rows, RowTargets
from kerasnlp_lab.text.web_words import web_words_of

__all__ = ["Entities", "Entity", "EntityDecision", "TextEntities"]

NO_TARGET = -1  # at padding, special tokens, and tokens that follow their word
INSIDE_WORDS_SHARE = 0.01
DECODED_TEXTS = 64  # in one call, as the longest of them decides how much memory it takes
# Two characters that no tokenizer here divides into two words.
_IN_A_WORD = regex.compile(r"[^\s\p{P}\p{Han}$+<=>^`|~]{2}")


@dataclass(frozen=True)
class Entity:
    """An entity in a text.

    Args:
        start: The offset of its first character, a code point counted from 0.
        end: The offset after its last character.
        label: Its type.
        text: Its characters.
        score: The calibrated probability that it is right.
    """

    start: int
    end: int
    label: str
    text: str
    score: float


@dataclass(frozen=True)
class TextEntities:
    """The entities that were found in one text.

    Args:
        text: The text, with U+FFFD in place of invalid UTF-8.
        entities: The entities, in order.
    """

    text: str
    entities: tuple[Entity, ...]

    def as_json(self) -> dict[str, Any]:
        """Returns the text, and a list with start, end, label, text and score of each entity."""
        return {"text": self.text, "entities": [vars(entity) for entity in self.entities]}

    def as_line(self) -> str:
        """Returns the entities with their labels and scores, or "-"."""
        found = [f"{one.label}: {one.text} {one.score:.3f}" for one in self.entities]
        return " ".join("; ".join(found).split()) or "-"


@dataclass(frozen=True)
class EntityDecision:
    """How scores are calibrated.

    Args:
        temperature: The divisor of the logits. It changes scores, and no tag.
    """

    temperature: float = 1.0


@dataclass(frozen=True)
class Entities(Task):
    """The task of finding entities, such as names, and their types in a text.

    Each token has a tag. See `kerasnlp_lab.tasks.tagging`.

    Args:
        label_names: The types of entities.
        inside_words: Whether entities can begin and end inside words. `for_data` allows it if
            more than 1% of the training entities do.
        web_words: Whether handles, hashtags and addresses, such as "@ada", "#oslo" and
            "http://a.org/", are words. `for_data` makes them words if entities begin or end
            within at most 1% of those in the training texts.
    """

    name: ClassVar[str] = "entities"
    reads: ClassVar[Literal["pooled", "sequence"]] = "sequence"
    annotation: ClassVar[Annotation] = "spans"
    needs_offsets: ClassVar[bool] = True
    similar_lengths: ClassVar[bool] = False
    best_epoch_by: ClassVar[Literal["loss", "accuracy"]] = "accuracy"
    decision_type: ClassVar[type] = EntityDecision

    label_names: tuple[str, ...]
    inside_words: bool = False
    web_words: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "label_names", as_class_names(self.label_names))

    @classmethod
    def for_data(cls, data: TextDataset) -> Entities:
        """Returns the task for a dataset.

        Raises:
            OptionError: Its texts have labels, and no entities.
        """
        train = data.train
        if isinstance(train, ShardedSplit) or train.spans is None:
            raise OptionError(
                f"{data.name} has a label for each text, and the task entities needs the places "
                "of entities: leave out --task, or give files with entities"
            )
        inside: list[bool] = []
        in_web_word: list[bool] = []  # for each web word, whether an entity begins or ends within
        for text, spans in zip(train.texts, train.spans, strict=True):
            ends = [at for span in spans for at in span[:2]]
            inside += [
                any(_IN_A_WORD.fullmatch(text[max(at - 1, 0) : at + 1]) for at in span[:2])
                for span in spans
            ]
            in_web_word += [any(a < at < b for at in ends) for a, b in web_words_of(text)]
        fewest = min(len(inside), len(in_web_word))
        return cls(
            data.label_names,
            sum(inside) > INSIDE_WORDS_SHARE * len(inside),
            bool(in_web_word) and sum(in_web_word) <= INSIDE_WORDS_SHARE * fewest,
        )

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Entities:
        web_words = saved.get("web_words", False)  # added later
        return cls(tuple(saved["label_names"]), saved["inside_words"], web_words)

    def to_json(self) -> dict[str, Any]:
        own = {"inside_words": self.inside_words, "web_words": self.web_words}
        return super().to_json() | own

    # Training

    def rows_to_train_on(self, text: TextVectorizer, data: TextDataset) -> TextDataset:
        """Returns the dataset with texts no longer than the model's window."""
        parts: dict[str, Any] = {}
        notes: list[str] = []
        for part, name in (("train", "training"), ("validation", "validation")):
            split = getattr(data, part)
            found = find_tokens(text, _valid(split.texts))
            aligned = self._align(found, split)
            parts[part], cuts = cut_long_rows(split, name, found, aligned.tags, text.room)
            notes += [*notes_on(split, name, aligned), *cuts]
        return dataclasses.replace(data, notes=(*data.notes, *notes), **parts)

    def _align(self, found: TokensInText, split: Split) -> Any:
        spans: Sequence[tuple[Span, ...]] = split.spans or ()
        return align(found, split.texts, spans, self.label_names, self._follows(found))

    def _follows(self, tokens: TokensInText) -> Any:
        """Returns which tokens have the tag of the token before, whatever they are, [tokens]."""
        follows = tokens.continues | (tokens.in_web_word & self.web_words)
        return follows & (not self.inside_words)

    def targets(self, text: TextVectorizer, split: Split) -> RowTargets:
        """Returns a lookup of the tags of rows, ragged int32 [batch, (tokens)]."""
        found = find_tokens(text, _valid(split.texts))
        tags = np.where(self._follows(found), NO_TARGET, self._align(found, split).tags)
        every = tf.RaggedTensor.from_row_lengths(tags, found.lengths)[:, : text.room]
        return lambda rows: tf.gather(every, rows)

    def batch(
        self, text: TextVectorizer, rows: Rows, seed: int, step: tf.Tensor
    ) -> tuple[Features, tf.Tensor]:
        features = text.pack_flat(rows.ids, rows.lengths)
        return features, text.at_own_tokens(rows.targets, features, NO_TARGET)

    def head(self, width: int, options: HeadOptions) -> keras.Model:
        return dense_head((None, width), tag_count(len(self.label_names)), options)

    def losses(self, logits: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        places = tf.where(targets != NO_TARGET)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            tf.gather_nd(targets, places), tf.gather_nd(logits, places)
        )  # [tokens]
        return tf.reduce_sum(losses), tf.cast(tf.size(losses), tf.float32)

    def tally(self, logits: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Returns twice the right tags other than O, and all found and all true ones: their F1."""
        places = tf.where(targets != NO_TARGET)
        gold = tf.gather_nd(targets, places)
        tags = tf.argmax(tf.gather_nd(logits, places), axis=-1, output_type=tf.int32)
        right = tf.math.count_nonzero((tags == gold) & (gold > 0), dtype=tf.float32)
        found, true = (tf.math.count_nonzero(one, dtype=tf.float32) for one in (tags, gold))
        return tf.stack([2 * right, found + true])

    # Answers

    def choose_decision(
        self,
        logits: TokenLogits,
        validation: Split,
        train: Split | ShardedSplit,
        *,
        threshold: str = "auto",
        positive_class: str | None = None,
    ) -> EntityDecision:
        """Chooses the temperature that calibrates the tags of words that are found in entities."""
        within = (self._best_tags(logits) > 0) & ~self._follows(logits.tokens)
        gold = self._align(logits.tokens, validation).tags[within]
        if not len(gold):
            return EntityDecision()
        smoothing = 1 / (len(gold) + 1)  # a few tags that are all right do not prove more
        return EntityDecision(fit_temperature(logits.values[within], gold, smoothing)[0])

    def answers(
        self, logits: TokenLogits, decision: EntityDecision, texts: Sequence[str]
    ) -> list[TextEntities]:
        """Returns the entities of each text, from the logits of all."""
        given = self._outputs(self._best_tags(logits), logits, decision, _valid(texts))
        return self.read_answers({name: one.numpy() for name, one in given.items()}, texts)

    def _best_tags(self, logits: TokenLogits) -> np.ndarray:
        """Returns the best tags of all tokens, int32 [tokens], for logits as NumPy arrays."""
        values, lengths = logits.values, logits.tokens.lengths
        follows = self._follows(logits.tokens)
        graph = _best_tags_graph(values.shape[-1])
        tags = np.zeros(len(values), np.int32)
        for rows in evaluation_order(lengths, DECODED_TEXTS):
            some = items_of(rows, lengths)
            tags[some] = graph(values[some], lengths[rows], follows[some])
        return tags

    def answers_in_graph(
        self, logits: TokenLogits, decision: EntityDecision, texts: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Returns the outputs of ``serving_default``.

        Offsets count in the text with U+FFFD in place of invalid UTF-8.

        Returns:
            count, int64 [batch]: the number of entities in each text. The others are
            [batch, most], with 0 or "" after a text's own entities: starts and ends, int64, in
            code points; byte_starts and byte_ends, int64; labels, strings; scores, float32.
        """
        values, tokens = logits
        tags = best_tags(values, tokens.lengths, self._follows(tokens))
        return self._outputs(tags, logits, decision, replace_invalid_utf8(texts))

    def _outputs(
        self, tags: tf.Tensor, logits: TokenLogits, decision: EntityDecision, texts: Any
    ) -> dict[str, tf.Tensor]:
        values, tokens = logits
        follows, temperature = self._follows(tokens), decision.temperature
        found = entities_of_tags(tags, values, tokens.lengths, follows, temperature)
        starts, ends = tf.gather(tokens.starts, found.first), tf.gather(tokens.ends, found.last)
        of_entity = tf.gather(texts, found.text)
        flat = {
            "starts": _code_points(of_entity, starts),
            "ends": _code_points(of_entity, ends),
            "byte_starts": starts,
            "byte_ends": ends,
            "labels": tf.gather(tf.constant(self.label_names), found.label),
            "scores": found.score,
        }
        batch = tf.size(tokens.lengths, tf.int64)
        ragged = {
            name: tf.RaggedTensor.from_value_rowids(one, found.text, batch, validate=False)
            for name, one in flat.items()
        }
        outputs = {name: one.to_tensor() for name, one in ragged.items()}
        return outputs | {"count": ragged["starts"].row_lengths()}

    def read_answers(
        self, given: Mapping[str, np.ndarray], texts: Sequence[str]
    ) -> list[TextEntities]:
        columns = (given[name].tolist() for name in ("starts", "ends", "labels", "scores"))
        rows = zip(texts, given["count"].tolist(), *columns, strict=True)
        return [
            TextEntities(
                text,
                tuple(
                    Entity(start, end, label.decode(), text[start:end], score)
                    for start, end, label, score in list(zip(*found, strict=True))[:count]
                ),
            )
            for text, count, *found in rows
        ]


def _valid(texts: Sequence[str]) -> list[bytes]:
    return [replace_surrogates(text).encode() for text in texts]


def _code_points(texts: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """Returns places in texts, [n], as code points, int64 [n], for places in bytes."""
    before = tf.strings.substr(texts, tf.zeros_like(places), places)
    return tf.cast(tf.strings.length(before, "UTF8_CHAR"), tf.int64)


@functools.lru_cache(8)
def _best_tags_graph(tags: int) -> Any:
    signature = [
        tf.TensorSpec([None, tags], tf.float32),
        tf.TensorSpec([None], tf.int64),
        tf.TensorSpec([None], tf.bool),
    ]
    return tf.function(best_tags, input_signature=signature, autograph=False)
