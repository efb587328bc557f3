"""Learns a WordPiece vocabulary from texts, with the `tokenizers` library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_text

from kerasnlp_lab._internals import build_fast_wordpiece_model
from kerasnlp_lab.data.inputs import iter_texts
from kerasnlp_lab.text.raw_texts import in_batches, replace_invalid_utf8

__all__ = ["SPECIAL_TOKENS", "count_words", "learn_pieces", "on_cpu", "wordpiece_tokenizer"]

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""The tokens that a BERT needs, in the order of their ids."""

BATCH = 1024  # texts
LONGEST_WORD = 100  # characters; longer ones are mostly addresses and encoded files
LONGEST_PIECE = 256  # bytes; tensorflow_text accepts no longer one
LONGEST_LINE = 1000  # words


def wordpiece_tokenizer(
    pieces: Sequence[str | bytes], max_bytes_per_word: int
) -> tensorflow_text.FastWordpieceTokenizer:
    """Returns the operation that splits texts at spaces and punctuation, and words into pieces.

    Args:
        pieces: The vocabulary in the order of the ids. "[UNK]" is one of the pieces.
        max_bytes_per_word: A longer word is [UNK].

    Raises:
        RuntimeError: tensorflow_text cannot use the vocabulary.

    Source: Song et al., "Fast WordPiece Tokenization", https://arxiv.org/abs/2012.15524.
    """
    model = build_fast_wordpiece_model(
        list(pieces), max_bytes_per_word, "##", "[UNK]", False, False
    )
    return tensorflow_text.FastWordpieceTokenizer(
        token_out_type=tf.int32, model_buffer=on_cpu(model)
    )


def on_cpu(model: bytes) -> tf.Tensor:
    """Returns an operation's model on its own device, so that it is not copied for each batch."""
    with tf.device("CPU:0"):
        return tf.constant(np.frombuffer(model, np.uint8))


def count_words(
    texts: Iterable[str | bytes], normalize: Callable[[tf.Tensor], tf.Tensor]
) -> Counter[str]:
    """Counts the words of texts, which are read once, from first to last.

    Args:
        texts: The texts; they may not fit in memory. The distinct words have to.
        normalize: Takes strings in valid UTF-8, [batch], and returns strings of the same shape
            in which only spaces, tabs and line ends separate words.
    """
    counts: Counter[bytes] = Counter()
    for batch in in_batches(iter_texts(texts), BATCH):
        for text in normalize(replace_invalid_utf8(tf.constant(batch, tf.string))).numpy():
            # Of bytes, which Python splits at ASCII's white space alone.
            counts.update(text.split())
    return Counter({word.decode(): count for word, count in counts.items()})


def learn_pieces(
    words: Mapping[str, int],
    size: int,
    special_tokens: Sequence[str] = SPECIAL_TOKENS,
    *,
    min_count: int = 2,
    min_character_count: int = 1,
) -> list[str]:
    """Learns a WordPiece vocabulary. The same counts always give the same vocabulary.

    Every character that is frequent enough becomes a piece at the start of a word, and within
    words if it occurs there. The most frequent ones come first if not all fit.

    Args:
        words: The number of times that each word occurs, as `count_words` returns it.
        size: The largest number of pieces, the special tokens included.
        special_tokens: The first pieces; [UNK] is one of them.
        min_count: How often two pieces must follow each other to become one.
        min_character_count: How often a character must occur to be a piece.

    Returns:
        The pieces in the order of their ids: the special tokens, single characters, and longer
        pieces. There are fewer than `size` if the texts have no more.

    Source: `tokenizers.trainers.WordPieceTrainer`.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    characters = _characters(words, size - len(special_tokens), min_character_count)
    known = {one.removeprefix("##") for one in characters}
    # The library numbers pieces in the order in which it meets them in a hash map, and breaks
    # ties between pairs by these numbers. Special tokens are numbered first, in their order.
    special = [*special_tokens, *characters]
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.pre_tokenizer = pre_tokenizers.CharDelimiterSplit("\n")
    # The library reserves memory for every piece that is asked for. Beside the special ones there
    # are at most a piece for each letter at the start of a word, and one for each two parts joined.
    most = len(special) + 2 * sum(map(len, words))
    trainer = trainers.WordPieceTrainer(
        vocab_size=max(min(size, most), len(special)),
        min_frequency=min_count,
        special_tokens=special,
        show_progress=False,
    )
    usable = {
        word: count
        for word, count in sorted(words.items())
        if len(word) <= LONGEST_WORD and known.issuperset(word)
    }
    learner.train_from_iterator(_lines(usable), trainer)
    ids = learner.get_vocab()
    # The library adds each character at the start of a word, also beyond the size.
    ordered = sorted(ids, key=ids.__getitem__)[:size]
    return [piece for piece in ordered if len(piece.encode()) <= LONGEST_PIECE]


def _characters(words: Mapping[str, int], most: int, min_count: int) -> list[str]:
    """Returns the characters to keep, as pieces that start a word and pieces that follow."""
    places: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for word, count in words.items():
        for place, character in enumerate(word):
            totals[character] += count
            places[character if place == 0 else f"##{character}"] += count
    frequent = [one for one in places if totals[one.removeprefix("##")] >= min_count]
    frequent.sort(key=lambda one: (-places[one], one))
    return sorted(frequent[:most], key=lambda one: (one.startswith("##"), one))


def _lines(words: Mapping[str, int]) -> Iterator[str]:
    """Yields each word as often as it occurs: the library counts for itself."""
    for word, count in words.items():
        for done in range(0, count, LONGEST_LINE):
            yield "\n".join([word] * min(LONGEST_LINE, count - done))
