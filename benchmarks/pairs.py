"""How accurate MiniLM is on pairs of texts after the same training, beside Hugging Face.

The same weights, rows, epochs and peak of the learning rate, linear warm-up over a tenth of the
steps and linear decay, batches of 32, at most 128 tokens; seeds in turns, and the last epoch
counts. The contestants:

  ours               the mean over all tokens, as is its default
  ours_pooled        the pooled output, as Hugging Face's BertForSequenceClassification takes it
  hugging_face       as its Trainer does by default, in float32
  hugging_face_best  batches of similar length, under bfloat16's autocast where the machine has it

DATA is a folder with a table "train" and a table "test". The interval of a difference is a paired
bootstrap's over test rows, of the mean over the seeds.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
from bert_contestants import fine_tuners, predict, start, train
from history import append
from materials import Row, question
from scipy.stats import bootstrap

from kerasnlp_lab.data import Split, load_labelled_rows, load_table

BATCH = 32
CONTESTANTS = ("ours", "hugging_face_best")


def main() -> None:
    parser = question("pairs", __doc__)
    parser.add_argument("data", type=Path, help="a folder with train and test")
    parser.add_argument("--text-column", default="premise", help="default premise")
    parser.add_argument("--second-text-column", default="hypothesis", help="default hypothesis")
    parser.add_argument("--label-column", default="label", help="default label")
    parser.add_argument("--seeds", type=int, default=3, help="default 3")
    parser.add_argument("--epochs", type=int, default=4, help="default 4")
    parser.add_argument("--rows", type=int, default=0, help="of each table; default: all")
    parser.add_argument(
        "--only", nargs="+", default=[], help=f"contestants; default: {' '.join(CONTESTANTS)}"
    )
    arguments = parser.parse_args()
    pair = arguments.text_column, arguments.second_text_column
    columns = {
        "text_columns": pair[0],
        "second_text_column": pair[1],
        "label_column": arguments.label_column,
    }
    names = load_table(arguments.data, **columns).label_names
    files = {file.stem: file for file in sorted(arguments.data.iterdir())}
    known, test = (
        _rows(load_labelled_rows(files[part], names, **columns)[0], arguments.rows)
        for part in ("train", "test")
    )
    right: dict[str, list[np.ndarray]] = {}
    seconds: dict[str, list[float]] = {}
    with fine_tuners(arguments, arguments.only or CONTESTANTS) as contestants:
        for seed in range(arguments.seeds):
            rows = [known[row] for row in np.random.default_rng(seed).permutation(len(known))]
            for one in list(contestants)[:: 1 if seed % 2 == 0 else -1]:
                steps = arguments.epochs * -(-len(rows) // BATCH)
                start(one, names, seed=seed, steps=steps, pair=pair)
                seconds.setdefault(one.name, []).append(
                    train(one, rows, arguments.epochs)["seconds"]
                )
                found = np.array(predict(one, test)["labels"])
                truth = np.array([label for _, label in test])
                right.setdefault(one.name, []).append(found == truth)
                accuracy = right[one.name][-1].mean()
                print(
                    f"seed {seed}: {one.name:18} accuracy {accuracy:.4f}, training "
                    f"{seconds[one.name][-1]:.0f} s",
                    flush=True,
                )
        versions = {one.name: one.versions for one in contestants}
    name = arguments.data = (
        arguments.data.resolve().name
    )  # the history keeps no path of this machine
    scores = {one: [float(each.mean()) for each in all_] for one, all_ in right.items()}
    # The seconds are recorded but not shown: a contestant trains for minutes, and other work on the
    # machine does not stay the same for so long.
    more = {"differences": _differences(right), "training_seconds": seconds}
    append(arguments, versions, dataset=name, scores={"accuracy": scores}, **more)


def _rows(split: Split, most: int) -> list[Row]:
    rows = list(zip(split.texts, map(int, split.labels), strict=True))
    return rows[: most or len(rows)]


def _differences(right: dict[str, list[np.ndarray]]) -> dict[str, list[float]]:
    """Prints all means, and returns ours minus each other's, with its interval."""
    differences = {}
    means = {name: np.mean(each, axis=0) for name, each in right.items()}  # [rows]
    for name, mean in means.items():
        each = [float(one.mean()) for one in right[name]]
        print(f"{name:18} {statistics.mean(each):.4f} ({min(each):.4f} to {max(each):.4f})")
        if name == "ours" or "ours" not in means:
            continue
        of_rows = means["ours"] - mean
        random = np.random.default_rng(0)
        found = bootstrap((of_rows,), np.mean, method="percentile", rng=random)
        low, high = map(float, found.confidence_interval)
        difference = float(of_rows.mean())
        differences[name] = [difference, low, high]
        print(
            f"  ours is {100 * difference:+.2f} points (95% {100 * low:+.2f} to {100 * high:+.2f})"
        )
    return differences


if __name__ == "__main__":
    main()
