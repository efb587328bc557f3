"""Tasks: define targets, head, loss and answers; classification is one."""

from kerasnlp_lab.tasks.classification import Classification, Prediction
from kerasnlp_lab.tasks.decision import Decision
from kerasnlp_lab.tasks.registry import find_task, read_task, task_names
from kerasnlp_lab.tasks.task import HeadOptions, Task

__all__ = [
    "Classification",
    "Decision",
    "HeadOptions",
    "Prediction",
    "Task",
    "find_task",
    "read_task",
    "task_names",
]
