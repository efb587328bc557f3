"""What --deterministic costs: the speed of training with it and without, interleaved.

    python benchmarks/deterministic.py transformer --rounds 5
    python benchmarks/deterministic.py minilm_l6_h384 --rounds 3 -- --frozen-epochs 0 --epochs 1

What follows -- is handed on to `kerasnlp-lab train`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


def speed(model: str, options: list[str], folder: Path) -> tuple[float, str]:
    """Returns texts a second of the training steps, and the hash of what was learned."""
    command = [sys.executable, "-m", "kerasnlp_lab", "train", "--model", model, *options]
    command += ["--dataset", "news_sample", "--output", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    training = json.loads((folder / "metrics.json").read_text())["training"]
    return training["texts_per_second"], training["final_sha256"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("options", nargs="*")
    given = parser.parse_args()
    ratios, hashes = [], {"with": set(), "without": set()}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.rounds):
            found = {}
            for name, flag in (("without", []), ("with", ["--deterministic"])):
                run = Path(folder) / f"{number}-{name}"
                found[name], sha256 = speed(given.model, [*given.options, *flag], run)
                hashes[name].add(sha256)
            ratios.append(found["without"] / found["with"])
            print(
                f"{found['without']:8.1f} texts/s without, {found['with']:8.1f} with:"
                f" {ratios[-1]:.2f} times as fast without",
                flush=True,
            )
    print(
        f"{given.model}: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to "
        f"{max(ratios):.2f}; different results in {given.rounds} runs: "
        f"{len(hashes['with'])} with, {len(hashes['without'])} without"
    )


if __name__ == "__main__":
    main()
