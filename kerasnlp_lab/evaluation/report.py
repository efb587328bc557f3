"""Reports: renders self-contained HTML pages, and results as text for the terminal."""

from __future__ import annotations

import base64
import functools
from typing import TYPE_CHECKING, Any

import jinja2

from kerasnlp_lab.evaluation.calibration import expected_calibration_error
from kerasnlp_lab.tasks.decision import Decision

if TYPE_CHECKING:
    from kerasnlp_lab.evaluation.classification import ClassificationEvaluation

__all__ = ["evaluation_text", "page_templates", "render_page"]


@functools.cache
def page_templates(package: str) -> jinja2.Environment:
    """Returns a loader for the templates/ of a package and of this one.

    A value that is missing in a template raises `jinja2.UndefinedError`.
    """
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(one) for one in (package, "kerasnlp_lab.evaluation")]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda share: f"{100 * share:.2f}"
    environment.filters["png"] = lambda content: (
        "data:image/png;base64," + base64.b64encode(content).decode()
    )
    return environment


def render_page(package: str, template: str, **values: Any) -> str:
    """Renders a self-contained HTML page.

    Args:
        package: The package with the folder templates/.
        template: The name of the template.
        values: The values that the template uses.
    """
    return page_templates(package).get_template(template).render(**values)


def evaluation_text(evaluation: ClassificationEvaluation) -> str:
    """Returns a classifier's results as text for the terminal."""
    low, high = evaluation.interval
    before = expected_calibration_error(evaluation.uncalibrated, evaluation.labels)
    decision, names = evaluation.decision, evaluation.label_names
    lines = [
        f"accuracy {evaluation.accuracy:.4f} (95% {low:.4f} to {high:.4f}), "
        f"macro-F1 {evaluation.macro_f1:.4f}, MCC {evaluation.mcc:.4f}, "
        f"{len(evaluation.labels)} rows",
        "",
        evaluation.classification_report.rstrip("\n"),
        "",
        f"calibration error {evaluation.calibration_error:.4f}, "
        f"{before:.4f} without the temperature of {decision.temperature:.2f}",
    ]
    if decision.positive is not None:
        name = names[decision.positive]
        lines += [_ranking_line(name, evaluation.per_class[name]), _threshold_line(name, decision)]
    return "\n".join(lines)


def _ranking_line(name: str, row: dict[str, Any]) -> str:
    if row["average_precision"] is None:
        return f"{name}: nothing to rank, because all rows have one class"
    return (
        f"{name}: average precision {row['average_precision']:.4f}, recall "
        f"{row['recall_at_fpr_0.01']:.4f} at 1% false positives, "
        f"{row['recall_at_fpr_0.001']:.4f} at 0.1%"
    )


def _threshold_line(name: str, decision: Decision) -> str:
    return f"{name}: threshold {decision.threshold:.4f}, {decision.rule}"
