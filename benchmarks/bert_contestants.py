"""Who fine-tunes MiniLM, and who predicts with it: for the questions that compare them."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contestant import Contestant, Contestants, Reply
from environments import python_of
from materials import MINILM, Row, fine_tuned, labels_of, texts_of, write_hugging_face

from kerasnlp_lab import create_classifier
from kerasnlp_lab.data import TextDataset
from kerasnlp_lab.data.pairs import is_pair, split_pair
from kerasnlp_lab.hub import minilm_modules
from kerasnlp_lab.machine import best_precision

TORCH, KERAS_HUB = "peers-torch", "peers-keras-hub"
# The defaults, with the mean over all tokens; and the head that the peers have.
OURS = {"ours": {}, "ours_pooled": {"pooling": "pooled_output"}}


@contextmanager
def fine_tuners(arguments: argparse.Namespace, only: Sequence[str] = ()) -> Iterator[Contestants]:
    """Yields all who fine-tune MiniLM, or only some, from the same weights."""
    with tempfile.TemporaryDirectory() as name:
        untrained = create_classifier(MINILM, ["a", "b"], [])
        write_hugging_face(untrained, Path(name), head=False)
        handles = dataclasses.asdict(minilm_modules())
        torch, best = {"folder": name, "best": False}, hugging_face_at_its_best()
        known: dict[str, tuple[str, str, dict[str, Any]]] = {
            **{own: ("ours", "", {}) for own in OURS},
            "tf_hub_padded": ("tf_hub_padded", "", handles),
            "keras_hub": ("kerashub_bert", KERAS_HUB, {"folder": name}),
            "hugging_face": ("hugging_face", TORCH, torch),
            "hugging_face_best": ("hugging_face", TORCH, torch | best),
        }
        with Contestants(arguments.threads) as all_of_them:
            for one in only or known:
                script, extra, fields = known[one]
                python = python_of(extra) if extra else sys.executable
                all_of_them.start(one, script, python, **fields)
            yield all_of_them


def hugging_face_at_its_best() -> dict[str, bool]:
    """Returns the settings of contestants/hugging_face.py that are quickest on this machine."""
    return {"best": True, "bfloat16": best_precision() == "mixed_bfloat16"}


def start(
    one: Contestant,
    label_names: Sequence[str],
    *,
    seed: int,
    steps: int,
    pair: tuple[str, str] | None = None,
) -> None:
    """Has a contestant begin a new training, at the same peak learning rate as all.

    With `pair`, the names of two texts, it is a training on pairs.
    """
    fields: dict[str, Any] = {"seed": seed, "label_names": list(label_names), "steps": steps}
    if one.name in OURS:
        fields |= {"model": MINILM, "vocabulary": [], "options": OURS[one.name], "pair": pair}
    one.ask("start", **fields)


def train(one: Contestant, rows: Sequence[Row], epochs: int = 1) -> Reply:
    """Has a contestant train on rows."""
    return one.ask("train", texts=_sent(rows), labels=labels_of(rows), epochs=epochs)


def predict(one: Contestant, rows: Sequence[Row]) -> Reply:
    """Has a contestant find the classes of rows."""
    return one.ask("predict", texts=_sent(rows))


def _sent(rows: Sequence[Row]) -> list[Any]:
    """Returns the texts of rows; two for each pair."""
    return [split_pair(text) if is_pair(text) else text for text in texts_of(rows)]


@contextmanager
def fine_tuned_forms(data: TextDataset, rows: Sequence[Row]) -> Iterator[dict[str, str]]:
    """Yields the folders of one fine-tuned MiniLM: in our form and in Hugging Face's."""
    with tempfile.TemporaryDirectory() as name:
        folders = {form: str(Path(name, form)) for form in ("ours", "hugging_face")}
        print(f"fine-tuning MiniLM on {len(rows)} texts, for all", flush=True)
        classifier = fine_tuned(data, rows)
        classifier.save(folders["ours"])
        Path(folders["hugging_face"]).mkdir()
        write_hugging_face(classifier, Path(folders["hugging_face"]), head=True)
        yield folders


def tokenize(one: Contestant, rows: Sequence[Row]) -> Reply:
    """Has a contestant find the word pieces of rows."""
    return one.ask("tokenize", texts=texts_of(rows))


def latency(one: Contestant, rows: Sequence[Row]) -> Reply:
    """Has a contestant find the classes of rows, one at a time."""
    return one.ask("latency", texts=texts_of(rows))
