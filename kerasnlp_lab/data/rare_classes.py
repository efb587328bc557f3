"""`RareClasses`: the classes of a table that have too few rows, and what becomes of their rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kerasnlp_lab.data.dataset import Annotation
from kerasnlp_lab.display import first_few, shown_names
from kerasnlp_lab.errors import DataError, OptionError, check_option

__all__ = ["RareClasses", "check_rare_classes", "find_rare", "rows_needed"]


@dataclass(frozen=True)
class RareClasses:
    """The rare classes of a table.

    Args:
        action: "stop", "keep", "drop", or "merge=NAME".
        minimum: The rows that a class needs.
        counts: The rows of each class that has fewer, in the table to train on.
    """

    action: str = "stop"
    minimum: int = 0
    counts: Mapping[str, int] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The rare classes."""
        return tuple(self.counts or ())

    @property
    def becomes(self) -> dict[str, str | None]:
        """The class that each becomes; None if it is left out. Empty for "keep"."""
        if self.action in ("keep", "stop"):
            return {}
        into = self.action.partition("=")[2].strip() or None
        return dict.fromkeys(self.names, into)

    def shown(self) -> str:
        """Returns the rare classes with their rows."""
        counts = (self.counts or {}).values()
        rows = (f"{n:,} row{'s' if n != 1 else ''}" for n in counts)
        pairs = zip(shown_names(list(self.names)), rows, strict=True)
        return first_few([f"{name} ({count})" for name, count in pairs], 12)

    def note(self, annotation: Annotation) -> str:
        """Returns a line on what became of them; "" if there are none."""
        if not self.names:
            return ""
        what = "class" if annotation == "labels" else "label"
        rows = sum((self.counts or {}).values())
        done = {
            "keep": "all are trained on, and none is held out to validate or test on",
            "drop": f"left out, {rows:,} row{'s' if rows != 1 else ''} in all"
            if annotation == "labels"
            else "left out, and their rows are kept",
        }.get(self.action, f"merged into {self.action.partition('=')[2].strip()!r}")
        plural = "es" if what == "class" else "s"
        return f"{what}{plural} with fewer than {self.minimum} rows: {self.shown()}: {done}"


def check_rare_classes(action: str | None, minimum: int | None) -> None:
    """Raises OptionError unless the two arguments of `load_table` can be used."""
    name, equals, into = (action or "stop").partition("=")
    fits = (
        bool(into.strip()) if name == "merge" else name in ("stop", "keep", "drop") and not equals
    )
    check_option(
        "the rare classes (--rare-classes)", action, fits, "stop, keep, drop or merge=NAME"
    )
    check_option(
        "the rare minimum (--rare-minimum)", minimum, minimum is None or minimum > 0, "1 or more"
    )


def rows_needed(shares: Sequence[float], annotation: Annotation) -> int:
    """Returns the rows that a class needs to be in the training rows and in each drawn part.

    Args:
        shares: The share of the rows for each part that is drawn.
        annotation: What the texts have. Rows with several labels are dealt so that one for each
            part is enough; otherwise chance draws them.
    """
    parts, smallest = len(shares) + 1, min(*shares, 1 - sum(shares), 1)
    if annotation == "label_sets" or smallest <= 0:  # a wrong share, which is refused later
        return parts
    return max(parts, math.ceil(round(1 / smallest, 9)))


def find_rare(
    action: str | None,
    minimum: int | None,
    counts: Mapping[str, int],
    shares: Sequence[float],
    annotation: Annotation,
) -> RareClasses:
    """Returns the classes with too few rows.

    Args:
        action: As in `load_table`.
        minimum: As in `load_table`.
        counts: The rows of each class in the table to train on.
        shares: The share of the rows for each part that is drawn.
        annotation: What the texts have.

    Raises:
        DataError: They are to stop the training, or none would be left.
        OptionError: No part is drawn, so that only a minimum tells which classes are rare.
    """
    if action is None:
        action = "keep" if annotation == "label_sets" else "stop"
        if minimum is None and (action == "stop" or not shares):
            return RareClasses()
    elif minimum is None and action == "stop":
        return RareClasses()
    elif minimum is None and not shares:
        raise OptionError(
            f"all parts are given, so that nothing says which classes are rare for "
            f"--rare-classes {action}: say --rare-minimum ROWS"
        )
    most = rows_needed(shares, annotation) if minimum is None else minimum
    few = sorted((count, name) for name, count in counts.items() if count < most)
    rare = RareClasses(action, most, {name: count for count, name in few})
    if rare.names and action == "stop":
        raise DataError(
            f"classes with fewer than {most} rows: {rare.shown()}; add rows, or say what to do "
            "with them: --rare-classes keep, drop or merge=NAME"
        )
    if counts and len(rare.names) == len(counts):
        what = "class" if annotation == "labels" else "label"
        found = f"every {what} has fewer than {most} rows ({rare.shown()})"
        advice = "add rows, or say a lower --rare-minimum"
        if action == "drop":
            raise DataError(f"{found}: none would be left; {advice}")
        if action == "keep":
            raise DataError(
                f"{found}: all would be kept to train on, and none to test on; {advice}"
            )
        if annotation == "labels":
            into = rare.becomes[rare.names[0]]
            raise DataError(f"{found}: merged, every row has the label {into!r}; {advice}")
    return rare
