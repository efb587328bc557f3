"""`RecordReader`: texts of JSON and Parquet, in the forms of the programs that write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasnlp_lab.data.columns import TEXT_NAMES
from kerasnlp_lab.data.entities.rows import GivenSpan, SpanRow, TokenRow
from kerasnlp_lab.data.tables import RejectedRow
from kerasnlp_lab.data.tables.rows import rejected_row

__all__ = ["RecordReader", "is_record"]

_TAGS = ("ner_tags", "tags", "labels", "ner", "label")
_SPANS = ("entities", "spans", "label", "labels", "annotations")
_KEYS = {  # of a span
    "start": ("start", "start_offset", "begin"),
    "end": ("end", "end_offset", "stop"),
    "label": ("label", "labels", "type", "entity", "entity_group", "tag"),
}
_EXPECTED = (
    "expected a text with spans (spaCy, Prodigy, doccano, Label Studio), such as "
    '{"text": "In Oslo", "entities": [[3, 7, "LOC"]]}, or "tokens" with "ner_tags"'
)
_SKIPPED = {
    "rejected": 'answers of Prodigy other than "accept", skipped',
    "unannotated": "tasks of Label Studio without an annotation, skipped",
    "several": "tasks of Label Studio with several annotations, of which the first is read",
    "others": "results of Label Studio that are no spans, left out",
}


class _Wrong(ValueError):
    """A record cannot be read; the message is the reason."""


def is_record(value: Any) -> bool:
    """Returns whether a JSON value is a text with annotations rather than a list of such."""
    if isinstance(value, list):
        return len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict)
    keys = value if isinstance(value, dict) else {}
    data = keys.get("data")
    named = any(isinstance(keys.get(name), str) for name in (*TEXT_NAMES, "data"))
    return named or "tokens" in keys or isinstance(data, dict)


class RecordReader:
    """Turns JSON values into rows, and counts the records that are skipped.

    Args:
        path: The file.
        tag_names: As in `load_entities`.
    """

    def __init__(self, path: Path, tag_names: Sequence[str]):
        self._path = path
        self._tag_names = tag_names
        self._counts: Counter[str] = Counter()
        self.has_numbers = False  # as tags

    def row(self, line: int, value: Any) -> TokenRow | SpanRow | RejectedRow | None:
        """Returns the row of a record; None for one that its program marks as not to be used."""
        try:
            return self._row(line, value)
        except _Wrong as wrong:
            return rejected_row(self._path, line, str(wrong), str(value))

    def notes(self) -> list[str]:
        """Returns the numbers of records that were not read as others are, a line each."""
        counts = self._counts
        return [f"{what}: {counts[kind]:,}" for kind, what in _SKIPPED.items() if counts[kind]]

    def _row(self, line: int, value: Any) -> TokenRow | SpanRow | None:
        if isinstance(value, list) and is_record(value):
            value = {"text": value[0], **value[1]}
        if not isinstance(value, dict):
            raise _Wrong(f"{_EXPECTED}; got {_shown(value)}")
        if value.get("answer", "accept") != "accept":
            self._counts["rejected"] += 1
            return None
        if isinstance(value.get("data"), dict):
            return self._of_task(line, value)
        tokens = value.get("tokens")
        tags = next((name for name in _TAGS if isinstance(value.get(name), list)), None)
        if isinstance(tokens, list) and all(map(_is_text, tokens)) and tags is not None:
            return self._of_tokens(line, tokens, value[tags])
        text = _text_of(value)
        return _span_row(line, text, _spans_of(value))

    def _of_task(self, line: int, value: Mapping[str, Any]) -> SpanRow | None:
        """Returns the row of a task of Label Studio."""
        done = value.get("annotations", value.get("completions"))
        if not isinstance(done, list) or not all(isinstance(one, dict) for one in done):
            raise _Wrong(f"{_EXPECTED}; got a task without a list of annotations")
        done = [one for one in done if not one.get("was_cancelled")]
        if not done:
            self._counts["unannotated"] += 1
            return None
        self._counts["several"] += len(done) > 1
        results = done[0].get("result")
        if not isinstance(results, list):
            raise _Wrong("expected a list of results in the annotation")
        values = [one.get("value") for one in results if isinstance(one, dict)]
        spans = [one for one in values if isinstance(one, dict) and {"start", "end"} <= set(one)]
        self._counts["others"] += len(results) - len(spans)
        return _span_row(line, _text_of(value["data"]), spans)

    def _of_tokens(self, line: int, tokens: Sequence[str], tags: Sequence[Any]) -> TokenRow:
        if len(tokens) != len(tags):
            raise _Wrong(f"expected a tag for each of {len(tokens)} tokens, got {len(tags)} tags")
        names = []
        for tag in tags:
            if isinstance(tag, int) and not isinstance(tag, bool) and not self._tag_names:
                raise _Wrong(
                    f"the tags are numbers ({tag}), whose names the file does not have; say them "
                    "in their order from 0, as in --tag-names O,B-PER,I-PER"
                )
            if isinstance(tag, int) and not 0 <= tag < len(self._tag_names):
                raise _Wrong(f"expected tags from 0 to {len(self._tag_names) - 1}, got {tag!r}")
            if not isinstance(tag, str | int):
                raise _Wrong(f"expected a tag, got {_shown(tag)}")
            self.has_numbers |= isinstance(tag, int)
            names.append(tag if isinstance(tag, str) else self._tag_names[tag])
        _check_text("".join(tokens))
        stripped = tuple(token.strip() or token for token in tokens)
        return TokenRow(line, {}, 0, stripped, tuple(names), (line,) * len(tokens))


def _spans_of(value: Mapping[str, Any]) -> Sequence[Any]:
    """Returns the spans among the values of an object: by their name, and no others."""
    names = [name for name in _SPANS if isinstance(value.get(name), list)]
    filled = [name for name in names if value[name]]
    if any(value[name] != value[filled[0]] for name in filled):
        raise _Wrong(f"other spans under {filled[0]!r} than under {filled[1]!r}: keep one of them")
    if names:
        return value[(filled or names)[0]]
    if {"answer", "annotation_id"} & set(value):  # there are none, and a person has said so
        return []
    named = [name for name in _SPANS if name in value]
    if not named:
        raise _Wrong(f"{_EXPECTED}; got the keys {', '.join(map(str, value))}")
    raise _Wrong(
        f"expected a list of spans as {named[0]!r}, got {_shown(value[named[0]])}; if each text "
        "has one label, leave out --task entities"
    )


def _span_row(line: int, text: str, spans: Sequence[Any]) -> SpanRow:
    return SpanRow(line, {}, 0, text, tuple(_span(one) for one in spans))


def _span(value: Any) -> GivenSpan:
    if isinstance(value, dict):
        parts = [
            next((value[key] for key in keys if key in value), None) for keys in _KEYS.values()
        ]
        surface = value.get("text")
    elif isinstance(value, list | tuple) and len(value) >= 3:
        parts, surface = list(value[:3]), None
    else:
        raise _Wrong(f'expected a span such as [3, 7, "LOC"], got {_shown(value)}')
    start, end, label = parts
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    if isinstance(label, list):
        raise _Wrong(f"expected one label a span, got {_shown(value)}")
    if not isinstance(label, str) or not label.strip():
        raise _Wrong(f"expected a text as the label of the span {_shown(value)}")
    return GivenSpan(
        _offset(start, value),
        _offset(end, value),
        " ".join(label.split()),
        surface if isinstance(surface, str) else None,
    )


def _offset(number: Any, span: Any) -> int:
    if isinstance(number, float) and number.is_integer():
        return int(number)
    if not isinstance(number, int) or isinstance(number, bool):
        raise _Wrong(f"expected whole numbers for start and end, got {_shown(span)}")
    return number


def _text_of(value: Mapping[str, Any]) -> str:
    """Returns the text among the values of an object: by its name, or else the only text."""
    texts = {name: one for name, one in value.items() if isinstance(one, str)}
    named = [name for name in (*TEXT_NAMES, "data") if name in texts]
    names = named[:1] or list(texts)
    if len(names) != 1:
        keys = ", ".join(map(str, value)) or "no keys"
        raise _Wrong(f"{_EXPECTED}; got no text, or several, among the values of {keys}")
    _check_text(texts[names[0]])
    return texts[names[0]]


def _check_text(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _Wrong("half a character (a lone surrogate)")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
