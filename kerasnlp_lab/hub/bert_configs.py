"""`config_named`: the shape of a published BERT, or of one in a folder, to make a new one of it."""

from __future__ import annotations

import dataclasses

from kerasnlp_lab.bert.checkpoint import is_checkpoint
from kerasnlp_lab.bert.config import BertConfig, read_config
from kerasnlp_lab.errors import HubError
from kerasnlp_lab.hub.catalogue import HubEncoder, find_encoder
from kerasnlp_lab.hub.handles import parse_handle
from kerasnlp_lab.paths import user_path

__all__ = ["config_named"]

POSITIONS, SEGMENTS = 512, 2  # of every BERT in the catalogue


def config_named(name: str) -> BertConfig:
    """Returns the shape of a BERT; nothing is fetched.

    Args:
        name: An encoder of the catalogue ("small_bert/bert_en_uncased_L-4_H-128_A-2") or its
            address; a folder with config.json or bert_config.json; or such a file.

    Raises:
        HubError: It is not a BERT, or its config cannot be read.
        UnknownNameError: It is no folder, and no encoder of the catalogue.

    Example:
        >>> config_named("small_bert/bert_en_uncased_L-4_H-128_A-2").num_hidden_layers
        4
    """
    path = user_path(name)
    if path.is_file() or is_checkpoint(path):
        return read_config(path)
    if path.is_dir():
        raise HubError(f"{path} has no config.json or bert_config.json, which give a BERT's shape")
    entry = parse_handle(name).entry if "://" in name else find_encoder(name)
    if entry is None or entry.architecture != "bert":
        kind = entry.architecture if entry else "a module that is not in the catalogue"
        raise HubError(
            f"expected a BERT, but {name} is {kind}: choose one that 'kerasnlp-lab hub list' shows "
            "as bert, or give a folder with a config.json"
        )
    return _config_of(entry)


def _config_of(entry: HubEncoder) -> BertConfig:
    config = BertConfig(
        vocab_size=0,
        hidden_size=entry.hidden_size,
        num_hidden_layers=entry.layers,
        num_attention_heads=entry.heads,
        intermediate_size=4 * entry.hidden_size,
        max_position_embeddings=POSITIONS,
        type_vocab_size=SEGMENTS,
    )
    # The catalogue has no size of the vocabulary, but what is left of the parameters is its table.
    rows = ((entry.parameters or 0) - config.parameters) // entry.hidden_size
    return dataclasses.replace(config, vocab_size=rows)
