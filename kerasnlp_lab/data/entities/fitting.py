"""`EntityReader`: the text and the spans of each row of annotation files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kerasnlp_lab.data.entities.offsets import (
    CODE_POINTS,
    find_unit,
    in_code_points,
    other_unit,
)
from kerasnlp_lab.data.entities.rows import SpanRow, TokenRow
from kerasnlp_lab.data.entities.tokens import (
    are_unspaced,
    chunks_of,
    find_scheme,
    join_tokens,
    tag_problem,
)
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.data.tables import RejectedRow, TableRow
from kerasnlp_lab.data.tables.rows import rejected_row
from kerasnlp_lab.display import first_few, listed
from kerasnlp_lab.errors import DataError

__all__ = ["REMARKS", "EntityReader", "Remark", "shown_span"]

REMARKS = {
    "broken_tag": "tags that break their scheme, read as conlleval reads them",
    "empty_token": "tags without a token, left out",
    "empty_text": "texts without characters",
    "span_with_spaces": "spans with white space at their ends, which is left out",
    "span_twice": "spans given twice, read once",
}
"""Every kind of remark and its meaning."""


class Remark(NamedTuple):
    """A place where a text is not read as it is written.

    Attributes:
        kind: One of `REMARKS`.
        path: The file.
        line: The line in it, from 1.
        label: The label of the entity.
        text: The text.
        detail: The details.
    """

    kind: str
    path: str
    line: int
    label: str
    text: str
    detail: str


class _Bad(Exception):
    """A text cannot be used; the message is the reason."""

    def __init__(self, reason: str, line: int):
        super().__init__(reason)
        self.line = line


class EntityReader:
    """Reads the rows of annotation files, after finding scheme, script and unit in all of them.

    Args:
        rows: The rows.
        place: Returns the file of a row.
        joiner: As in `load_entities`.
        label_names: The types of entities; None to take all, for training.
        renamed: As in `load_entity_rows`.
    """

    def __init__(
        self,
        rows: Sequence[TableRow | RejectedRow],
        place: Callable[[TableRow], str],
        joiner: str,
        label_names: Sequence[str] | None,
        renamed: Mapping[str, str],
    ):
        self._tokens = tokens = [row for row in rows if isinstance(row, TokenRow)]
        self._spans = [row for row in rows if isinstance(row, SpanRow)]
        self._scheme = find_scheme(row.tags for row in tokens) if tokens else ""
        self._unspaced = are_unspaced(row.tokens for row in tokens)
        self._unit = find_unit(self._spans)
        self._place, self._joiner, self._label_names = place, joiner, label_names
        self._renamed, self._counts = renamed, Counter[str]()
        self.remarks: list[Remark] = []

    def check_types(self, advice: str) -> None:
        """Raises DataError with all types that are not in `label_names`, and with the advice."""
        known = {*(self._label_names or ()), ""}
        every: list[tuple[TableRow, str]] = [
            (row, one.label) for row in self._tokens for one in chunks_of(row.tags, self._scheme)[0]
        ]
        every += [(row, one.label) for row in self._spans for one in row.spans]
        unknown = [one for one in every if self._renamed.get(one[1], one[1]) not in known]
        if unknown:
            first = min((row for row, _ in unknown), key=lambda row: (row.part, row.line))
            counts = Counter(label for _, label in unknown)
            types = first_few([repr(label) for label, _ in counts.most_common()], 12)
            reason = f"the model knows no entity {types}, but {listed(self._label_names or ())}"
            number = f"entities of types that it does not know: {len(unknown):,}"
            raise DataError(f"{reason} ({number}); {advice}", self._place(first), first.line)

    def read(self, row: TableRow) -> tuple[str, tuple[Span, ...]] | RejectedRow:
        """Returns the text of a row and its spans, or the row with the reason why it is bad."""
        text = " ".join(row.tokens) if isinstance(row, TokenRow) else ""
        remarks: list[Remark] = []

        def remark(kind: str, label: str, detail: str, line: int = row.line) -> None:
            remarks.append(Remark(kind, self._place(row), line, label, text, detail))

        try:
            if isinstance(row, TokenRow):
                text, spans = self._of_tokens(row, remark)
            else:
                assert isinstance(row, SpanRow)
                text, spans = row.text, self._of_offsets(row)
            if not text.strip() and self._label_names is None:
                raise _Bad("no text", row.line)
            if not text.strip():  # nothing to learn from, but it can be tested on
                remark("empty_text", "", "no text")
            given = [one.label for one in spans if one.label in self._renamed]
            spans = [one._replace(label=self._renamed.get(one.label, one.label)) for one in spans]
            fitted = _fitted(text, [one for one in spans if one.label], remark, row.line)
            for span in fitted:
                if self._label_names is not None and span.label not in self._label_names:
                    known = listed(list(self._label_names))
                    raise _Bad(f"the model knows no entity {span.label!r}, but {known}", row.line)
        except _Bad as bad:
            return rejected_row(Path(self._place(row)), bad.line, str(bad), text)
        self.remarks += remarks
        self._counts.update(given)
        return text, fitted

    def notes(self) -> list[str]:
        """Returns how the rows were read, a line each."""
        whole = ": every tag but O is a label as it stands" if self._scheme == "IO" else ""
        notes = [f"tags are read as {self._scheme}{whole}"] if self._scheme else []
        if self._scheme and self._joiner == "auto":
            how = "nothing, as in scripts without spaces" if self._unspaced else "a space"
            notes.append(f"tokens are joined by {how}; --joiner overrides this")
        if self._unit != CODE_POINTS:
            notes.append(f"offsets are counted in {self._unit}, as the texts of spans prove")
        unsure = sum(
            any(one.surface is None for one in row.spans) and max(row.text, default="") > "\uffff"
            for row in self._spans
        )
        if unsure:
            notes.append(
                f"offsets are read as {self._unit}; JavaScript counts emoji as two, and nothing in "
                f"the file shows how these were counted (texts with such characters: {unsure:,})"
            )
        for label, name in self._renamed.items():
            how = f"read as {name!r}" if name else "left out"
            notes.append(f"entities of the type {label!r} are {how}: {self._counts[label]:,}")
        for kind, meaning in REMARKS.items():
            of_kind = [one for one in self.remarks if one.kind == kind]
            for one in of_kind[:1]:
                first = f"{one.path}, line {one.line}: {one.detail}"
                notes.append(f"{meaning}: {len(of_kind):,} (first: {first})")
        return notes

    def _of_tokens(self, row: TokenRow, remark: Callable[..., None]) -> tuple[str, list[Span]]:
        """Returns the text of tokens, and their entities."""
        for line, token, tag in zip(row.lines, row.tokens, row.tags, strict=True):
            if problem := tag_problem(tag, self._scheme):
                raise _Bad(problem, line)
            if tag != "O" and not token:
                raise _Bad(f"the tag {tag} has no token", line)
            if not token:
                remark("empty_token", "", "no token before the tag O", line)
        filled = [place for place, token in enumerate(row.tokens) if token]
        tokens = [row.tokens[place] for place in filled]
        tags = [row.tags[place] for place in filled]
        text, starts = join_tokens(tokens, self._joiner, self._unspaced)
        chunks, broken = chunks_of(tags, self._scheme)
        for place, detail in broken.items():
            label = tags[place].partition("-")[2]
            remark("broken_tag", label, detail, row.lines[filled[place]])
        ends = [start + len(token) for start, token in zip(starts, tokens, strict=True)]
        return text, [Span(starts[first], ends[end - 1], label) for first, end, label in chunks]

    def _of_offsets(self, row: SpanRow) -> list[Span]:
        """Returns the spans of a row in code points."""
        found = []
        for one in row.spans:
            ends = in_code_points(row.text, one, self._unit)
            if ends is None:
                raise _Bad(f"a span cuts a character, counted in {self._unit}: {one[:3]}", row.line)
            span = Span(*ends, one.label)
            inside = row.text[max(span.start, 0) : max(span.end, 0)]
            if one.surface is not None and inside != one.surface:
                reason = (
                    f"the span {shown_span(span, row.text)} should have the text {one.surface!r}"
                )
                if unit := other_unit(row.text, one):
                    reason += f", which it has if offsets are counted in {unit}"
                elif row.text[span.start : span.end + 1] == one.surface:
                    reason += "; its end must be the character after the last one"
                raise _Bad(reason, row.line)
            found.append(span)
        return found


def _fitted(
    text: str, spans: Sequence[Span], remark: Callable[..., None], line: int
) -> tuple[Span, ...]:
    """Returns spans in the order of the text, without white space at their ends."""
    found: list[Span] = []
    for span in sorted(spans):
        start, end, label = span
        if not 0 <= start < end <= len(text):
            outside = f"lies outside of its text, which has {len(text)} characters"
            wrong = outside if start < end else "is empty"
            raise _Bad(f"the span [{start}, {end}] {label} {wrong}", line)
        inside = text[start:end]
        start += len(inside) - len(inside.lstrip())
        end -= len(inside) - len(inside.rstrip())
        if start >= end:
            raise _Bad(f"the span {shown_span(span, text)} is white space alone", line)
        if (start, end) != span[:2]:
            now = Span(start, end, label)
            detail = f"{shown_span(span, text)} becomes {shown_span(now, text)}"
            remark("span_with_spaces", label, detail)
            span = now
        if found and span == found[-1]:
            remark("span_twice", label, shown_span(span, text))
        elif found and start < found[-1].end:
            pair = f"{shown_span(found[-1], text)} and {shown_span(span, text)}"
            raise _Bad(f"two spans overlap: {pair}; keep one of them", line)
        else:
            found.append(span)
    return tuple(found)


def shown_span(span: Span, text: str) -> str:
    """Returns a span with its part of a text, for messages."""
    return f"[{span.start}, {span.end}] {span.label} {text[span.start : span.end]!r}"
