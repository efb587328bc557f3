"""Every task with rows to train it, for `test_every_task.py`."""

from dataclasses import dataclass

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.tasks import Classification, Task
from tests.tasks.throwaway import EvenWords, MaskedWords

TEXTS = (
    "the cat sat",
    "a dog ran , the cat ran !",
    "oil",
    "the team game .",
    "stock web code chip",
    "war vote",
    "goal match team",
    "a cat , a dog",
)
LABELS = (0, 0, 1, 2, 1, 2, 2, 0)
ROWS = Split(TEXTS, LABELS)


@dataclass(frozen=True)
class TaskCase:
    """A task with suitable rows."""

    task: type[Task]
    label_names: tuple[str, ...] = ("pets", "money", "sport")

    @property
    def data(self) -> TextDataset:
        return TextDataset("few texts", self.label_names, ROWS, ROWS, ROWS)


CASES = [
    TaskCase(Classification),
    # These are not in the package. They show that the interface supports more tasks.
    TaskCase(MaskedWords),
    TaskCase(EvenWords),
]
