"""`inspect_entities`: looks for problems in annotation files before a tagger is trained on them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasnlp_lab.data.entities import Remark, is_unspaced, load_entities, shown_span
from kerasnlp_lab.data.inspection.duplicates import find_same_texts, rows_of_groups
from kerasnlp_lab.data.inspection.finding import KINDS, Finding, beginning
from kerasnlp_lab.data.inspection.inspection import (
    MAX_LENGTHS,
    NEAR,
    CountTokens,
    Inspection,
    bad_rows,
    check_settings,
    files_of,
    lengths_of,
    sort_findings,
)
from kerasnlp_lab.data.inspection.near_duplicates import find_near_duplicates
from kerasnlp_lab.data.inspection.rows import SPLITS, Rows
from kerasnlp_lab.data.inspection.similar_names import find_similar_names
from kerasnlp_lab.data.inspection.text_findings import find_damage, find_scripts
from kerasnlp_lab.data.normal_form import group_texts, normalized
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.errors import DataError

__all__ = ["inspect_entities"]


def inspect_entities(
    path: str | Path,
    *,
    max_lengths: Sequence[int] = MAX_LENGTHS,
    count_tokens: CountTokens | None = None,
    token_unit: str = "word pieces",
    near: float = NEAR,
    on_step: Callable[[str], None] = lambda step: None,
    **settings: Any,
) -> Inspection:
    """Looks for problems in texts with entities; the files are not changed.

    `load_entities` reads and splits the texts, so findings about a split hold for a training with
    the same seed. Texts that it refuses, such as those with overlapping spans, are findings too.

    Args:
        path: All texts, or those to train on.
        max_lengths: As in `inspect_table`.
        count_tokens: As in `inspect_table`.
        token_unit: As in `inspect_table`.
        near: As in `inspect_table`.
        on_step: As in `inspect_table`.
        settings: Other arguments of `load_entities`: other splits, the seed, the joiner.

    Returns:
        What was found; its balance counts entities of each type.

    Raises:
        DataError: A file cannot be read.
        OptionError: A fraction, the seed, a length or the similarity is out of range.
    """
    check_settings(near, max_lengths)
    problems: list[DataError] = []
    remarks: list[Remark] = []
    on_step("reading")
    data = load_entities(
        path,
        skip_bad_rows=True,
        on_problem=problems.append,
        on_remark=remarks.append,
        **settings,
    )
    rows = Rows.of(data)
    on_step("counting words")
    lengths = lengths_of(data, sorted(set(max_lengths)), count_tokens, token_unit)
    on_step("looking for duplicates")
    groups = group_texts(rows.texts())
    found = [*bad_rows(data), *find_same_texts(rows, groups)]
    found += find_near_duplicates(rows, groups, near)
    on_step("looking at entities")
    found += [
        Finding(one.kind, one.path, one.line, one.label, beginning(one.text), one.detail)
        for one in remarks
    ]
    found += _type_names(rows)
    found += [*_inside_words(rows), *_two_types(rows), *_two_annotations(rows, groups)]
    on_step("looking for encoding damage")
    scripts, outsiders = find_scripts(rows)
    found += [*find_damage(rows), *outsiders]
    sort_findings(found, files_of(data))
    counts = {kind: sum(finding.kind == kind for finding in found) for kind in KINDS}
    without = sum(not rows.spans(row) for row in range(len(rows)))
    notes = [f"training would stop: {problem.message}" for problem in problems[:1]]
    notes += [*data.notes, f"texts without an entity: {without:,} of {len(rows):,}"]
    splits = {name: getattr(data, name).span_counts(data.label_names) for name in SPLITS}
    balance = {
        label: {name: int(counted[place]) for name, counted in splits.items()}
        for place, label in enumerate(data.label_names)
    }
    return Inspection(data, balance, lengths, scripts, tuple(found), counts, tuple(notes))


def _type_names(rows: Rows) -> Iterator[Finding]:
    """Yields the first row of each type whose name is nearly another's, or O."""
    number_of = {name: number for number, name in enumerate(rows.data.label_names)}
    each = [(number_of[one.label], row) for row in range(len(rows)) for one in rows.spans(row)]
    labels, of_row = np.array(each, np.int64).reshape(-1, 2).T
    yield from find_similar_names(rows, labels, of_row)
    if places := [row for label, row in each if label == number_of.get("O")]:
        yield rows.finding("type_o", places[0], f"entities: {len(places):,}", label="O")


def _inside_words(rows: Rows) -> Iterator[Finding]:
    """Yields the spans that begin or end inside a word, and the words that they are in."""
    for row, text in enumerate(rows.texts()):
        for span in rows.spans(row):
            start, end = span.start, span.end
            while 0 < start and _is_in_word(text[start - 1]) and _is_in_word(text[start]):
                start -= 1
            while end < len(text) and _is_in_word(text[end - 1]) and _is_in_word(text[end]):
                end += 1
            if (start, end) != span[:2]:
                words = shown_span(Span(start, end, span.label), text)
                detail = f"{shown_span(span, text)}; as words it would be {words}"
                yield rows.finding("span_in_word", row, detail, text, span.label)


def _is_in_word(character: str) -> bool:
    word = character.isalnum() or unicodedata.category(character).startswith("M")
    return word and not is_unspaced(character)


def _two_types(rows: Rows) -> Iterator[Finding]:
    """Yields each name with entities of several types, at the first one of each rarer type."""
    places: dict[str, dict[str, list[int]]] = {}
    for row, text in enumerate(rows.texts()):
        for start, end, label in rows.spans(row):
            places.setdefault(text[start:end], {}).setdefault(label, []).append(row)
    for name, of_label in places.items():
        most = max(of_label, key=lambda label: len(of_label[label]))
        for label, found in of_label.items():
            if label != most:
                other = (
                    f"{most!r} ({len(of_label[most]):,}, first at {rows.where(of_label[most][0])})"
                )
                detail = f"{name!r} is {label!r} ({len(found):,}) and {other}"
                yield rows.finding("two_types", found[0], detail, label=label)


def _two_annotations(rows: Rows, groups: np.ndarray) -> Iterator[Finding]:
    """Yields the rows of each text that has other entities elsewhere."""
    for group in rows_of_groups(groups):
        found: dict[tuple[tuple[str, str], ...], int] = {}
        for row in group.tolist():
            text = rows.text(row)
            entities = ((normalized(text[a:b]), label) for a, b, label in rows.spans(row))
            found.setdefault(tuple(entities), row)
        if len(found) > 1:
            places = (
                f"{_listed(entities)} at {rows.where(row)}" for entities, row in found.items()
            )
            detail = f"entities {'; '.join(places)}"
            yield from (rows.finding("two_annotations", row, detail) for row in group.tolist())


def _listed(entities: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name!r} {label}" for name, label in entities) or "none"
