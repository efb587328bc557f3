"""How long `kerasnlp-lab --help` and `import kerasnlp_lab` take, against `python -c pass`."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from history import append

COMMANDS = {
    "kerasnlp-lab --help": [str(Path(sys.executable).with_name("kerasnlp-lab")), "--help"],
    "import kerasnlp_lab": [sys.executable, "-c", "import kerasnlp_lab"],
    "pass": [sys.executable, "-c", "pass"],
}


def seconds(command: list[str]) -> float:
    """Returns how long a command takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(prog="start.py", description=__doc__)
    parser.set_defaults(question="start")
    parser.add_argument("--rounds", type=int, default=20, help="default 20")
    history = Path(__file__).parent / "history.jsonl"
    parser.add_argument("--history", type=Path, default=history, help="where results are appended")
    arguments = parser.parse_args()
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(arguments.rounds + 1):
        for name, command in COMMANDS.items():
            took = seconds(command)
            if number:  # the first reads files that later ones find in memory
                found[name].append(took)
    for name, values in found.items():
        middle, least, most = statistics.median(values), min(values), max(values)
        print(f"{name:20} {middle:.3f} s ({least:.3f} to {most:.3f})")
    append(
        arguments,
        {"ours": {"python": sys.version.split()[0]}},
        seconds=found,
        median={name: statistics.median(values) for name, values in found.items()},
    )


if __name__ == "__main__":
    main()
