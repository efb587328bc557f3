"""Reports: one HTML page that holds all it shows, and tables for the terminal."""

from __future__ import annotations

import base64
from typing import Any

import jinja2
import rich.table

from kerasnlp_lab.evaluation.metrics import Evaluation

__all__ = ["evaluation_table", "render_page"]

_environment = jinja2.Environment(
    loader=jinja2.PackageLoader("kerasnlp_lab.evaluation"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["percent"] = lambda share: f"{100 * share:.2f}"
_environment.filters["png"] = lambda content: (
    "data:image/png;base64," + base64.b64encode(content).decode()
)


def render_page(template: str, **values: Any) -> str:
    """Returns one of the pages in templates/, filled in; nothing is loaded from outside it."""
    return _environment.get_template(template).render(**values)


def evaluation_table(evaluation: Evaluation) -> rich.table.Table:
    """Returns precision, recall and F1 of each class, for the terminal."""
    low, high = evaluation.interval
    table = rich.table.Table(
        title=f"accuracy {evaluation.accuracy:.4f} (95% {low:.4f} to {high:.4f}), "
        f"macro-F1 {evaluation.macro_f1:.4f}, {len(evaluation.labels)} rows",
        title_justify="left",
    )
    table.add_column("class")
    for column in ("precision", "recall", "F1", "rows"):
        table.add_column(column, justify="right")
    for name, row in evaluation.per_class.items():
        numbers = [f"{row[key]:.4f}" for key in ("precision", "recall", "f1")]
        table.add_row(name, *numbers, str(row["support"]))
    return table
