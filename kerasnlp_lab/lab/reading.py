"""`notes_on_reading`: says, before training, which texts a model cannot read well."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import tensorflow as tf

from kerasnlp_lab.data.inspection.scripts import script_counts
from kerasnlp_lab.data.pairs import shown_pair
from kerasnlp_lab.data.words import UNSPACED
from kerasnlp_lab.display import printable
from kerasnlp_lab.hub.catalogue import encoders_for
from kerasnlp_lab.hub.minilm import minilm_folder
from kerasnlp_lab.hub.modules import holds_both
from kerasnlp_lab.text.pipeline import tokenize_flat
from kerasnlp_lab.text.unspaced import note_on_unspaced
from kerasnlp_lab.text.vectorizer import TextVectorizer
from kerasnlp_lab.zoo import Classifier, ZooEntry
from kerasnlp_lab.zoo.options import LengthOptions

__all__ = ["note_on_unknown", "note_on_word_vectors", "notes_on_reading"]

SAMPLE = 1000  # texts
MOST_UNKNOWN_WORDS, MOST_UNKNOWN_PIECES = 0.5, 0.1  # of all tokens
LETTERS_A_TOKEN = 1.3  # a BERT for the language has 2 to 5
MOST_CUT = MOST_UNREAD = 0.1  # of all texts; for more cut ones a longer length is suggested
WHOLE = 0.95  # of all texts, by the length that is suggested
MOST_POSITIONS = 512  # of a BERT
UNKNOWN = "\u0378"  # of no meaning in Unicode, and so in no vocabulary
SHOWN = 5  # letters


def notes_on_reading(
    entry: ZooEntry, text: TextVectorizer, texts: Collection[str | bytes]
) -> list[str]:
    """Returns a sentence with advice for each reason why a model cannot read texts well.

    It looks at a sample of 1,000 texts, and returns nothing for texts that the model reads well.

    Args:
        entry: The model in the zoo.
        text: The text half of a classifier, with its vocabulary.
        texts: The texts, such as those to train on.
    """
    sample = [one for one in _sample(texts) if one.strip()]
    if not sample:
        return []
    reading = _Reading(entry, text, sample)
    notes = (reading.of_words() or reading.of_letters(), reading.unread(), reading.cut())
    return [note for note in notes if note]


def note_on_unknown(entry: ZooEntry, text: TextVectorizer, texts: Collection[str | bytes]) -> str:
    """Returns a sentence if most words of texts are unknown to a trained model; otherwise ""."""
    reading = _Reading(entry, text, _sample(texts))
    unknown = max(reading.unknown, reading.empty.mean()) if len(reading.empty) else 0
    if unknown <= MOST_UNKNOWN_WORDS:
        return ""
    return (
        f"{unknown:.0%} of these texts is unknown to {entry.card.name}: are they in a language "
        "that it was trained on?"
    )


def note_on_word_vectors(classifier: Classifier, texts: Collection[str | bytes]) -> str:
    """Returns a line on `word_vectors` where MiniLM is installed and could help; otherwise ""."""
    options: Any = classifier.options
    fits = classifier.name == "transformer" and options.tokens == "words"
    if not fits or options.word_vectors or not holds_both(minilm_folder()):
        return ""
    if _is_foreign(sum(map(script_counts, _sample(texts)), Counter())):
        return ""
    return (
        "minilm_l6_h384 is installed: --option word_vectors=minilm_l6_h384 starts the embeddings "
        "of English words from its vectors"
    )


def _sample(texts: Collection[str | bytes]) -> list[str]:
    """Returns texts from the whole table, or the first ones of shards."""
    if isinstance(texts, Sequence):
        texts = texts[:: max(1, len(texts) // SAMPLE)]
    first = islice(texts, SAMPLE)
    return [text if isinstance(text, str) else text.decode("utf-8", "replace") for text in first]


def _share(share: float) -> str:
    """Returns a share in percent, rounded, but never down to none of them."""
    return f"{share:.0%}" if share >= 0.01 else "less than 1%"


def _is_foreign(letters: Counter[str]) -> bool:
    """Whether most letters are of a script other than Latin that is written with spaces."""
    others = sum(letters[name] for name in letters if name not in ("Latin", *UNSPACED))
    return 2 * others > letters.total()


class _Reading:
    """The tokens that a model makes of some texts."""

    def __init__(self, entry: ZooEntry, text: TextVectorizer, texts: list[str]):
        self.name, self.pretrained = entry.card.name, entry.has_encoder
        self.text, self.texts = text, texts
        self.limit = text.max_length - text.special_tokens
        self.has_windows = isinstance(entry.options, LengthOptions) and not text.pairs
        ids, self.lengths = tokenize_flat(self.text, texts)
        self.tokens = tf.RaggedTensor.from_row_lengths(ids, self.lengths)
        self.empty = self.lengths == 0
        found = tokenize_flat(self.text, [UNKNOWN])[0]
        self.unknown_id = int(found[-1]) if len(found) else -1  # -1: unknown words are dropped
        ids = text.vocabulary_ids(ids)
        self.unknown = float((ids == self.unknown_id).mean()) if len(ids) else 0.0

    def of_words(self) -> str:
        """Returns a note on words without spaces between them, or that are not known."""
        if not self.text.splits_at_spaces:
            return ""
        if note := note_on_unspaced(self.texts, self._advice(self._scripts(self.texts))):
            return note
        if self.unknown <= MOST_UNKNOWN_WORDS:
            return ""
        return (
            f"{self.name} does not know {self.unknown:.0%} of the words: raise --option "
            "vocab_size, or try transformer with --option tokens=pieces"
        )

    def of_letters(self) -> str:
        """Returns a note on a vocabulary of pieces that is for another language."""
        if self.text.splits_at_spaces:
            return ""
        if self.unknown > MOST_UNKNOWN_PIECES:
            return self._note_on_unknown_pieces()
        # English and its neighbours have at least 1.9 letters a token in an English BERT.
        foreign = [text for text in self.texts if _is_foreign(script_counts(text))]
        if not self.pretrained or len(foreign) <= MOST_UNREAD * len(self.texts):
            return ""
        begins = [text[: max(self.limit // 3, 8)] for text in foreign]  # which are not cut
        letters = self._scripts(begins)
        ratio = letters.total() / max(len(tokenize_flat(self.text, begins)[0]), 1)
        if ratio > LETTERS_A_TOKEN:
            return ""
        return (
            f"{self.name} splits {len(foreign) / len(self.texts):.0%} of the texts almost letter "
            f"by letter ({ratio:.1f} letters a token), because its vocabulary is of another "
            f"language: {self._advice(letters)}"
        )

    def _note_on_unknown_pieces(self) -> str:
        """Returns a note that names the characters that the vocabulary lacks."""
        counts = Counter(one for text in self.texts for one in text if not one.isspace())
        characters = list(counts)
        ids, lengths = tokenize_flat(self.text, characters)
        unknown_ones = self.text.vocabulary_ids(ids) == self.unknown_id
        places = np.repeat(np.arange(len(lengths)), lengths)[unknown_ones]
        unknown = Counter({characters[place]: counts[characters[place]] for place in places})
        examples = ", ".join(printable(one) for one, _ in unknown.most_common(SHOWN))
        # Japanese is Japanese, even if only its Chinese characters are unknown.
        letters = self._scripts(self.texts)
        unspaced = Counter({name: letters[name] for name in UNSPACED if name in letters})
        scripts = self._scripts(unknown.elements()) | unspaced
        share = unknown.total() / counts.total()
        lacks = (
            f"lacks {share:.0%} of the characters in these texts ({examples}), and "
            if unknown
            else ""
        )
        return (
            f"the vocabulary of {self.name} {lacks}makes {self.unknown:.0%} of the tokens "
            f"unknown: {self._advice(scripts)}"
        )

    @staticmethod
    def _scripts(texts: Iterable[str]) -> Counter[str]:
        return sum(map(script_counts, texts), Counter())

    def _advice(self, scripts: Counter[str]) -> str:
        """Returns what to try for texts in scripts of which these are the numbers of letters."""
        if not self.pretrained and not self.text.splits_at_spaces:
            return "raise --option vocab_size"
        found = [one.name for one in encoders_for(scripts) if one.name != self.name]
        pieces = "transformer with --option tokens=pieces"
        return f"try {' or '.join([*found, pieces])}" + ("; see 'hub list'" if found else "")

    def unread(self) -> str:
        """Returns a note on texts in which the model finds nothing."""
        if self.empty.mean() <= MOST_UNREAD:
            return ""
        example = shown_pair(self.texts[int(self.empty.argmax())])[:40]
        return (
            f"{self.name} reads nothing in {self.empty.mean():.0%} of the texts, such as "
            f"{example!r}: it may drop punctuation and single letters, or need more texts to learn "
            "words from"
        )

    def cut(self) -> str:
        """Returns a note on texts that are longer than the model reads at a time."""
        full = np.flatnonzero(self.lengths >= self.limit)
        if not len(full) or self.text.with_offsets:  # a task with offsets reads texts of any length
            return ""
        texts = tf.constant([self.texts[row] for row in full])
        if self.text.pairs:
            whole, read = self.text.split_pairs(texts, whole=True), self.text.split_pairs(texts)
        else:
            whole = read = self.text.split_whole(texts)
        lengths = self.lengths.copy()
        lengths[full] = whole.row_lengths().numpy()
        lengths += self.text.special_tokens
        most = self.text.max_length
        cut = float((lengths > most).mean())
        if not cut:
            return ""
        note = f"{_share(cut)} of the texts are longer than {most} tokens"
        if self.text.long_texts == "windows":
            windows = self.text.windows_in_training
            return f"{note}: they are read in windows, in a step of the training in up to {windows}"
        unread = self._words(whole) - self._words(self.text.truncate(read))
        share = unread / (self._words(self.tokens) + unread)
        note = f"{note}: {_share(share)} of all words are not read"
        longer = -(-math.ceil(np.quantile(lengths, WHOLE)) // 8) * 8
        longer = min(longer, MOST_POSITIONS) if self.pretrained else longer
        if longer > most and cut > MOST_CUT:
            note += f"; --max-length {longer} would cut {(lengths > longer).mean():.0%}"
        return f"{note}; --long-texts windows reads them all" if self.has_windows else note

    def _words(self, tokens: tf.RaggedTensor) -> int:
        """Returns how many words begin in tokens, [batch, (tokens)]."""
        return int(np.sum(~self.text.continue_words(tokens.flat_values).numpy()))
