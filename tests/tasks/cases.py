"""Every task with rows to train it, for `test_every_task.py`."""

import re
from dataclasses import dataclass

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.tasks import Classification, Entities, Generation, MultiLabel, Task
from tests.tasks.throwaway import EvenWords, MaskedWords, TaughtClasses

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
LABEL_SETS = ((0,), (0, 2), (1,), (2,), (1, 2), (), (2,), (0,))


@dataclass(frozen=True)
class TaskCase:
    """A task with suitable rows."""

    task: type[Task]
    label_names: tuple[str, ...] = ("pets", "money", "sport")
    rows: Split = ROWS
    from_scratch: str = "transformer"
    on_a_bert: bool = True

    @property
    def models(self) -> tuple[str, ...]:
        return (self.from_scratch, "bert") if self.on_a_bert else (self.from_scratch,)

    @property
    def data(self) -> TextDataset:
        return TextDataset("few texts", self.label_names, self.rows, self.rows, self.rows)


def with_entities(texts: tuple[str, ...]) -> Split:
    """Returns texts whose cats and dogs are pets, and whose teams are sport."""
    label_of = {"cat": "pets", "dog": "pets", "team game": "sport", "team": "sport"}
    spans = [
        tuple(
            Span(found.start(), found.end(), label_of[found.group()])
            for found in re.finditer("cat|dog|team game|team", text)
        )
        for text in texts
    ]
    return Split(texts, spans=spans)


CASES = [
    TaskCase(Classification),
    TaskCase(MultiLabel, rows=Split(TEXTS, label_sets=LABEL_SETS)),
    TaskCase(Entities, ("pets", "sport"), with_entities(TEXTS), "hash_embed_cnn"),
    TaskCase(
        Generation,
        (),
        Split(TEXTS, target_texts=[text[::-1].upper() for text in TEXTS]),
        "rnn_seq2seq",
        on_a_bert=False,
    ),
    # These are not in the package. They show that the interface supports more tasks.
    TaskCase(MaskedWords),
    TaskCase(EvenWords),
    TaskCase(TaughtClasses),
]
