"""`print_summary`: an inspection on the terminal."""

from __future__ import annotations

import itertools

import rich.console
import rich.table
from rich.text import Text

from kerasnlp_lab.data.inspection.finding import KINDS, beginning, printable
from kerasnlp_lab.data.inspection.inspection import Inspection
from kerasnlp_lab.data.inspection.lengths import Lengths
from kerasnlp_lab.data.inspection.rows import SPLITS, table_of

__all__ = ["print_summary"]

BAR = 40
TEXT = 72
CLASSES = 100


def print_summary(inspection: Inspection, console: rich.console.Console, show: int = 5) -> None:
    """Prints the rows, classes, lengths and scripts, and the first findings of each kind.

    Args:
        inspection: The findings.
        console: The console to print on.
        show: The number of findings of each kind.
    """
    table = table_of(inspection.data)
    rows = inspection.rows
    total = sum(rows[name] for name in SPLITS)
    parts = ", ".join(f"{name} {rows[name]:,}" for name in SPLITS)
    seed = "" if len(table.files) == len(SPLITS) else f"; split seed {table.split_seed}"
    _print(console, f"{table.place}: {total:,} rows ({parts}{seed})")
    if inspection.balance:
        console.print()
        console.print(_classes(inspection))
    for lengths in inspection.lengths:
        console.print()
        for line in _histogram(lengths, _bar_character(console)):
            _print(console, line)
    console.print()
    shares = (f"{script} {share:.2%}" for script, share in inspection.scripts.items())
    _print(console, f"letters: {', '.join(shares) or 'none'}")
    for note in inspection.notes:
        _print(console, f"note: {printable(note)}")
    _print_findings(inspection, console, show)


def _classes(inspection: Inspection) -> rich.table.Table:
    table = rich.table.Table(box=None, pad_edge=False)
    spans = inspection.data.annotation == "spans"
    table.add_column("type" if spans else "class", overflow="fold")
    for column in ("entities" if spans else "rows", "share", *SPLITS):
        table.add_column(column, justify="right", no_wrap=True)
    balance = list(inspection.balance.items())
    total = sum(sum(counts.values()) for _, counts in balance)
    if inspection.data.annotation == "label_sets":  # the share of all texts that have the label
        total = sum(inspection.rows[name] for name in SPLITS)
    for place, (label, counts) in enumerate(balance):
        if len(balance) > CLASSES and CLASSES // 2 <= place < len(balance) - CLASSES // 2:
            if place == CLASSES // 2:
                table.add_row(f"... {len(balance) - CLASSES:,} more classes, in inspection.json")
            continue
        every = sum(counts.values())
        numbers = [f"{counts[name]:,}" for name in SPLITS]
        table.add_row(Text(printable(label)), f"{every:,}", f"{every / total:.1%}", *numbers)
    return table


def _bar_character(console: rich.console.Console) -> str:
    return "█" if console.encoding.startswith("utf") else "#"


def _histogram(lengths: Lengths, bar: str) -> list[str]:
    """Returns the lines of a histogram: the lengths in each bin, a bar and a number."""
    lines = [f"{lengths.unit} in a training text ({lengths.rows:,} texts)"]
    most = max(lengths.counts)
    bins = [(int(low), int(high) - 1) for low, high in itertools.pairwise(lengths.edges)]
    width = len(str(bins[-1][1]))
    for (low, high), count in zip(bins, lengths.counts, strict=True):
        length = -(-count * BAR // most)  # rounded up: one text is visible too
        name = f"{low:>{width}}" if low == high else f"{low:>{width}} to {high:>{width}}"
        lines.append(f"{name} {bar * length} {count:,}")
    highest = f"95% up to {lengths.percentile_95:.0f}, 99% up to {lengths.percentile_99:.0f}"
    middle = f"mean {lengths.mean:.1f}, median {lengths.median:g}"
    lines.append(f"{middle}, {highest}, longest {lengths.longest}")
    if not lengths.cut:
        return lines
    (first, share), *others = lengths.cut.items()
    cuts = [
        f"{first} cuts {share:.2%} of them, and {lengths.unread[first]:.2%} of all {lengths.unit}"
    ]
    cuts += [f"{most} {share:.2%} and {lengths.unread[most]:.2%}" for most, share in others]
    return [*lines, f"a maximum length of {'; '.join(cuts)}"]


def _print_findings(inspection: Inspection, console: rich.console.Console, show: int) -> None:
    for kind, meaning in KINDS.items():
        count = inspection.counts[kind]
        if not count:
            continue
        console.print()
        _print(console, f"{kind}: {count:,} {meaning}", style="bold")
        of_kind = (finding for finding in inspection.findings if finding.kind == kind)
        for finding in itertools.islice(of_kind, show):
            label = f" [{printable(finding.label)}]" if finding.label else ""
            _print(console, f"  {finding.where}{label} {printable(finding.detail)}")
            _print(console, f"    {beginning(finding.text, TEXT)}", style="dim")
    if not any(inspection.counts.values()):
        console.print()
        _print(console, "nothing was found")


def _print(console: rich.console.Console, line: str, style: str | None = None) -> None:
    """Prints a line without markup and without wrapping, so that file:line stays whole."""
    console.print(Text(line, style=style or ""), soft_wrap=True)
