"""`find_origin`: what a pre-training begins with: a new BERT, or one to continue from."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow_hub as hub

from kerasnlp_lab.bert.checkpoint import BertCheckpoint, is_checkpoint, read_checkpoint
from kerasnlp_lab.bert.config import BertConfig
from kerasnlp_lab.bert.new_weights import new_checkpoint
from kerasnlp_lab.bert.preprocessing import export_preprocessing
from kerasnlp_lab.bert.reopening import checkpoint_of_module, reopen
from kerasnlp_lab.bert.tokenizer_files import looks_uncased, read_casing, read_vocabulary
from kerasnlp_lab.bert.vocabulary import learn_vocabulary
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.hub import HubModules
from kerasnlp_lab.hub.bert_configs import config_named
from kerasnlp_lab.lab.pretraining_config import PretrainingConfig
from kerasnlp_lab.paths import user_path
from kerasnlp_lab.recipe import Recipe
from kerasnlp_lab.zoo import find_model

__all__ = ["Origin", "find_origin"]

MOST_PIECES = 1 << 20  # in a vocabulary that is read
Documents = Callable[[], Iterator[Sequence[str]]]


@dataclass(frozen=True)
class Origin:
    """What a pre-training begins with.

    Args:
        checkpoint: Takes the pieces that a stopped process had chosen, or None, and a function
            that yields the documents to train on; returns the first weights.
        write_preprocessing: Writes the preprocessing module of a checkpoint into a folder.
        recipe: How the result is fine-tuned unless other settings are given.
        pooling: Its pooling when it is fine-tuned.
        described: What config.json says about it.
    """

    checkpoint: Callable[[Sequence[str] | None, Documents], BertCheckpoint]
    write_preprocessing: Callable[[BertCheckpoint, Path], None]
    recipe: Recipe
    pooling: str
    described: Mapping[str, Any]


def find_origin(config: PretrainingConfig) -> Origin:
    """Finds the shape and the vocabulary of a new BERT, or fetches the one to continue from.

    Raises:
        HubError: It is no BERT, or its files cannot be fetched or read.
        OptionError: The model has no BERT, or the sequences are longer than the BERT's positions.
        UnknownNameError: There is no such model.
    """
    return _new(config) if config.is_new else _existing(str(config.model), config.max_length)


def _new(config: PretrainingConfig) -> Origin:
    shape = config_named(str(config.shape))
    _check_length(config.max_length, shape, str(config.shape))
    given: tuple[str, ...] | None = None
    casing = {"do_lower_case": not config.cased, "strip_accents": config.strip_accents}
    if config.vocabulary is not None:
        folder = user_path(config.vocabulary)
        given = read_vocabulary(folder, MOST_PIECES)
        lower, strip = read_casing(folder)
        lower = looks_uncased(given) if lower is None else lower
        casing = {"do_lower_case": lower, "strip_accents": lower if strip is None else strip}

    def checkpoint(known: Sequence[str] | None, documents: Documents) -> BertCheckpoint:
        pieces = known or given
        if pieces is None:
            assert config.vocab_size is not None
            sentences = (sentence for document in documents() for sentence in document)
            pieces = learn_vocabulary(sentences, config.vocab_size, **casing)
        return new_checkpoint(shape, pieces, seed=config.seed, **casing)

    def write_preprocessing(checkpoint: BertCheckpoint, target: Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            vocab_file = Path(scratch, "vocab.txt")
            vocab_file.write_text("\n".join(checkpoint.vocabulary) + "\n", encoding="utf-8")
            export_preprocessing(
                target,
                vocab_file,
                max_length=checkpoint.config.max_position_embeddings,
                as_on_tfhub=False,
                **casing,
            )

    # The pooler of a BERT that never saw pairs has learned nothing.
    pooling = "pooled_output" if config.pairs else "mean"
    recipe = Recipe(epochs=3, batch_size=32, learning_rate=1e-4)
    described = {"shape": dataclasses.asdict(shape), **casing}
    return Origin(checkpoint, write_preprocessing, recipe, pooling, described)


def _check_length(max_length: int, shape: BertConfig, name: str) -> None:
    most = shape.max_position_embeddings
    if max_length > most:
        raise OptionError(f"--max-length {max_length} is over the {most} positions of {name}")


def _existing(name: str, max_length: int) -> Origin:
    entry = find_model(name)
    modules = entry.prepare()
    if modules is None:
        raise OptionError(
            f"{name} has no BERT to continue from: say --from with a BERT of 'zoo list' or "
            "'hub list', or a folder with one"
        )

    checkpoint = _read(user_path(name), modules)
    _check_length(max_length, checkpoint.config, name)

    def write_preprocessing(checkpoint: BertCheckpoint, target: Path) -> None:
        shutil.copytree(hub.resolve(modules.preprocess), target, dirs_exist_ok=True)

    described = {"model": entry.card.name, "source": entry.card.source}
    recipe, pooling = entry.recipe, entry.options.pooling
    return Origin(lambda *_: checkpoint, write_preprocessing, recipe, pooling, described)


def _read(folder: Path, modules: HubModules) -> BertCheckpoint:
    """Returns the weights in a folder, with their output layers if it has them, or a module's."""
    for place in (folder / "checkpoint", folder):
        if is_checkpoint(place) and not _is_run(place):
            return read_checkpoint(place)
    return checkpoint_of_module(reopen(modules.encoder), modules.preprocess)


def _is_run(folder: Path) -> bool:
    """Returns whether a folder's config.json is that of a run, not of a BERT."""
    try:
        return "pretraining" in json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
