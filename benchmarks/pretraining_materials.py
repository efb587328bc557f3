"""What pretrain.py gives its contestants: documents, a BERT to begin with, masked rows."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from materials import MINILM, write_hugging_face
from tokenizers.implementations import BertWordPieceTokenizer

from kerasnlp_lab import create_classifier
from kerasnlp_lab.bert.vocabulary import learn_vocabulary, write_vocabulary
from kerasnlp_lab.data.corpus import CorpusSource, open_corpus

LENGTH = 128
VOCABULARY = 8000
SHARE = 0.15  # of tokens that are hidden
Document = list[str]  # its sentences
MaskedRow = dict[str, list[int]]


@dataclasses.dataclass(frozen=True)
class Size:
    """A model to pre-train.

    Args:
        weights: Whether it begins with weights that it has.
        learning_rate: The peak of everyone's.
        texts: The default of --texts.
        steps: The default of --steps.
    """

    weights: bool
    learning_rate: float
    texts: int
    steps: int


SIZES = {
    "small_bert": Size(weights=False, learning_rate=1e-3, texts=1536, steps=120),
    MINILM: Size(weights=True, learning_rate=2e-4, texts=512, steps=24),
}


def read(path: Path) -> list[Document]:
    """Returns the documents of a file, a document a line, in a fixed random order, each once."""
    corpus = open_corpus(CorpusSource(paths=(str(path),), lines="documents"), sentences_needed=True)
    found = list({" ".join(sentences): sentences for sentences in corpus.documents()}.values())
    return [found[row] for row in np.random.default_rng(0).permutation(len(found))]


def write_model(name: str, documents: Sequence[Document], folder: Path) -> None:
    """Writes a BERT as Hugging Face's BertForMaskedLM reads it: MiniLM, or a config alone.

    Args:
        name: One of `SIZES`.
        documents: To learn a vocabulary from.
        folder: An empty one.
    """
    if SIZES[name].weights:
        write_hugging_face(create_classifier(name, ["a", "b"], []), folder, head=False)
        return
    casing = {"do_lower_case": True, "strip_accents": True}  # create_pretraining_data's
    texts = [" ".join(sentences) for sentences in documents]
    pieces = learn_vocabulary(texts, VOCABULARY, **casing)
    write_vocabulary(folder, pieces, **casing)
    config = {
        "model_type": "bert",
        "vocab_size": len(pieces),
        "hidden_size": 128,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "intermediate_size": 512,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


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
