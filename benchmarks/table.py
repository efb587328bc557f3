"""The newest result of every question in the history, as the tables of docs/performance.md.

python benchmarks/table.py
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from harness import spread


def newest(history: Path) -> dict[str, dict[str, Any]]:
    """Returns the last line of each question, and of each of its tasks."""
    lines = map(json.loads, history.read_text(encoding="utf-8").splitlines())
    return {" ".join(filter(None, (one["question"], one.get("task")))): one for one in lines}


def rows(question: str, line: dict[str, Any]) -> list[str]:
    """Returns the rows of the table for one result."""
    unit = line.get("unit", "")
    found = []
    for own, against in line.get("ratios", {}).items():
        rate = statistics.median(line["rates"][own])
        for peer, ratios in against.items():
            theirs = statistics.median(line["rates"][peer])
            cells = (question, own, f"{rate:.4g}", peer, f"{theirs:.4g} {unit}", spread(ratios))
            found.append(f"| {' | '.join(cells)} |")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--history", type=Path, default=Path(__file__).parent / "history.jsonl")
    given = parser.parse_args()
    print("| question | ours | | against | | ratio |\n|---|---|---|---|---|---|")
    for question, line in newest(given.history).items():
        print("\n".join(rows(question, line)))


if __name__ == "__main__":
    main()
