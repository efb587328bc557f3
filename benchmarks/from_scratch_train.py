"""How fast a from-scratch model trains on AG News, from strings: texts a second.

  ours      kerasnlp_lab's transformer, trained by kerasnlp_lab.train with its recipe's batches
  tutorial  the tutorial's code as written: batches of 128, every text padded to 256 words

With --model lstm or rnn_attention, ours is that model, and tutorial is the same network of Keras'
layers, fed as a tutorial does it: rows in any order, each padded to 256 words.

With --accuracy, then: test accuracy of both after training on all rows, ours as its recipe
says, the tutorial's for as many epochs, whose best on the test split is taken, too.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from bert_contestants import train
from contestant import Contestant, Contestants
from harness import Slices, compare
from history import report
from materials import ag_news, different, question

from kerasnlp_lab.data import Split, TextDataset

MODEL = "transformer"
MODELS = (MODEL, "lstm", "rnn_attention")


def start(one: Contestant, data: TextDataset, seed: int = 0, model: str = MODEL) -> None:
    """Has a contestant make a new model with the vocabulary of the training split."""
    fields = {"seed": seed, "label_names": data.label_names, "vocabulary": list(data.train.texts)}
    named = one.name == "ours" or model != MODEL
    one.ask("start", **fields, **({"model": model} if named else {}))


def rows_of(split: Split) -> tuple[list[str], list[int]]:
    """Returns texts and label ids of a split."""
    return list(split.texts), split.labels.tolist()


def test_accuracy(one: Contestant, data: TextDataset) -> float:
    """Returns the share of the test split that a contestant finds the class of."""
    found = one.ask("predict", texts=list(data.test.texts))["labels"]
    return float(np.mean(found == data.test.labels))


def accuracies(
    ours: Contestant, tutorial: Contestant, data: TextDataset, model: str
) -> dict[str, float]:
    """Trains both on all rows and returns their accuracies."""
    texts, labels = rows_of(data.train)
    start(ours, data, model=model)
    trained = ours.ask("train_by_recipe", rows=(texts, labels), validation=rows_of(data.validation))
    start(tutorial, data, model=model)
    found = []
    for _ in range(trained["epochs"]):
        tutorial.ask("train", texts=texts, labels=labels)
        found.append(test_accuracy(tutorial, data))
    return {
        "epochs": trained["epochs"],
        "ours": test_accuracy(ours, data),
        "tutorial": found[-1],
        "tutorial, its best epoch": max(found),
    }


def main() -> None:
    parser = question("from_scratch_train", __doc__, rounds=3, texts=2560)
    parser.add_argument("--model", choices=MODELS, default=MODEL)
    parser.add_argument("--accuracy", action=argparse.BooleanOptionalAction, default=False)
    arguments = parser.parse_args()
    if arguments.model != MODEL:
        arguments.question += f"_{arguments.model}"
    data = ag_news(arguments)
    slices = Slices(different(data.train), arguments.texts)
    with Contestants(arguments.threads) as contestants:
        contestants.start("ours", "ours", sys.executable)
        recurrent = arguments.model != MODEL
        program = "tutorial_recurrent" if recurrent else "tutorial_transformer"
        contestants.start("tutorial", program, sys.executable)
        for one in contestants:
            start(one, data, model=arguments.model)
        results = compare(
            contestants, slices, train, rounds=arguments.rounds, least=512, multiple=128
        )
        found = accuracies(*contestants, data, arguments.model) if arguments.accuracy else {}
        for name, value in found.items():
            print(f"test accuracy, {name}: {value:.4f}" if name != "epochs" else f"{value} epochs")
        report(arguments, contestants, results, accuracy=found)


if __name__ == "__main__":
    main()
