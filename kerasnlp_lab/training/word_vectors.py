"""`start_from_word_vectors`: embeddings start from the vectors that a BERT gives each word."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import rich.console
from sklearn.decomposition import PCA

from kerasnlp_lab.errors import OptionError, UnknownNameError
from kerasnlp_lab.tasks import Classification
from kerasnlp_lab.text import tokenize
from kerasnlp_lab.text.pipeline import tokenize_flat
from kerasnlp_lab.training.frozen_features import frozen_features
from kerasnlp_lab.training.run_directory import RunDirectory
from kerasnlp_lab.training.steps import sum_over_workers
from kerasnlp_lab.training.strategy import is_chief
from kerasnlp_lab.zoo import Classifier, create_model, find_model, load_classifier, model_names

__all__ = ["check_source", "start_from_word_vectors"]

# By the loss on 1,999 validation rows of AG News, among 1, 2, 4 and 8 times the spread of random
# embeddings (docs/LOG.md). Neither whitened vectors nor those weighted by frequency did better.
SPREAD = 4
SPECIAL_IDS = 2  # padding and [UNK], which keep the embeddings of a new network
UNKNOWN = "\u0378"  # of no meaning in Unicode, and so in no vocabulary
READ = {"long_texts": "head"}  # a word is never read in windows
OF_WORDS = {**READ, "max_length": 32, "pooling": "mean"}  # what fits into the smallest BERT, too


def check_source(name: str) -> str:
    """Returns the name of a BERT, or the whole path of its folder or run, after a check.

    Args:
        name: A BERT by its name in the zoo or on TF Hub, a folder with a BERT, or a finished run of
            one that answers whole texts.

    Raises:
        UnknownNameError: There is no such model.
        OptionError: The model has no BERT, or the run answers for each token.
        RunError: The run is not finished, or damaged.
        HubError: The BERT cannot be fetched.
    """
    run = _run_in(name)
    if run is None:
        try:
            entry = find_model(name)
        except UnknownNameError as error:
            raise OptionError(f"word_vectors: {error}; or a finished run of a BERT") from error
        _check_bert(name, entry.card.name, entry.has_encoder)
        entry.prepare()
        return os.path.abspath(name) if os.path.isabs(entry.card.name) else name
    described = RunDirectory(run.model).read_json("classifier.json")
    _check_bert(name, described["model"], "encoder" in described["options"])
    if described["task"]["name"] not in ("classification", "multi_label"):
        raise OptionError(
            f"word_vectors: {name} is a run of {described['task']['name']}; name a run of "
            "classification or multi_label, or the BERT itself"
        )
    return str(run.path.resolve())


def start_from_word_vectors(
    classifier: Classifier, console: rich.console.Console | None = None
) -> None:
    """Puts a BERT's vector of each word of the vocabulary into a network's token embeddings.

    Each word goes through the BERT alone. Its vectors are reduced to the size of an embedding by a
    principal component analysis, and scaled to the spread of the network's own random embeddings,
    which padding, [UNK] and words that the BERT cannot read keep. The BERT is named by the
    classifier's option ``word_vectors``; without one, nothing is done. Vectors are cached as
    features of a frozen encoder are. With several workers the chief computes them for all.

    Args:
        classifier: A new classifier.
        console: Where to show progress; None shows nothing.

    Raises:
        KerasnlpLabError: As in `check_source`.

    Source: Model2Vec, https://github.com/MinishLab/model2vec.
    """
    name = getattr(classifier.options, "word_vectors", "")
    if not name:
        return
    strategy = classifier.network.distribute_strategy
    layer = classifier.network.get_layer("embedding")
    table = getattr(layer, "token_emb", layer).embeddings  # [vocab_size, embed_dim]
    start = table.numpy()
    shape = start.shape
    if is_chief(strategy):
        start = _with_vectors(start, classifier.text.vocabulary(), name, console)
    else:
        start = np.zeros_like(start)
    start = np.reshape(sum_over_workers(strategy, start.ravel()), shape)
    table.assign(start.astype(np.float32))


def _with_vectors(
    start: np.ndarray, vocabulary: list[str], name: str, console: rich.console.Console | None
) -> np.ndarray:
    """Returns a table of embeddings, float32 [ids, size], with a BERT's vectors for its words."""
    began = time.perf_counter()
    words = [word.removeprefix("##") for word in vocabulary[SPECIAL_IDS:]]
    if console is not None:
        console.print(
            f"  word vectors: {len(words):,} words of the vocabulary go through {name} one by one, "
            "once; then they are cached",
            highlight=False,
            markup=False,
        )
    source = _open(name)
    tokens = tokenize(source.text, words)
    unknown = tokenize_flat(source.text, [UNKNOWN])[0][-1:]
    pieces = tokens.read(np.arange(len(words)))
    read = np.array([len(ids) > 0 and not np.isin(unknown, ids).any() for ids in pieces], bool)
    places = frozen_features(source, {"words": tokens}, console, unit="words")["words"]
    vectors = places.cache.read(places.places[read])  # [words, hidden]
    components = min(start.shape[1], *vectors.shape)
    ids = SPECIAL_IDS + np.flatnonzero(read)
    if components:
        reduced = PCA(components, svd_solver="covariance_eigh").fit_transform(vectors)
        start = start.copy()
        start[ids, :components] = reduced * (SPREAD * start.std() / max(reduced.std(), 1e-9))
    if console is not None:
        rest = len(words) - len(ids)
        console.print(
            f"  word vectors: {len(ids):,} words start from them, reduced to {components} numbers"
            + (f"; {rest:,} that {name} cannot read start at random" if rest else "")
            + f"  {time.perf_counter() - began:.1f} s",
            highlight=False,
            markup=False,
        )
    return start


def _open(name: str) -> Classifier:
    """Returns a classifier whose features are a BERT's vector of a text."""
    run = _run_in(name)
    if run is not None:
        return load_classifier(run.model, options=READ)
    # The classes have no meaning: only what is before the head computes.
    return create_model(name, Classification(("a", "b")), [], options=OF_WORDS)


def _run_in(name: str) -> RunDirectory | None:
    """Returns the finished run in a folder; None for another folder, or the name of a model."""
    folder = Path(os.path.expanduser(name))
    if name in model_names() or not folder.is_dir():
        return None
    try:
        config: Any = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_run = isinstance(config, dict) and "recipe" in config and "pretraining" not in config
    return RunDirectory.open(folder) if is_run else None


def _check_bert(name: str, model: str, has_bert: bool) -> None:
    if not has_bert:
        what = "" if name == model else f"a run of {model}, "
        raise OptionError(
            f"word_vectors: {name} is {what or 'a model '}without a BERT; name a BERT, such as "
            "minilm_l6_h384, a folder with one, or a run of one"
        )
