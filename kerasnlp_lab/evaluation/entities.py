"""`EntityEvaluation`: how many entities are found, by exact places and types."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.evaluation.calibration import expected_calibration_error
from kerasnlp_lab.evaluation.evaluation import Evaluation
from kerasnlp_lab.evaluation.paired_tests import f1_interval
from kerasnlp_lab.evaluation.plots import confusion_figure, draw_reliability
from kerasnlp_lab.evaluation.predictions import COLUMNS, shown_text
from kerasnlp_lab.evaluation.report import table_lines
from kerasnlp_lab.tasks.entities import Entity, EntityDecision, TextEntities

__all__ = ["EntityEvaluation", "EntityMistake", "score_entities"]

NUM_MISTAKES = 20  # of each kind
_IN_WORDS = {
    "missed": "missed",
    "spurious": "spurious",
    "type": "of another type",
    "place": "at another place",
}


@dataclass(frozen=True)
class EntityMistake:
    """An entity that was missed or that is not there.

    Args:
        row: The row in the split, counted from 0.
        where: The file and the line, if the row has them.
        text: The text.
        kind: "missed", "spurious", "type" for the right place and another type, or "place" for an
            entity that overlaps a true one.
        true: The true entity; None if there is none.
        found: The entity that was found; None if there is none.
    """

    row: int
    where: str
    text: str
    kind: str
    true: Span | None
    found: Entity | None

    def as_json(self) -> dict[str, Any]:
        """Returns the mistake as JSON."""
        true = None if self.true is None else self.true._asdict()
        return {**vars(self), "true": true, "found": self.found and vars(self.found)}


@dataclass(frozen=True, eq=False)
class EntityEvaluation(Evaluation):
    """The results of a model that finds entities, on one split.

    An entity is right if its first and last character and its type are those of a true one, as in
    seqeval's strict mode.

    Args:
        label_names: The types.
        split: The rows.
        answers: The entities that were found in each row.
        counts: Right, found and true entities of each row, int64 [rows, 3].
        interval: The 95% interval of the F1, by a bootstrap over rows.
        per_type: Precision, recall, F1, and the number of found and true entities of each type.
        confusion: Entities by true and found type, int64 [types + 1, types + 1]; the last row
            and column are those without a counterpart that overlaps.
        mistakes: Entities that are not right: of each kind 20, those with the highest scores, and
            of missed ones the first.
        mistake_counts: The number of all mistakes of each kind.
        decision: How scores are calibrated.
        scores: The score of each entity that was found, float64 [found].
        score_right: Whether each of these is right, bool [found].
        texts_per_second: The speed from strings to logits after a warm-up; 0 if not measured.
    """

    template: ClassVar[str] = "entities.html.j2"
    main_figure: ClassVar[str] = "confusion"

    label_names: tuple[str, ...]
    split: Split
    answers: Sequence[TextEntities]
    counts: np.ndarray
    interval: tuple[float, float]
    per_type: dict[str, dict[str, Any]]
    confusion: np.ndarray
    mistakes: tuple[EntityMistake, ...]
    mistake_counts: dict[str, int]
    decision: EntityDecision
    scores: np.ndarray
    score_right: np.ndarray
    texts_per_second: float = 0.0

    @property
    def totals(self) -> dict[str, float]:
        """Precision, recall and F1 of all entities together, and their numbers."""
        return _ratios(*self.counts.sum(axis=0).tolist())

    @property
    def headline(self) -> tuple[str, float]:
        return "entity_f1", self.totals["f1"]

    @property
    def more_figures(self) -> dict[str, float]:
        return {name: self.totals[name] for name in ("precision", "recall")}

    @property
    def f1_counts(self) -> np.ndarray:
        return self.counts

    @property
    def right(self) -> np.ndarray:
        """Whether all entities of a row are right and none is missed, float64 [rows]."""
        return (self.counts == self.counts[:, :1]).all(axis=1).astype(np.float64)

    @property
    def calibration_error(self) -> float:
        """The mean distance between the scores and the share of right entities."""
        return expected_calibration_error(self.scores[:, np.newaxis], ~self.score_right)

    def as_json(self) -> dict[str, Any]:
        totals = self.totals
        return {
            "rows": len(self.counts),
            "entity_f1": totals["f1"],
            "entity_f1_95_interval": list(self.interval),
            **{name: totals[name] for name in ("precision", "recall", "right", "found", "true")},
            "rows_right": float(self.right.mean()),
            "mistake_counts": self.mistake_counts,
            "per_type": self.per_type,
            "confusion": self.confusion.tolist(),
            "expected_calibration_error": self.calibration_error,
            "decision": dataclasses.asdict(self.decision),
            "predict_texts_per_second": self.texts_per_second,
        }

    def mistakes_as_json(self) -> list[dict[str, Any]]:
        return [mistake.as_json() for mistake in self.mistakes]

    def as_text(self) -> str:
        totals, (low, high) = self.totals, self.interval
        columns = {"precision": "precision", "recall": "recall", "F1": "f1"}
        columns |= {"found": "found", "true": "true"}
        lines = [
            f"entity F1 {totals['f1']:.4f} (95% {low:.4f} to {high:.4f}), precision "
            f"{totals['precision']:.4f}, recall {totals['recall']:.4f}",
            f"{totals['right']} of {totals['found']} found entities are right, of "
            f"{totals['true']} true ones; {len(self.counts)} rows, all right in "
            f"{self.right.mean():.4f} of them",
            ", ".join(f"{count} {_IN_WORDS[kind]}" for kind, count in self.mistake_counts.items()),
            "",
            *table_lines(self.label_names, columns, list(self.per_type.values())),
        ]
        error, temperature = self.calibration_error, self.decision.temperature
        return "\n".join(
            [*lines, "", f"calibration error {error:.4f}, with a temperature of {temperature:.2f}"]
        )

    def figures(self) -> dict[str, Figure]:
        names = (*self.label_names, "none")
        scores = Figure(figsize=(4, 3.6), layout="constrained")
        right = ~self.score_right
        draw_reliability(scores.subplots(), "scores", self.scores[:, np.newaxis], right)
        return {"confusion": confusion_figure(self.confusion, names), "scores": scores}

    @property
    def comparable_answers(self) -> Sequence[Any]:
        return [
            [(one.start, one.end, one.label) for one in answer.entities] for answer in self.answers
        ]

    def predictions(self) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        """Returns a row for each text; entities are JSON lists of start, end, label and score."""
        columns = [*COLUMNS[:4], "true", "predicted", "right"]
        right = self.right.astype(int).tolist()
        return columns, (
            [
                *(row, self.split.file(row)),
                "" if self.split.lines is None else self.split.lines[row],
                shown_text(answer.text),
                _json([list(span) for span in spans]),
                _json([[one.start, one.end, one.label, one.score] for one in answer.entities]),
                right[row],
            ]
            for row, (answer, spans) in enumerate(
                zip(self.answers, self.split.spans or (), strict=True)
            )
        )


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)


def _ratios(right: int, found: int, true: int) -> dict[str, Any]:
    return {
        "precision": right / max(found, 1),
        "recall": right / max(true, 1),
        "f1": 2 * right / max(found + true, 1),
        "right": right,
        "found": found,
        "true": true,
    }


def score_entities(
    answers: Sequence[TextEntities],
    split: Split,
    label_names: tuple[str, ...],
    decision: EntityDecision | None = None,
    texts_per_second: float = 0.0,
) -> EntityEvaluation:
    """Compares the entities that were found with those of a split.

    Args:
        answers: The entities that were found in each row.
        split: The rows.
        label_names: The types.
        decision: How scores are calibrated; None for not at all.
        texts_per_second: The measured speed, for the report.

    Raises:
        DataError: The split has entities of another type.
    """
    split.check_labels(label_names)
    number_of = {name: number for number, name in enumerate(label_names)}
    of_type = np.zeros((len(label_names), 3), np.int64)  # right, found, true
    counts = np.zeros((len(split), 3), np.int64)
    confusion = np.zeros((len(label_names) + 1, len(label_names) + 1), np.int64)
    mistakes: list[EntityMistake] = []
    scores: list[tuple[float, bool]] = []
    for row, (answer, spans) in enumerate(zip(answers, split.spans or (), strict=True)):
        found = {(one.start, one.end, one.label): one for one in answer.entities}
        sets: list[set[Any]] = [set(spans) & set(found), set(found), set(spans)]
        counts[row] = [len(one) for one in sets]
        for column, members in enumerate(sets):
            for span in members:
                of_type[number_of[span[2]], column] += 1
        scores += [(one.score, key in sets[0]) for key, one in found.items()]
        for true, one in _pairs(spans, answer.entities):
            at = [
                len(label_names) if side is None else number_of[side.label] for side in (true, one)
            ]
            confusion[tuple(at)] += 1
            if kind := _kind(true, one):
                where = split.where(row)
                mistakes.append(EntityMistake(row, where, answer.text, kind, true, one))
    table = np.array(scores, np.float64).reshape(-1, 2)
    return EntityEvaluation(
        label_names=label_names,
        split=split,
        answers=answers,
        counts=counts,
        interval=f1_interval(counts),
        per_type={
            name: _ratios(*row) for name, row in zip(label_names, of_type.tolist(), strict=True)
        },
        confusion=confusion,
        mistakes=_surest(mistakes),
        mistake_counts={kind: sum(one.kind == kind for one in mistakes) for kind in _IN_WORDS},
        decision=decision or EntityDecision(),
        scores=table[:, 0],
        score_right=table[:, 1] > 0,
        texts_per_second=texts_per_second,
    )


def _pairs(
    spans: Sequence[Span], entities: Sequence[Entity]
) -> Iterator[tuple[Span | None, Entity | None]]:
    """Yields each true entity with the one that overlaps it most, and the entities left over."""
    left = list(entities)

    def shared(span: Span, entity: Entity) -> int:
        return min(span.end, entity.end) - max(span.start, entity.start)

    for span in spans:
        best = max(left, key=lambda entity: shared(span, entity), default=None)
        if best is None or shared(span, best) <= 0:
            yield span, None
            continue
        left.remove(best)
        yield span, best
    yield from ((None, entity) for entity in left)


def _kind(true: Span | None, found: Entity | None) -> str:
    """Returns the kind of a mistake; "" if it is none."""
    if true is None or found is None:
        return "spurious" if true is None else "missed"
    if (true.start, true.end) != (found.start, found.end):
        return "place"
    return "" if true.label == found.label else "type"


def _surest(mistakes: Sequence[EntityMistake]) -> tuple[EntityMistake, ...]:
    """Returns some mistakes of each kind, those with the highest scores first."""
    ranked = sorted(mistakes, key=lambda one: -one.found.score if one.found else 0.0)
    return tuple(
        one for kind in _IN_WORDS for one in [m for m in ranked if m.kind == kind][:NUM_MISTAKES]
    )
