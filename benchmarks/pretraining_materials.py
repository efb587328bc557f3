"""What pretrain.py gives its contestants: documents, a BERT to begin with, masked rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from materials import MINILM
from tokenizers.implementations import BertWordPieceTokenizer

from kerasnlp_lab.bert.checkpoint import BertCheckpoint
from kerasnlp_lab.bert.checkpoint_writing import write_checkpoint
from kerasnlp_lab.bert.new_weights import new_checkpoint
from kerasnlp_lab.bert.reopening import checkpoint_of_module, reopen
from kerasnlp_lab.bert.vocabulary import learn_vocabulary
from kerasnlp_lab.data.corpus import CorpusSource, open_corpus
from kerasnlp_lab.hub import minilm_modules
from kerasnlp_lab.hub.bert_configs import config_named

LENGTH = 128
SHAPE, VOCABULARY = "small_bert/bert_en_uncased_L-4_H-128_A-2", 8000
SHARE = 0.15  # of tokens that are hidden
Document = list[str]  # its sentences
MaskedRow = dict[str, list[int]]


@dataclass(frozen=True)
class Size:
    """A model to pre-train.

    Args:
        new: Whether it begins with random weights. Such a model also learns the next sentence.
        learning_rate: The peak of everyone's.
        steps: The default of --steps.
    """

    new: bool
    learning_rate: float
    steps: int


SIZES = {
    "small_bert": Size(new=True, learning_rate=1e-3, steps=150),
    MINILM: Size(new=False, learning_rate=2e-4, steps=20),
}


def read(path: Path) -> list[Document]:
    """Returns the documents of a file, a document a line, in a fixed random order, each once."""
    corpus = open_corpus(CorpusSource(paths=(str(path),), lines="documents"), sentences_needed=True)
    found = list({" ".join(sentences): sentences for sentences in corpus.documents()}.values())
    return [found[row] for row in np.random.default_rng(0).permutation(len(found))]


def write_model(name: str, documents: Sequence[Document], folder: Path) -> None:
    """Writes the BERT that all begin with, in Hugging Face's form.

    Args:
        name: One of `SIZES`.
        documents: To learn a vocabulary from.
        folder: A new one.
    """
    write_checkpoint(_new_bert(documents) if SIZES[name].new else _minilm(), folder)


def _new_bert(documents: Sequence[Document]) -> BertCheckpoint:
    casing = {"do_lower_case": True, "strip_accents": True}  # the Model Garden cannot do else
    pieces = learn_vocabulary(
        (one for sentences in documents for one in sentences), VOCABULARY, **casing
    )
    config = replace(config_named(SHAPE), vocab_size=len(pieces))
    new = new_checkpoint(config, pieces, **casing)
    return replace(new, heads={})  # everyone makes output layers of their own


def _minilm() -> BertCheckpoint:
    modules = minilm_modules()
    return checkpoint_of_module(reopen(modules.encoder), modules.preprocess)


def held_out_rows(documents: Sequence[Document], folder: Path) -> list[MaskedRow]:
    """Returns documents as masked rows, the same whenever they are made.

    A row is a document, "[CLS] its tokens [SEP]", with 15% of its tokens hidden: 80% of these as
    [MASK], 10% as any token, 10% as they are. It has "ids"; "places", those of the hidden tokens;
    and "originals", their ids.

    Args:
        documents: Those held out.
        folder: With a vocabulary, as `write_model` leaves it.
    """
    tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True)
    mask, size = tokenizer.token_to_id("[MASK]"), tokenizer.get_vocab_size()
    tokenizer.enable_truncation(LENGTH)
    random = np.random.default_rng(0)
    rows = []
    for encoding in tokenizer.encode_batch([" ".join(sentences) for sentences in documents]):
        ids = np.array(encoding.ids)
        inner = np.flatnonzero(np.array(encoding.special_tokens_mask) == 0)
        if not len(inner):
            continue
        places = np.sort(random.choice(inner, max(1, round(SHARE * len(inner))), replace=False))
        originals = ids[places]
        kinds = random.random(len(places))
        ids[places[kinds < 0.8]] = mask
        other = places[kinds >= 0.9]
        ids[other] = random.integers(0, size, len(other))
        rows.append(
            {"ids": ids.tolist(), "places": places.tolist(), "originals": originals.tolist()}
        )
    return rows
