"""A line of JSON a result, so that results can be compared over time and machines."""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contestant import Contestant
from harness import Results, spread

HERE = Path(__file__).parent


def report(
    arguments: argparse.Namespace,
    contestants: Sequence[Contestant],
    results: Results,
    unit: str = "texts/s",
    **more: Any,
) -> None:
    """Prints every contestant's rate and our ratio to it, and appends a line to the history.

    Args:
        arguments: The command's; ``question`` and ``history`` are among them.
        contestants: Who took part.
        results: Of the rounds.
        unit: Of the rates.
        more: What else belongs to the result.
    """
    ratios = {name: results.ratios(name) for name in results.rates if name.startswith("ours")}
    for name, rates in results.rates.items():
        print(f"{name:20}{statistics.median(rates):12.5g} {unit}")
    for own, against in ratios.items():
        for name, values in against.items():
            print(f"{own} / {name}: {spread(values)}")
    append(
        arguments,
        {one.name: one.versions for one in contestants},
        unit=unit,
        rates=results.rates,
        texts=results.counts,
        ratios=ratios,
        median={
            own: {name: statistics.median(values) for name, values in against.items()}
            for own, against in ratios.items()
        },
        **more,
    )


def append(
    arguments: argparse.Namespace, versions: dict[str, dict[str, str]], **result: Any
) -> None:
    """Appends one result to the history file.

    Args:
        arguments: The command's; ``question`` and ``history`` are among them.
        versions: Of the packages of every contestant, by contestant.
        result: What was found.
    """
    apart = ("question", "history", "data_dir")
    given = {key: value for key, value in vars(arguments).items() if key not in apart}
    line = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "question": arguments.question,
        **result,
        "arguments": {key: _shown(value) for key, value in given.items()},
        "commit": _commit(),
        "machine": machine(),
        "versions": versions,
    }
    with arguments.history.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _shown(value: Any) -> str:
    """Returns an argument as text; of a path its last part, since others are of one machine."""
    return value.name if isinstance(value, Path) else str(value)


def machine() -> dict[str, Any]:
    """Returns what the machine is: processor, what it can do in bfloat16, cores, system."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    named = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)
    }
    flags = named.get("flags", "").split()
    return {
        "cpu": named.get("model name", platform.processor()),
        "cores": sum(line.startswith("processor") for line in lines),
        "bfloat16": [flag for flag in ("avx512_bf16", "amx_bf16") if flag in flags],
        "system": f"{platform.system()} {platform.machine()}",
    }


def _commit() -> str:
    """Returns the commit, with a + where files that git knows were changed since."""
    command = ["git", "-C", str(HERE), "describe", "--always", "--abbrev=12", "--dirty=+"]
    result = subprocess.run(command, capture_output=True, text=True)
    return result.stdout.strip() if result.returncode == 0 else "unknown"
