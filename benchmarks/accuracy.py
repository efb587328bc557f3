"""How accurate MiniLM is after the same epochs, rows and learning rate, for all of fine_tune.py.

On AG News accuracy on test rows, on SMS spam accuracy and the F1 of spam; mean and spread over
seeds, which choose the training rows as well. Linear warm-up to the same peak over a tenth of
the steps, linear decay to 0, batches of 32; the last epoch counts.
"""

from __future__ import annotations

import statistics

import numpy as np
from bert_contestants import fine_tuners, predict, start, train
from contestant import Contestant
from history import append
from materials import ag_news, different, labels_of, question
from sklearn.metrics import accuracy_score, f1_score

from kerasnlp_lab import load_dataset
from kerasnlp_lab.data import TextDataset

BATCH = 32


def scores(
    one: Contestant, data: TextDataset, *, seed: int, rows: int, epochs: int, test_rows: int
) -> dict[str, float]:
    """Has a contestant train on some rows and returns what it then scores on test rows."""
    known = different(data.train)
    chosen = np.random.default_rng(seed).permutation(len(known))[:rows]
    start(one, data.label_names, seed=seed, steps=epochs * (len(chosen) // BATCH))
    train(one, [known[row] for row in chosen], epochs)
    test = different(data.test)[:test_rows]
    truth, found = labels_of(test), predict(one, test)["labels"]
    result = {"accuracy": float(accuracy_score(truth, found))}
    if data.label_names == ("ham", "spam"):
        result["spam F1"] = float(f1_score(truth, found))
    return result


def main() -> None:
    parser = question("accuracy", __doc__)
    parser.add_argument("--seeds", type=int, default=3, help="default 3")
    parser.add_argument("--rows", type=int, default=640, help="to train on; default 640")
    parser.add_argument("--epochs", type=int, default=2, help="default 2")
    parser.add_argument("--test-rows", type=int, default=1000, help="default 1000")
    parser.add_argument("--only", nargs="+", default=[], help="contestants; default: all")
    arguments = parser.parse_args()
    size = {name: getattr(arguments, name) for name in ("rows", "epochs", "test_rows")}
    for data in (ag_news(arguments), load_dataset("sms_spam")):
        found: dict[str, dict[str, list[float]]] = {}
        for seed in range(arguments.seeds):
            # New processes each time: what a library keeps of a model is gone with them.
            with fine_tuners(arguments, arguments.only) as contestants:
                for one in contestants:
                    for score, value in scores(one, data, seed=seed, **size).items():
                        found.setdefault(score, {}).setdefault(one.name, []).append(value)
                versions = {one.name: one.versions for one in contestants}
        show(data.name, found)
        append(arguments, versions, dataset=data.name, scores=found)


def show(dataset: str, found: dict[str, dict[str, list[float]]]) -> None:
    """Prints mean, least and greatest of every score of every contestant."""
    for score, values in found.items():
        for name, each in values.items():
            spread = f"{statistics.mean(each):.4f} ({min(each):.4f} to {max(each):.4f})"
            print(f"{dataset:10}{score:10}{name:20}{spread}", flush=True)


if __name__ == "__main__":
    main()
