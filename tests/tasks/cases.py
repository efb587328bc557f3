"""Every task, and rows to train it on: `test_every_task.py` runs over them."""

from dataclasses import dataclass

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.tasks import Classification, Task
from tests.tasks.throwaway import EvenWords, MaskedWords

TEXTS = (
    *("the cat sat", "a dog ran , the cat ran !", "oil", "the team game ."),
    *("stock web code chip", "war vote", "goal match team", "a cat , a dog"),
)
LABELS = (0, 0, 1, 2, 1, 2, 2, 0)
ROWS = Split(TEXTS, LABELS)


@dataclass(frozen=True)
class TaskCase:
    """A task and rows that fit it."""

    task: type[Task]
    label_names: tuple[str, ...] = ("pets", "money", "sport")

    @property
    def data(self) -> TextDataset:
        return TextDataset("few texts", self.label_names, ROWS, ROWS, ROWS)


CASES = [
    TaskCase(Classification),
    # Not in the package: they show that the walls carry more.
    TaskCase(MaskedWords),
    TaskCase(EvenWords),
]
