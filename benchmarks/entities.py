"""How well and how fast entities are found after the same training: F1 and sentences a second.

The same rows, epochs and peak of the learning rate, batches of 32, seeds in turns. The contestants:

  ours               --task entities on MiniLM; the best epoch on the validation rows counts
  ours_from_scratch  hash_embed_cnn by its own recipe
  hugging_face       BertForTokenClassification on the same weights, a tag for each word's first
                     piece, padded to the batch, float32; the last epoch counts
  hugging_face_best  the same in batches of similar length, under bfloat16's autocast where the
                     machine has bfloat16

DATA is a folder with train, validation (or dev) and test as CoNLL files. An entity is right if its
place and its type are. The interval of the difference is a paired bootstrap's over test sentences.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bert_contestants import TORCH, hugging_face_at_its_best
from contestant import Contestant, Contestants
from environments import python_of
from history import append
from materials import MINILM, question, write_hugging_face

from kerasnlp_lab import create_classifier
from kerasnlp_lab.data import Split, TextDataset, load_entities
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.evaluation.paired_tests import paired_bootstrap_f1

BATCH, LEARNING_RATE = 32, 2e-4
WARM_UP = 64  # sentences


def words_and_tags(split: Split) -> tuple[list[list[str]], list[list[str]]]:
    """Returns the words of texts that were joined by spaces, and a tag for each."""
    words, tags = [], []
    for text, spans in zip(split.texts, split.spans or (), strict=True):
        words.append(text.split(" "))
        tags.append([])
        place = 0
        for word in words[-1]:
            own = [one for one in spans if one.start <= place < one.end]
            kind = "B" if own and own[0].start == place else "I"
            tags[-1].append(f"{kind}-{own[0].label}" if own else "O")
            place += len(word) + 1
    return words, tags


def spans_of(words: Sequence[str], tags: Sequence[str]) -> Iterator[Span]:
    """Yields the entities of tags as seqeval does: an I that continues nothing begins one."""
    begin, label, place = -1, "", 0
    for word, tag in zip([*words, ""], [*tags, "O"], strict=True):
        continues = tag[2:] == label and tag.startswith("I") and begin >= 0
        if begin >= 0 and not continues:
            yield Span(begin, place - 1, label)
            begin = -1
        if tag != "O" and not continues:
            begin, label = place, tag[2:]
        place += len(word) + 1


def counts_of(found: Sequence[Sequence[Any]], split: Split) -> np.ndarray:
    """Returns right, found and true entities of each row, int64 [rows, 3]."""
    pairs = [
        ({tuple(one) for one in f}, set(true))
        for f, true in zip(found, split.spans or (), strict=True)
    ]
    return np.array([[len(f & true), len(f), len(true)] for f, true in pairs])


def take_part(one: Contestant, data: TextDataset, seed: int, epochs: int) -> dict[str, Any]:
    """Has a contestant train and predict, and returns its counts and its speeds."""
    train, test = data.train, data.test
    assert isinstance(train, Split)
    if one.name.startswith("ours"):
        same = one.name == "ours"
        rate = LEARNING_RATE if same else None
        one.ask("start", seed=seed, label_names=data.label_names, learning_rate=rate)
        parts = [{"texts": list(s.texts), "spans": s.spans} for s in (train, data.validation)]
        rows, validation = parts
        count = epochs if same else None
        trained = one.ask("train", rows=rows, validation=validation, epochs=count)
        one.ask("predict", texts=list(test.texts)[:WARM_UP])
        reply = one.ask("predict", texts=list(test.texts))
        found = reply["spans"]
    else:
        tags = ["O", *(f"{kind}-{name}" for name in data.label_names for kind in "BI")]
        steps = epochs * -(-len(train) // BATCH)
        one.ask("start", seed=seed, tags=tags, steps=steps, learning_rate=LEARNING_RATE)
        words, tags_of_words = words_and_tags(train)
        trained = one.ask("train", words=words, tags=tags_of_words, epochs=epochs)
        words, _ = words_and_tags(test)
        one.ask("predict", words=words[:WARM_UP])
        reply = one.ask("predict", words=words)
        found = [list(spans_of(*row)) for row in zip(words, reply["tags"], strict=True)]
    return {
        "counts": counts_of(found, test),
        "train": trained.get("epochs", epochs) * len(train) / trained["seconds"],
        "predict": len(test) / reply["seconds"],
    }


def main() -> None:
    parser = question("entities", __doc__)
    parser.add_argument("data", type=Path, help="a folder with CoNLL files")
    parser.add_argument("--seeds", type=int, default=3, help="default 3")
    parser.add_argument("--epochs", type=int, default=3, help="default 3")
    parser.add_argument("--rows", type=int, default=0, help="of each split; default: all")
    arguments = parser.parse_args()
    data = _data(arguments)
    results: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as name, Contestants(arguments.threads) as contestants:
        write_hugging_face(create_classifier(MINILM, ["a", "b"], []), Path(name), head=False)
        torch: dict[str, Any] = {"folder": name, "best": False}
        contestants.start("ours", "ours_tagger", sys.executable, model=MINILM)
        contestants.start(
            "ours_from_scratch", "ours_tagger", sys.executable, model="hash_embed_cnn"
        )
        python = python_of(TORCH)
        contestants.start("hugging_face", "hugging_face_tagger", python, **torch)
        best = torch | hugging_face_at_its_best()
        contestants.start("hugging_face_best", "hugging_face_tagger", python, **best)
        for seed in range(arguments.seeds):
            for one in list(contestants)[:: 1 if seed % 2 == 0 else -1]:
                result = take_part(one, data, seed, arguments.epochs)
                results.setdefault(one.name, []).append(result)
                print(f"seed {seed}: {one.name:18} {_shown(result)}", flush=True)
        versions = {one.name: one.versions for one in contestants}
    folder = arguments.data.resolve().name
    arguments.data = folder  # the history keeps no path of this machine
    append(arguments, versions, dataset=folder, **_summary(results))


def _data(arguments: argparse.Namespace) -> TextDataset:
    files = {file.stem: file for file in sorted(arguments.data.iterdir())}
    validation = files.get("validation", files.get("dev"))
    data = load_entities(files["train"], validation=validation, test=files["test"], joiner="space")
    if not arguments.rows:
        return data
    some = [one.take(np.arange(min(arguments.rows, len(one)))) for one in (data.train, data.test)]
    return TextDataset(data.name, data.label_names, some[0], some[1], some[1])


def _f1(counts: np.ndarray) -> float:
    right, found, true = counts.sum(axis=0)
    return float(2 * right / max(found + true, 1))


def _shown(result: dict[str, Any]) -> str:
    return (
        f"F1 {_f1(result['counts']):.4f}, training {result['train']:.1f} and predicting "
        f"{result['predict']:.1f} sentences/s"
    )


def _summary(results: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Prints and returns the means, our differences and our ratios."""
    counts = {name: np.array([one["counts"] for one in all]) for name, all in results.items()}
    scores = {name: [_f1(one) for one in each] for name, each in counts.items()}
    measures: dict[str, Any] = {"entity F1": scores}
    for work in ("train", "predict"):
        speeds = {name: [one[work] for one in each] for name, each in results.items()}
        measures[f"{work}, sentences/s"] = speeds
    summary: dict[str, Any] = {"scores": measures, "differences": {}, "medians": {}}
    for name, each in scores.items():
        print(f"{name:20} F1 {statistics.mean(each):.4f} ({min(each):.4f} to {max(each):.4f})")
        if name == "ours":
            continue
        low, high, p = paired_bootstrap_f1(counts["ours"], counts[name])
        difference = statistics.mean(scores["ours"]) - statistics.mean(each)
        summary["differences"][name] = [difference, low, high, p]
        ratios = {
            work: statistics.median(
                own[work] / other[work]
                for own, other in zip(results["ours"], results[name], strict=True)
            )
            for work in ("train", "predict")
        }
        summary["medians"][name] = ratios
        print(
            f"  ours is {100 * difference:+.2f} points (95% {100 * low:.2f} to {100 * high:.2f}), "
            f"{ratios['train']:.2f} times as fast in training and {ratios['predict']:.2f} in "
            "predicting"
        )
    return summary


if __name__ == "__main__":
    main()
