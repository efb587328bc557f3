"""`read_fasttext`: rows of fastText's training files, whose lines hold ``__label__NAME``."""

from __future__ import annotations

from pathlib import Path

from kerasnlp_lab.data.tables.lines import numbered_lines
from kerasnlp_lab.data.tables.rows import INVALID, Rows, TableRow, as_text, rejected_row

__all__ = ["read_fasttext"]

_LABEL = "__label__"


def read_fasttext(
    path: Path, encoding: str, several_labels: bool = False
) -> tuple[list[str], Rows]:
    """Returns the columns "text" and "label", and the rows, read as they are asked for.

    With `several_labels`, the label of each row is a tuple of names.
    """

    def rows() -> Rows:
        for line, raw in numbered_lines(path, encoding):
            if not raw.strip():
                continue
            content = raw.decode("utf-8", "replace")
            try:
                words = raw.decode("utf-8").strip().split(" ")
            except UnicodeDecodeError as error:
                yield rejected_row(path, line, f"{INVALID} at byte {error.start + 1}", content)
                continue
            labels = [word for word in words if word.startswith(_LABEL)]
            text = " ".join(word for word in words if word not in labels)
            names = [label.removeprefix(_LABEL) for label in labels]
            if several_labels:
                yield TableRow(line, {"text": text, "label": as_text(tuple(names))})
            elif len(labels) == 1:
                yield TableRow(line, {"text": text, "label": names[0]})
            elif labels:
                reason = (
                    f"{len(labels)} labels ({' '.join(labels)}); texts with several labels are "
                    "another task: say --task multi_label"
                )
                yield rejected_row(path, line, reason, content)
            else:
                yield rejected_row(path, line, f"no label; expected {_LABEL}NAME", content)

    return ["text", "label"], rows()
