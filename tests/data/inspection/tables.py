"""Tables to inspect: 60 plain rows, and more rows from each test."""

import csv

from kerasnlp_lab.data.inspection import inspect_table
from kerasnlp_lab.data.inspection.inspection import Inspection

OBJECTS = ("lamp", "chair", "table", "spoon", "plate", "clock", "shelf", "mirror", "carpet", "sofa")
PLACES = ("kitchen", "garden", "cellar")


def plain_rows():
    """60 different rows of two classes."""
    ham = [
        (f"see you at the {p} about the old {o} tomorrow", "ham") for o in OBJECTS for p in PLACES
    ]
    spam = [(f"win a free {o} now, {p} offer: text prize", "spam") for o in OBJECTS for p in PLACES]
    return [row for pair in zip(ham, spam, strict=True) for row in pair]


def write_table(path, rows, header=("text", "label")):
    """Writes a CSV. The first row is line 2, if no text has a line end."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def inspect_rows(folder, added=(), **options) -> Inspection:
    """Inspects the plain rows followed by others, which start on line 62."""
    return inspect_table(write_table(folder / "t.csv", [*plain_rows(), *added]), **options)


def of_kind(inspection, kind):
    """Returns (file name, line, detail) of each finding of a kind."""
    return [
        (f.path.rpartition("/")[2], f.line, f.detail) for f in inspection.findings if f.kind == kind
    ]


def lines_of(inspection, kind):
    """Returns the lines of the findings of a kind."""
    return [finding.line for finding in inspection.findings if finding.kind == kind]
