"""`Finding`: one possible problem in a table, with its file and line."""

from __future__ import annotations

from dataclasses import dataclass

from kerasnlp_lab.data.entities import REMARKS
from kerasnlp_lab.data.pairs import shown_pair
from kerasnlp_lab.display import printable

__all__ = ["KINDS", "Finding", "beginning", "printable"]

KINDS = {
    "bad_row": "rows that cannot be used",
    "merged_rows": "texts that look like several rows in one cell",
    "similar_class_names": "classes or types whose names are nearly those of another one",
    "exact_duplicate": "rows whose text an earlier row has, but for case and spaces",
    "near_duplicate": "texts that are nearly that of another row",
    "in_two_splits": "rows to test or validate on whose text is in another split too",
    "near_in_two_splits": "rows to test or validate on whose text is nearly in another split",
    "two_labels": "rows whose text has another label elsewhere",
    "two_targets": "rows whose text has another target text elsewhere",
    "likely_wrong_label": "rows that a classifier trained on the others gives another label",
    **REMARKS,
    "type_o": "a type of entity with the name O, which tags use where there is no entity",
    "span_in_word": "spans that begin or end inside a word",
    "two_types": "names with entities of several types",
    "two_annotations": "texts that have other entities elsewhere",
    "mojibake": "texts decoded in a wrong encoding",
    "c1_control": "texts with Windows characters read as Latin-1 (C1 controls)",
    "replacement_character": "texts with characters that are lost (U+FFFD)",
    "html_entity": "texts with HTML entities",
    "control_character": "texts with control characters",
    "byte_order_mark": "texts with a byte order mark inside",
    "mixed_scripts": "texts with a word in letters of two scripts",
    "other_script": "texts in another script than most of the table",
}
"""Every kind of finding and its meaning, in the order of a report."""

TEXT_CHARACTERS = 200


@dataclass(frozen=True)
class Finding:
    """A possible problem with one row of a table.

    Args:
        kind: One of `KINDS`.
        path: The file.
        line: The line in it, from 1.
        label: The row's class, or the start of its target text; empty if it has none.
        text: The start of its text, fit to be printed.
        detail: The details; of a pair, also the other row's file and line.
    """

    kind: str
    path: str
    line: int
    label: str
    text: str
    detail: str

    @property
    def where(self) -> str:
        """The file and the line, as editors and compilers write them."""
        return f"{self.path}:{self.line}"


def beginning(text: str, characters: int = TEXT_CHARACTERS) -> str:
    """Returns the start of a text or of a pair, fit to be printed."""
    cut = printable(shown_pair(text)[: characters + 1])
    return cut if len(cut) <= characters else cut[: characters - 1] + "…"
