"""Writes annotation files, and reads them as `load_entities` does for one split."""

import json
from typing import NamedTuple

from kerasnlp_lab.data import load_entity_rows
from kerasnlp_lab.data.tables import TableFormat

LABELS = ("PER", "LOC", "ORG", "X", "ENTITY")


class Found(NamedTuple):
    good: list[tuple[int, str, list[tuple[str, str]]]]  # line, text, entities with their labels
    bad: list[tuple[int, str]]  # line, reason
    notes: str


def write(folder, content, name="texts.conll"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines_of(*records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def read(path, **how):
    """Reads files for evaluation; `encoding` and the arguments of `load_entity_rows` as named."""
    notes = []
    format = TableFormat(encoding=how.pop("encoding", None))
    split, rejected = load_entity_rows(
        path, LABELS, skip_bad_rows=True, format=format, on_note=notes.append, **how
    )
    rows = zip(split.lines.tolist(), split.texts, split.spans, strict=True)
    good = [(line, text, [(text[a:b], label) for a, b, label in s]) for line, text, s in rows]
    return Found(good, [(row.line, row.reason) for row in rejected], "\n".join(notes))
