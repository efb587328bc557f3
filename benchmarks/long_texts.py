"""How much of the accuracy survives where the part that decides stands deep in a long text.

Each text is made of news of AG News: reports on world affairs, 600 word pieces or more; then
reports on sports, business or science, which decide (one, or --deciding of them); then up to three
more on world affairs. A model is trained on the reports that decide alone, and on the long texts
with each value of --long-texts. Its export answers the test texts too.

    python benchmarks/long_texts.py ag_news_csv --model minilm_l6_h384
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.export import export_classifier, open_predictor
from kerasnlp_lab.text import tokenize
from kerasnlp_lab.text.vectorizer import LONG_TEXTS
from kerasnlp_lab.training import train
from kerasnlp_lab.zoo import create_classifier, find_model, predict_logits

CLASSES = ("sports", "business", "science")  # the classes 2 to 4; 1 is world affairs
PIECES_BEFORE = 600


def read_news(file: Path) -> list[list[str]]:
    """Returns the reports of each class of a table of AG News."""
    found: list[list[str]] = [[] for _ in range(4)]
    with file.open(encoding="utf-8", newline="") as lines:
        for number, *parts in csv.reader(lines):
            if number.isdecimal():
                found[int(number) - 1].append(" ".join(parts).replace("\\", " "))
    return found


def long_rows(news: list[list[str]], rows: int, seed: int, count: int = 1) -> tuple[Split, Split]:
    """Returns long texts, and the reports in them that decide, `count` each, with the labels."""
    rng = np.random.default_rng(seed)
    text = find_model("minilm_l6_h384")
    vectorizer = text.build_text(text.with_options({"long_texts": "windows"}))
    vectorizer.read_long_texts("windows", 1)
    world = news[0]
    lengths = tokenize(vectorizer, world).lengths
    labels = np.arange(rows) % len(CLASSES)
    texts, deciding = [], []
    for label in labels:
        before: list[int] = []
        while lengths[before].sum() < PIECES_BEFORE:
            before.append(int(rng.integers(len(world))))
        after = rng.integers(len(world), size=rng.integers(4))
        chosen = rng.integers(len(news[label + 1]), size=count)
        deciding.append("\n".join(news[label + 1][one] for one in chosen))
        parts = [*(world[one] for one in before), deciding[-1], *(world[one] for one in after)]
        texts.append("\n".join(parts))
    return Split(texts, labels), Split(deciding, labels)


def make_data(
    folder: Path, rows: int, tests: int, seed: int = 0, count: int = 1
) -> dict[str, TextDataset]:
    """Returns the long texts, and those cut to the report that decides, with the same splits."""
    train_news = read_news(folder / "train.csv")
    parts = [
        long_rows([one[::2] for one in train_news], rows, seed, count),
        long_rows([one[1::2] for one in train_news], tests, seed + 1, count),
        long_rows(read_news(folder / "test.csv"), tests, seed + 2, count),
    ]
    names = ("long", "deciding")
    return {
        name: TextDataset(f"{name} texts", CLASSES, *(part[place] for part in parts))
        for place, name in enumerate(names)
    }


def measure(
    data: TextDataset, model: str, options: dict[str, Any], recipe: dict[str, Any], seed: int
) -> dict[str, Any]:
    """Trains a model, and returns its accuracy on the test texts, its export's, and times."""
    entry = find_model(model)
    classifier = create_classifier(model, CLASSES, data.train.texts, options=options)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recipe = dataclasses.replace(entry.recipe, **recipe)
        trained = train(classifier, data, recipe, folder / "run", seed=seed)
        began = time.perf_counter()
        right = predict_logits(classifier, data.test.texts).argmax(1) == data.test.labels
        predict_seconds = time.perf_counter() - began
        export_classifier(classifier, folder / "export")
        answers = open_predictor(folder / "export").predict(list(data.test.texts))
        labels = np.array([CLASSES.index(one.label) for one in answers])
    return {
        "accuracy": float(right.mean()),
        "standard_error": float(right.std() / len(right) ** 0.5),
        "export_accuracy": float((labels == data.test.labels).mean()),
        "train_seconds": trained.seconds,
        "predict_seconds": predict_seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a folder with AG News' train.csv and test.csv")
    parser.add_argument("--model", default="minilm_l6_h384")
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--rows", type=int, default=1200)
    parser.add_argument("--tests", type=int, default=600)
    parser.add_argument("--deciding", type=int, default=1, help="reports that decide; default 1")
    parser.add_argument("--recipe", type=json.loads, default={}, help="changes, as JSON")
    parser.add_argument("--windows", type=int, default=4, help="windows_in_training; default 4")
    parser.add_argument("--only", nargs="*", default=["deciding", *LONG_TEXTS])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    data = make_data(arguments.data, arguments.rows, arguments.tests, count=arguments.deciding)
    for name in arguments.only:
        options: dict[str, Any] = {"max_length": arguments.max_length}
        if name != "deciding":
            options |= {"long_texts": name, "windows_in_training": arguments.windows}
        rows = data["deciding" if name == "deciding" else "long"]
        result = measure(rows, arguments.model, options, arguments.recipe, arguments.seed)
        print(json.dumps({"texts": name, **result}), flush=True)


if __name__ == "__main__":
    main()
