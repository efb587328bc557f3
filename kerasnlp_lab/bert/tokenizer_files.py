"""The files of a BERT's tokenizer: vocab.txt, tokenizer.json, tokenizer_config.json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from kerasnlp_lab.errors import HubError

__all__ = ["looks_uncased", "read_casing", "read_json_object", "read_vocabulary"]

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def read_json_object(path: Path) -> dict[str, Any]:
    """Returns a file's JSON object; raises HubError if it cannot be read, or is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HubError(f"cannot read {path}: {error}") from error
    if not isinstance(content, dict):
        raise HubError(f"cannot read {path}: expected a JSON object")
    return content


def read_vocabulary(folder: Path, vocab_size: int) -> tuple[str, ...]:
    """Returns the word pieces in vocab.txt or tokenizer.json, in the order of their ids.

    Raises HubError if they are missing, not a BERT's, or more than `vocab_size`.
    """
    vocabulary = _vocabulary(folder)
    _check_vocabulary(vocabulary, vocab_size, folder)
    if (folder / "tokenizer.json").is_file():
        _check_tokenizer(read_json_object(folder / "tokenizer.json"), vocabulary)
    return vocabulary


def _check_tokenizer(tokenizer: dict[str, Any], vocabulary: tuple[str, ...]) -> None:
    """Raises HubError if tokenizer.json asks for more than a BERT's preprocessing can do."""
    expected: dict[str, dict[str, Any]] = {
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"unk_token": "[UNK]", "max_input_chars_per_word": 100},
    }
    for part, settings in expected.items():
        found = tokenizer.get(part) or {}
        for name, value in settings.items():
            if found.get(name, value) != value:
                raise HubError(
                    f"tokenizer.json: {part} has {name} {found[name]!r}; only {value!r} is "
                    "supported"
                )
    known = set(vocabulary)
    added = [token.get("content") for token in tokenizer.get("added_tokens") or []]
    if more := [token for token in added if token not in known]:
        raise HubError(f"tokenizer.json adds the token {more[0]!r}, which the vocabulary lacks")


def _vocabulary(folder: Path) -> tuple[str, ...]:
    try:
        if (folder / "vocab.txt").is_file():
            text = (folder / "vocab.txt").read_bytes().decode("utf-8")
            lines = text.removesuffix("\n").split("\n")
            return tuple(line.removesuffix("\r") for line in lines)
        if not (folder / "tokenizer.json").is_file():
            raise HubError(f"{folder} has no vocab.txt and no tokenizer.json")
        model = read_json_object(folder / "tokenizer.json").get("model")
        if not isinstance(model, dict):
            raise HubError(f"cannot read {folder / 'tokenizer.json'}: it has no model")
        is_wordpiece = model.get("type", "WordPiece") == "WordPiece"
        if not (is_wordpiece and isinstance(model.get("vocab"), dict)):
            raise HubError(
                f"{folder / 'tokenizer.json'} holds a {model.get('type')} tokenizer; a BERT has "
                "a WordPiece one"
            )
        if model.get("continuing_subword_prefix", "##") != "##":
            raise HubError("tokenizer.json: continuing_subword_prefix must be '##'")
        by_id = {index: piece for piece, index in model["vocab"].items()}
        if set(by_id) != set(range(len(by_id))):
            raise HubError(f"{folder / 'tokenizer.json'}: the ids of the vocabulary have gaps")
        return tuple(by_id[index] for index in range(len(by_id)))
    except (OSError, UnicodeDecodeError) as error:
        raise HubError(f"cannot read the vocabulary in {folder}: {error}") from error


def _check_vocabulary(vocabulary: tuple[str, ...], vocab_size: int, folder: Path) -> None:
    missing = [token for token in SPECIAL_TOKENS if token not in vocabulary]
    if missing:
        raise HubError(f"the vocabulary in {folder} lacks {', '.join(missing)}")
    if len(set(vocabulary)) != len(vocabulary):
        twice = next(piece for piece in vocabulary if vocabulary.count(piece) > 1)
        raise HubError(f"the vocabulary in {folder} has {twice!r} twice")
    if broken := [piece for piece in vocabulary if "\n" in piece or "\r" in piece]:
        raise HubError(f"the vocabulary in {folder} has a line end in the piece {broken[0]!r}")
    if len(vocabulary) > vocab_size:
        raise HubError(
            f"the vocabulary in {folder} has {len(vocabulary)} word pieces, config.json says "
            f"vocab_size {vocab_size}"
        )


def read_casing(folder: Path) -> tuple[bool | None, bool | None]:
    """Returns whether to lower-case and to strip accents; None where the files do not say.

    Raises HubError if they ask for something that cannot be built.
    """
    if (folder / "tokenizer_config.json").is_file():
        said = read_json_object(folder / "tokenizer_config.json")
        if said.get("tokenize_chinese_chars", True) is False:
            raise HubError("tokenize_chinese_chars false is not supported")
        if "do_lower_case" in said:
            lower, strip = said["do_lower_case"], said.get("strip_accents")
            if not isinstance(lower, bool) or not isinstance(strip, bool | None):
                raise HubError(
                    "tokenizer_config.json: do_lower_case and strip_accents must be true or "
                    f"false, got {lower!r} and {strip!r}"
                )
            return lower, strip
    if (folder / "tokenizer.json").is_file():
        normalizer = read_json_object(folder / "tokenizer.json").get("normalizer") or {}
        if normalizer.get("type") == "BertNormalizer":
            return normalizer.get("lowercase"), normalizer.get("strip_accents")
    return None, None


def looks_uncased(vocabulary: tuple[str, ...]) -> bool:
    """Returns whether only special tokens have capital letters."""
    return all(piece == piece.lower() for piece in vocabulary if not re.fullmatch(r"\[.*\]", piece))
