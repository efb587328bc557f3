"""The registry: finds models by name, BERTs by their TF Hub handle, or local folders."""

from __future__ import annotations

import os
from pathlib import Path

from kerasnlp_lab.errors import HubError, UnknownNameError
from kerasnlp_lab.hub.catalogue import encoders, find_encoder
from kerasnlp_lab.hub.handles import parse_handle
from kerasnlp_lab.paths import near_path
from kerasnlp_lab.zoo.entry import ZooEntry
from kerasnlp_lab.zoo.hash_embed_cnn import HASH_EMBED_CNN
from kerasnlp_lab.zoo.hub_bert import MINILM, bert_in_folder, bert_on_tfhub
from kerasnlp_lab.zoo.recurrent import LSTM, RNN_ATTENTION
from kerasnlp_lab.zoo.rnn_seq2seq import RNN_SEQ2SEQ
from kerasnlp_lab.zoo.seed_transformer import SEED_TRANSFORMER
from kerasnlp_lab.zoo.tfidf_linear import TFIDF_LINEAR
from kerasnlp_lab.zoo.transformer import TRANSFORMER

__all__ = ["ZooEntry", "find_model", "model_names"]

SMALL_BERT = bert_on_tfhub(find_encoder("small_bert/bert_en_uncased_L-4_H-128_A-2"))

_ENTRIES = {
    entry.card.name: entry
    for entry in (
        *(SEED_TRANSFORMER, LSTM, RNN_ATTENTION, TRANSFORMER, TFIDF_LINEAR, HASH_EMBED_CNN),
        *(MINILM, SMALL_BERT),
        RNN_SEQ2SEQ,
    )
}


def model_names() -> list[str]:
    """Returns the names of the zoo's own models, simplest first."""
    return list(_ENTRIES)


def find_model(name: str) -> ZooEntry:
    """Returns a model's entry.

    Args:
        name: One of `model_names`; an encoder of TF Hub, by its name in the catalogue
            or its handle in any spelling; or a folder with a BERT.

    Raises:
        UnknownNameError: There is no such model.
    """
    if name in _ENTRIES:
        return _ENTRIES[name]
    given = os.path.expanduser(name)
    if given and len(given) < 4096 and os.path.isdir(given):
        return bert_in_folder(Path(given))
    try:
        handle = parse_handle(name)
    except HubError:
        handle = None
    if handle is None or handle.entry is None or not handle.entry.preprocess:
        folder = near_path(name) if "/" in name else None
        folders = [] if folder is None else [os.path.join(".", folder)]
        known = [*_ENTRIES, *(one.name for one in encoders()), *folders]
        hint = "see 'zoo list' and 'hub list', or give a folder with a BERT's weights"
        raise UnknownNameError("model", name, known, hint)
    return bert_on_tfhub(handle.entry, handle.address)
