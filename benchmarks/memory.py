"""Peak memory of a training run on a table, and on one of ten times as many rows.

    python benchmarks/memory.py TABLE [--rows 100000] [--times 10]

TABLE has real texts and labels (any table that `train --data` reads); larger ones are
made by repeating its rows with a number and some words of others added.
"""

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kerasnlp_lab.data import load_table

TRAIN = (
    *("train", "--model", "transformer", "--epochs", "1", "--batch-size", "512"),
    *("--max-length", "32", "--option", "embed_dim=16", "--option", "ff_dim=16"),
)


def make_table(source: Path, target: Path, rows: int) -> None:
    """Writes rows that are all different, with the source's texts and labels."""
    data = load_table(source)
    known = [
        (text, data.label_names[label])
        for part in (data.train, data.validation, data.test)
        for text, label in zip(part.texts, part.labels, strict=True)
    ]
    chance = random.Random(0)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", "text"])
        for number in range(rows):
            text, label = known[number % len(known)]
            other = chance.choice(known)[0].split()
            extra = chance.sample(other, min(3, len(other)))
            writer.writerow([label, " ".join([text, *extra, str(number)])])


def peak_of_a_run(table: Path, output: Path) -> dict[str, float]:
    """Trains on a table in a process of its own; returns its peak resident memory and time."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "kerasnlp_lab", *TRAIN, "--data", table, "--output", output]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"training on {table} failed")
    accuracy = json.loads((output / "metrics.json").read_text())["test"]["accuracy"]
    return {
        "peak_mib": round(usage.ru_maxrss / 1024, 1),
        "seconds": round(time.perf_counter() - began, 1),
        "accuracy": accuracy,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=10)
    asked = parser.parse_args()
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in (asked.rows, asked.rows * asked.times):
            table = Path(folder, f"{rows}.csv")
            make_table(asked.table, table, rows)
            result = peak_of_a_run(table, Path(folder, f"run-{rows}"))
            print(json.dumps({"rows": rows, **result}), flush=True)
            peaks.append(result["peak_mib"])
    print(json.dumps({"ratio": round(peaks[1] / peaks[0], 3)}))


if __name__ == "__main__":
    main()
