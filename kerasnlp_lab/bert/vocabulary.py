"""`learn_vocabulary`: a BERT's word pieces from texts, as the files of its tokenizer."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from pathlib import Path

from kerasnlp_lab.bert.preprocessing import normalize
from kerasnlp_lab.errors import DataError
from kerasnlp_lab.paths import whole_directory, write_whole
from kerasnlp_lab.text.wordpiece import SPECIAL_TOKENS, count_words, learn_pieces

__all__ = ["learn_vocabulary", "tokenizer_files", "write_vocabulary"]


def learn_vocabulary(
    texts: Iterable[str | bytes],
    size: int,
    *,
    do_lower_case: bool = True,
    strip_accents: bool = False,
    min_count: int = 2,
) -> list[str]:
    """Learns a BERT's vocabulary. Texts are split into words as a BERT does.

    Args:
        texts: The texts, read once; they may not fit in memory.
        size: The largest number of pieces, the special tokens included.
        do_lower_case: Whether texts are lower-cased.
        strip_accents: Whether texts lose their accents. That removes vowels in Thai and Hindi,
            and turns Japanese letters into others, as it does in an uncased BERT.
        min_count: How often a character must occur, and two pieces together, to be a piece.

    Returns:
        The pieces in the order of their ids.

    Raises:
        DataError: The texts have no words.
    """
    words = count_words(
        texts,
        functools.partial(normalize, do_lower_case=do_lower_case, strip_accents=strip_accents),
    )
    pieces = learn_pieces(words, size, min_count=min_count, min_character_count=min_count)
    if len(pieces) == len(SPECIAL_TOKENS):
        raise DataError(
            f"no character occurs {min_count} times in the texts; give more texts, or lower "
            "min_count"
            if words
            else "the texts have no words; there is nothing to learn"
        )
    return pieces


def write_vocabulary(
    folder: str | Path, pieces: Iterable[str], *, do_lower_case: bool, strip_accents: bool
) -> None:
    """Writes vocab.txt and tokenizer_config.json, as Hugging Face's BertTokenizerFast reads them.

    Raises:
        RunError: The folder is not empty.
        StorageError: The folder cannot be written.
    """
    with whole_directory(folder) as target:
        for name, content in tokenizer_files(pieces, do_lower_case, strip_accents).items():
            write_whole(target / name, content)


def tokenizer_files(
    pieces: Iterable[str], do_lower_case: bool, strip_accents: bool
) -> dict[str, str]:
    """Returns the same files' contents by name."""
    pieces = list(pieces)
    config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": do_lower_case,
        "strip_accents": strip_accents,
        "tokenize_chinese_chars": True,
        **{f"{one.strip('[]').lower()}_token": one for one in SPECIAL_TOKENS if one in pieces},
    }
    return {
        "vocab.txt": "".join(f"{piece}\n" for piece in pieces),
        "tokenizer_config.json": json.dumps(config, indent=2) + "\n",
    }
