"""How well and how fast a classifier is trained on a few rows a class: AG News.

The same rows and test rows, in turns. The contestants:

  ours           train --recipe few_shot, without its cross-validation
  ours_by_model  MiniLM's own recipe, which is meant for hundreds of rows
  set_fit        SetFit with its defaults, on the same weights, in float32

A draw chooses the training rows; the rows of 8 a class are among those of 16. The seconds are from
the files of the model to a trained classifier. The interval of the difference is a t-test's over
the draws.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
from contestant import Contestants
from environments import python_of
from history import append
from materials import (
    MINILM,
    Row,
    ag_news,
    different,
    labels_of,
    question,
    texts_of,
    write_hugging_face,
)

from kerasnlp_lab import create_classifier

SETFIT = "peers-setfit"


def draw(rows: list[Row], size: int, seed: int) -> list[Row]:
    """Returns some rows of each class, the first of a random order."""
    order = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
    classes = sorted({label for _, label in rows})
    return [row for one in classes for row in [row for row in order if row[1] == one][:size]]


def main() -> None:
    parser = question("few_shot", __doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[8, 16, 64], help="rows a class")
    parser.add_argument("--draws", type=int, default=10, help="default 10")
    parser.add_argument("--first-draw", type=int, default=0, help="default 0")
    parser.add_argument("--test-rows", type=int, default=2000, help="default 2000")
    parser.add_argument("--only", nargs="+", default=[], help="contestants; default: all")
    arguments = parser.parse_args()
    data = ag_news(arguments)
    known = different(data.train)
    seen = set(texts_of(known))
    test = [row for row in different(data.test) if row[0] not in seen][: arguments.test_rows]
    scores: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder, Contestants(arguments.threads) as contestants:
        write_hugging_face(create_classifier(MINILM, ["a", "b"], []), Path(folder), head=False)
        entries: dict[str, tuple[str, dict[str, Any]]] = {
            "ours": ("ours_few", {"recipe": "few_shot"}),
            "ours_by_model": ("ours_few", {"recipe": ""}),
            "set_fit": ("set_fit", {"folder": folder}),
        }
        for name in arguments.only or entries:
            script, settings = entries[name]
            python = python_of(SETFIT) if name == "set_fit" else sys.executable
            contestants.start(name, script, python, **settings)
        for size in arguments.sizes:
            for seed in range(arguments.first_draw, arguments.first_draw + arguments.draws):
                rows = draw(known, size, seed)
                for one in list(contestants)[:: 1 if seed % 2 == 0 else -1]:
                    training = {"texts": texts_of(rows), "labels": labels_of(rows), "seed": seed}
                    seconds = one.ask("train", **training)["seconds"]
                    found = one.ask("predict", texts=texts_of(test))["labels"]
                    accuracy = float(np.mean(np.array(found) == labels_of(test)))
                    print(f"{size} a class, draw {seed}: {one.name:15}{accuracy:.4f}", flush=True)
                    for measure, value in (("accuracy", accuracy), ("seconds", seconds)):
                        by_name = scores.setdefault(f"{measure} with {size} rows a class", {})
                        by_name.setdefault(one.name, []).append(value)
        versions = {one.name: one.versions for one in contestants}
    append(arguments, versions, scores=scores, differences=_differences(scores))


def _differences(scores: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, list[float]]]:
    """Prints the means, and returns how far ours is ahead with the ends of the interval."""
    differences: dict[str, dict[str, list[float]]] = {}
    for measure, by_name in scores.items():
        for name, values in by_name.items():
            print(f"{measure:35}{name:15}{statistics.mean(values):.4f}")
            is_peer = name != "ours" and "ours" in by_name and measure.startswith("accuracy")
            if is_peer and len(values) > 1:
                ahead = np.subtract(by_name["ours"], values)
                spread = scipy.stats.t(len(ahead) - 1, ahead.mean(), scipy.stats.sem(ahead))
                found = [float(ahead.mean()), *map(float, spread.interval(0.95))]
                differences.setdefault(measure, {})[name] = found
                mean, low, high = (100 * value for value in found)
                print(f"  ours is {mean:+.2f} points (95% {low:.2f} to {high:.2f})")
    return differences


if __name__ == "__main__":
    main()
