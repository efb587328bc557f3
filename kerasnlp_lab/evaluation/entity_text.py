"""`entity_text`: the results of a model that finds entities, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from kerasnlp_lab.display import shown_names

if TYPE_CHECKING:
    from kerasnlp_lab.evaluation.entities import EntityEvaluation

__all__ = ["entity_text"]


def entity_text(evaluation: EntityEvaluation) -> str:
    """Returns the results as text: all types together, each type, and the calibration."""
    totals, (low, high) = evaluation.totals, evaluation.interval
    rows_right, count = evaluation.right.mean(), len(evaluation.counts)
    names = shown_names(evaluation.label_names)
    width = max(10, *map(cell_len, names))
    rows = zip(names, evaluation.per_type.values(), strict=True)
    lines = [
        f"entity F1 {totals['f1']:.4f} (95% {low:.4f} to {high:.4f}), precision "
        f"{totals['precision']:.4f}, recall {totals['recall']:.4f}",
        f"{totals['right']} of {totals['found']} found entities are right, of {totals['true']} "
        f"true ones; all is right in {rows_right:.4f} of {count} rows",
        "",
        f"{'':{width}} precision    recall        F1     found      true",
        *(
            f"{name}{' ' * (width - cell_len(name))} {row['precision']:9.4f} {row['recall']:9.4f} "
            f"{row['f1']:9.4f} {row['found']:9} {row['true']:9}"
            for name, row in rows
        ),
        "",
        f"calibration error of the scores {evaluation.calibration_error:.4f}, with a temperature "
        f"of {evaluation.decision.temperature:.2f}",
    ]
    return "\n".join(lines)
