"""The registry of tasks: finds them by name, and reads them from saved descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerasnlp_lab.errors import UnknownNameError
from kerasnlp_lab.tasks.classification import Classification
from kerasnlp_lab.tasks.entities import Entities
from kerasnlp_lab.tasks.generation import Generation
from kerasnlp_lab.tasks.multi_label import MultiLabel
from kerasnlp_lab.tasks.task import Task

__all__ = ["find_task", "read_task", "task_names"]

_TASKS: dict[str, type[Task]] = {
    Classification.name: Classification,
    MultiLabel.name: MultiLabel,
    Entities.name: Entities,
    Generation.name: Generation,
}


def task_names() -> list[str]:
    """Returns the names of all tasks."""
    return list(_TASKS)


def find_task(name: str) -> type[Task]:
    """Returns a task's class.

    Raises:
        UnknownNameError: There is no such task.
    """
    if name not in _TASKS:
        raise UnknownNameError("task", name, _TASKS)
    return _TASKS[name]


def read_task(saved: Mapping[str, Any]) -> Task:
    """Reads the task from a model's description or an export's manifest.

    Args:
        saved: JSON with the output of `Task.to_json` under "task". Files of version 0.1.0 have no
            "task"; theirs is classification.

    Raises:
        UnknownNameError: There is no such task.
        KeyError: The description is damaged.
    """
    described = saved.get("task") or {"name": Classification.name, **saved}
    return find_task(described["name"]).from_json(described)
