"""The registry: every model of the zoo by its name."""

from __future__ import annotations

from kerasnlp_lab.errors import UnknownNameError
from kerasnlp_lab.zoo.entry import ZooEntry
from kerasnlp_lab.zoo.hub_bert import MINILM, SMALL_BERT
from kerasnlp_lab.zoo.seed_transformer import SEED_TRANSFORMER
from kerasnlp_lab.zoo.tfidf_linear import TFIDF_LINEAR
from kerasnlp_lab.zoo.transformer import TRANSFORMER

__all__ = ["ZooEntry", "find_model", "model_names"]

_ENTRIES = {
    entry.card.name: entry
    for entry in (SEED_TRANSFORMER, TRANSFORMER, TFIDF_LINEAR, MINILM, SMALL_BERT)
}


def model_names() -> list[str]:
    """Returns the name of every model, simplest first."""
    return list(_ENTRIES)


def find_model(name: str) -> ZooEntry:
    """Returns a model's entry.

    Raises:
        UnknownNameError: There is no such model.
    """
    if name not in _ENTRIES:
        raise UnknownNameError("model", name, _ENTRIES)
    return _ENTRIES[name]
