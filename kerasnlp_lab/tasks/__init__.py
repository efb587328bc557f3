"""Tasks: define targets, head, loss and answers; classification, entities, generation and so on."""

from kerasnlp_lab.tasks.classification import Classification, Prediction
from kerasnlp_lab.tasks.decision import Decision
from kerasnlp_lab.tasks.entities import Entities, Entity, TextEntities
from kerasnlp_lab.tasks.generation import GeneratedText, Generation
from kerasnlp_lab.tasks.multi_label import MultiLabel, TextLabels
from kerasnlp_lab.tasks.registry import find_task, read_task, task_names
from kerasnlp_lab.tasks.task import HeadOptions, Task

__all__ = [
    "Classification",
    "Decision",
    "Entities",
    "Entity",
    "GeneratedText",
    "Generation",
    "HeadOptions",
    "MultiLabel",
    "Prediction",
    "Task",
    "TextEntities",
    "TextLabels",
    "find_task",
    "read_task",
    "task_names",
]
