"""`fill_masks`: the likeliest pieces for each [MASK] in texts."""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from kerasnlp_lab.bert.checkpoint import BertCheckpoint, is_checkpoint, read_checkpoint
from kerasnlp_lab.bert.config import head_shapes
from kerasnlp_lab.bert.preprocessing import bert_tokenizer
from kerasnlp_lab.bert.pretraining_network import PretrainingNetwork, pretraining_network
from kerasnlp_lab.bert.vocabulary import tokenizer_files
from kerasnlp_lab.errors import DataError, HubError, RunError, check_option
from kerasnlp_lab.paths import did_you_mean_path, our_command, user_path, write_whole
from kerasnlp_lab.text.raw_texts import in_batches, replace_surrogates

__all__ = ["FilledMask", "FilledText", "Guess", "fill_masks", "has_mask", "read_pretrained"]

ROWS, MASKS = 32, 256  # that go through the network together
MASK = re.compile(r"\[mask\]", re.IGNORECASE)
EXAMPLE = "write [MASK] where a word is missing, as in 'oil [MASK] below 45 dollars'"


class Guess(NamedTuple):
    """A piece for a [MASK], which continues the word before it if it begins with ##."""

    piece: str
    probability: float


@dataclass(frozen=True)
class FilledMask:
    """A [MASK] from the character `start` to before `end`, and its guesses, likeliest first."""

    start: int
    end: int
    guesses: tuple[Guess, ...]


@dataclass(frozen=True)
class FilledText:
    """A text with its masks.

    Args:
        text: The text; U+FFFD replaces invalid UTF-8.
        pieces: How many pieces it has, masks included.
        read: How many of them the model read for each mask: all, or as many around the mask as
            it has positions for.
        masks: In their order in the text.
    """

    text: str
    pieces: int
    read: int
    masks: tuple[FilledMask, ...]


def read_pretrained(folder: str | Path) -> BertCheckpoint:
    """Reads a BERT that can fill masks: from a run of 'pretrain', or a folder with its files.

    Raises:
        HubError: There is none, or it has no output layer for pieces.
        RunError: It is another kind of run, or nothing at all.
    """
    folder = user_path(folder)
    if not folder.is_dir():
        raise RunError(
            f"there is no folder {folder}{did_you_mean_path(folder)}: expected a run of "
            "'kerasnlp-lab pretrain', or a folder with a BERT and its output layer for pieces"
        )
    if is_checkpoint(folder / "checkpoint"):
        folder /= "checkpoint"
    has_weights = any((folder / name).exists() for name in _WEIGHTS)
    if not (has_weights and is_checkpoint(folder)):
        raise RunError(
            f"{folder} holds no BERT that fills masks: expected a finished run of 'kerasnlp-lab "
            "pretrain', or config.json, model.safetensors and vocab.txt of a BERT with its output "
            "layer for pieces"
        )
    checkpoint = read_checkpoint(folder)
    if not checkpoint.heads.keys() & head_shapes(checkpoint.config)["masked words"].keys():
        command = our_command("pretrain", "TEXTS", "--from", folder, "--output", "runs/mybert")
        raise HubError(
            f"the BERT in {folder} has no output layer for pieces (cls.predictions.*), so that it "
            f"cannot fill masks: take the publisher's files for masked language modelling, or "
            f"teach it with '{command}'"
        )
    return checkpoint


_WEIGHTS = ("model.safetensors", "bert_model.ckpt.index", "pytorch_model.bin")


def has_mask(text: str | bytes) -> bool:
    """Returns whether a text has a [MASK]."""
    return MASK.search(_as_string(text)) is not None


def fill_masks(
    model: BertCheckpoint | PretrainingNetwork,
    texts: Iterable[str | bytes],
    *,
    top: int = 5,
    batch_size: int = 32,
    tokenize: Callable[[tf.Tensor], tf.RaggedTensor] | None = None,
) -> Iterator[FilledText]:
    """Yields each text with the likeliest pieces for its masks, [MASK] in the text.

    A text longer than the model's positions is read in windows, each around a mask. Probabilities
    are over the whole vocabulary, each mask by itself.

    Args:
        model: With an output layer for pieces.
        texts: Read as they are needed. Invalid UTF-8 is replaced with U+FFFD.
        top: How many pieces for each mask, or all if the vocabulary has fewer.
        batch_size: How many texts to read before the first is filled.
        tokenize: From strings, [batch], to ids, [batch, (pieces)]; None to split texts by the
            vocabulary, as Hugging Face's tokenizers do.

    Raises:
        DataError: A text has no [MASK].
        HubError: The vocabulary has no [MASK].
        OptionError: `top` is below 1.
    """
    check_option("top", top, top >= 1, "1 or more")
    if isinstance(model, BertCheckpoint):
        model = pretraining_network(model, next_sentence=False, dropout=0.0)
    filler = _MaskFiller(model, top, tokenize)
    batches = in_batches(map(_as_string, texts), batch_size)
    return itertools.chain.from_iterable(map(filler.fill, batches))


class _Window(NamedTuple):
    """A part of a text that is a row of a batch: ids, and where in them the masks are."""

    ids: list[int]
    masks: list[int]


class _MaskFiller:
    def __init__(self, model: PretrainingNetwork, top: int, tokenize: Any):
        source = model.source
        self._pieces = source.vocabulary
        self._top = min(top, len(self._pieces))
        self._room = source.config.max_position_embeddings - 2
        if "[MASK]" not in self._pieces:
            raise HubError("the vocabulary has no [MASK]: this BERT was not made to fill masks")
        self._cls, self._sep, self._mask = map(self._pieces.index, ("[CLS]", "[SEP]", "[MASK]"))
        self._tokenize = tokenize or _tokenizer_of(source)
        self._network = model.network
        self._answer = tf.function(self._likeliest, reduce_retracing=True)

    def fill(self, texts: Sequence[str]) -> Iterator[FilledText]:
        """Yields the filled texts of a batch."""
        for text in texts:
            if not MASK.search(text):
                raise DataError(f"the text {text[:60]!r} has no [MASK]: {EXAMPLE}")
        parts = [MASK.split(text) for text in texts]
        flat = tf.constant([part for one in parts for part in one])
        pieces = iter(self._tokenize(flat).to_list())
        joined = [self._join([next(pieces) for _ in one]) for one in parts]
        windows = [_windows(ids, places, self._room) for ids, places in joined]
        guesses = self._guesses([window for one in windows for window in one])
        for text, (ids, _) in zip(texts, joined, strict=True):
            masks = tuple(FilledMask(*found.span(), next(guesses)) for found in MASK.finditer(text))
            yield FilledText(text, len(ids), min(len(ids), self._room), masks)

    def _join(self, parts: list[list[int]]) -> tuple[list[int], list[int]]:
        """Returns the ids of a text, its masks between its parts, and where the masks are."""
        ids, places = list(parts[0]), []
        for part in parts[1:]:
            places.append(len(ids))
            ids += [self._mask, *part]
        return ids, places

    def _guesses(self, windows: Sequence[_Window]) -> Iterator[tuple[Guess, ...]]:
        """Yields the guesses for each mask, in order."""
        batch: list[_Window] = []
        for number, window in enumerate(windows, start=1):
            batch.append(window)
            masks = sum(len(one.masks) for one in batch)
            if len(batch) == ROWS or masks >= MASKS or number == len(windows):
                probabilities, ids = self._answer(self._features(batch))
                for row, chosen in zip(probabilities.numpy(), ids.numpy(), strict=True):
                    pieces = (self._pieces[index] for index in chosen)
                    yield tuple(map(Guess, pieces, row.tolist()))
                batch = []

    def _features(self, batch: Sequence[_Window]) -> dict[str, tf.Tensor]:
        rows = [[self._cls, *window.ids, self._sep] for window in batch]
        lengths = np.array([len(row) for row in rows])
        ids = np.zeros((len(rows), lengths.max()), np.int32)
        for row, values in zip(ids, rows, strict=True):
            row[: len(values)] = values
        mask = np.arange(ids.shape[1]) < lengths[:, np.newaxis]
        positions = [
            number * ids.shape[1] + 1 + place
            for number, window in enumerate(batch)
            for place in window.masks
        ]
        return {
            "input_word_ids": tf.constant(ids),
            "input_mask": tf.constant(mask.astype(np.int32)),
            "input_type_ids": tf.zeros_like(ids),
            "masked_positions": tf.constant(positions, tf.int32),
        }

    def _likeliest(self, features: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        logits = self._network(features, training=False)["masked_words"]
        # A table may have more rows than the vocabulary has pieces.
        probabilities = tf.nn.softmax(logits)[:, : len(self._pieces)]
        best = tf.math.top_k(probabilities, self._top)
        return best.values, best.indices


def _windows(ids: list[int], places: list[int], room: int) -> list[_Window]:
    """Returns a text as one window if there is room, or else one around each mask."""
    if len(ids) <= room:
        return [_Window(ids, places)]
    starts = [min(max(place - room // 2, 0), len(ids) - room) for place in places]
    return [
        _Window(ids[start : start + room], [place - start])
        for start, place in zip(starts, places, strict=True)
    ]


def _tokenizer_of(checkpoint: BertCheckpoint) -> Callable[[tf.Tensor], tf.RaggedTensor]:
    casing = (checkpoint.do_lower_case, checkpoint.strip_accents)
    with tempfile.TemporaryDirectory() as folder:
        vocab_file = Path(folder, "vocab.txt")
        write_whole(vocab_file, tokenizer_files(checkpoint.vocabulary, *casing)[vocab_file.name])
        split = bert_tokenizer(vocab_file, do_lower_case=casing[0], strip_accents=casing[1])
    return lambda texts: split(texts).merge_dims(1, -1)


def _as_string(text: str | bytes) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else replace_surrogates(text)
