"""Reports: renders self-contained HTML pages, and results as text for the terminal."""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
import sklearn.metrics
from rich.cells import cell_len

from kerasnlp_lab.display import listed, shown_names
from kerasnlp_lab.evaluation.calibration import expected_calibration_error
from kerasnlp_lab.evaluation.many_classes import FEW_CLASSES
from kerasnlp_lab.tasks.decision import Decision

if TYPE_CHECKING:
    from kerasnlp_lab.evaluation.classification import ClassificationEvaluation

__all__ = ["evaluation_text", "page_templates", "render_page", "report_text", "table_lines"]

MEAN = "weighted avg"  # the longest name of a mean in scikit-learn's report
WORST = 20  # classes in the text of a report of many


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
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": False}
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


def table_lines(
    label_names: Sequence[str], columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Returns a table for the terminal with a line for each label.

    Args:
        label_names: The labels.
        columns: The key of each column in a row, by the column's title.
        rows: The numbers of each label; shares are floats.
    """
    names = shown_names(label_names)
    width = max(map(cell_len, names))
    cells = [
        [f"{row[key]:.4f}" if isinstance(row[key], float) else row[key] for key in columns.values()]
        for row in rows
    ]
    return [
        name + " " * (width - cell_len(name)) + "".join(f" {cell:>9}" for cell in line)
        for name, line in zip(["", *names], [columns, *cells], strict=True)
    ]


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
    if absent := [name for name, row in evaluation.per_class.items() if not row["support"]]:
        subject = "class" if len(absent) == 1 else "the classes"
        count = "it counts" if len(absent) == 1 else "they count"
        lines.append(
            f"no row has {subject} {listed(absent)}: {count} as an F1 of 0 in the macro-F1"
        )
    if decision.positive is not None:
        row = evaluation.per_class[names[decision.positive]]
        name = shown_names(names)[decision.positive]
        lines += [_ranking_line(name, row), _threshold_line(name, decision)]
    return "\n".join(lines)


def report_text(evaluation: ClassificationEvaluation) -> str:
    """Returns scikit-learn's classification report. Of many classes, it has only the worst."""
    names = shown_names(evaluation.label_names)
    report = sklearn.metrics.classification_report(
        evaluation.labels,
        evaluation.predicted,
        labels=range(len(names)),
        target_names=names,
        digits=4,
        zero_division=0,
    )
    head, blank, *lines = report.split("\n")
    classes, means = lines[: len(names)], lines[len(names) :]
    width = max(len(MEAN), *map(len, names))
    cells = max(len(MEAN), *map(cell_len, names))
    for number, name in enumerate(names):  # a Chinese character takes two cells
        classes[number] = " " * (cells - cell_len(name)) + name + classes[number][width:]
    if len(names) > FEW_CLASSES:
        rows = evaluation.per_class.values()
        worst = np.argsort([row["f1"] if row["support"] else 2.0 for row in rows], kind="stable")
        classes = [classes[label] for label in worst[:WORST]]
        more = f"the {WORST} classes with the lowest F1; {len(names) - WORST:,} more are in"
        classes += ["", f"{more} metrics.json and the output of --json"]
    head, *means = (
        " " * (cells - width) + line[max(0, width - cells) :] for line in (head, *means)
    )
    return "\n".join([head, blank, *classes, *(line.rstrip() for line in means)])


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
