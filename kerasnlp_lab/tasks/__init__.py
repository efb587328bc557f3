"""Tasks: define targets, head, loss and answers; classification and entities."""

from kerasnlp_lab.tasks.classification import Classification, Prediction
from kerasnlp_lab.tasks.decision import Decision
from kerasnlp_lab.tasks.entities import Entities, Entity, TextEntities
from kerasnlp_lab.tasks.registry import find_task, read_task, task_names
from kerasnlp_lab.tasks.task import HeadOptions, Task

__all__ = [
    "Classification",
    "Decision",
    "Entities",
    "Entity",
    "HeadOptions",
    "Prediction",
    "Task",
    "TextEntities",
    "find_task",
    "read_task",
    "task_names",
]
