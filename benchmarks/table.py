"""The newest result of every question on every machine in the history, as Markdown tables.

python benchmarks/table.py
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from harness import spread


def newest(history: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Returns, by machine and question, the last line; a task is a question of its own."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for text in history.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        found.setdefault(_machine(line["machine"]), {})[_question(line)] = line
    return found


def _machine(machine: dict[str, Any]) -> str:
    units = " and ".join(machine["bfloat16"]) or "no bfloat16"
    return f"{machine['cpu']}, {machine['cores']} cores, {units}"


def _question(line: dict[str, Any]) -> str:
    percentile, threads = line.get("percentile"), line["arguments"].get("threads")
    parts = (
        line["question"],
        line.get("task"),
        percentile and f"{percentile}th percentile",
        "on one processor" if threads == "1" else "",
    )
    return " ".join(part for part in parts if part)


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
    for own, shares in line.get("shares", {}).items():
        products = statistics.median(line["products"][line["precision"].removeprefix("mixed_")])
        limit = f"{products / 1e9:.0f} GFLOP/s"
        found.append(f"| {question} | {own} | | matrix products | {limit} | {spread(shares)} |")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--history", type=Path, default=Path(__file__).parent / "history.jsonl")
    given = parser.parse_args()
    for machine, lines in newest(given.history).items():
        print(f"\n{machine}\n")
        print("| question | ours | | against | | ratio |\n|---|---|---|---|---|---|")
        for question, line in lines.items():
            print(*(row + "\n" for row in rows(question, line)), sep="", end="")


if __name__ == "__main__":
    main()
