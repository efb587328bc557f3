"""`GenerationEvaluation`: how well texts are written: exact match, edits and BLEU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import scipy.stats
from matplotlib.figure import Figure
from rapidfuzz.distance import Levenshtein

from kerasnlp_lab.data import Split
from kerasnlp_lab.data.pairs import are_pairs, text_fields
from kerasnlp_lab.display import first_few, printable, shortened
from kerasnlp_lab.evaluation.evaluation import Evaluation
from kerasnlp_lab.evaluation.predictions import columns_of, place_of, shown_text, shown_texts
from kerasnlp_lab.tasks import GeneratedText, Generation
from kerasnlp_lab.text.piece_vectorizer import need_pieces
from kerasnlp_lab.text.raw_texts import replace_surrogates

__all__ = ["GenerationEvaluation", "WrongText", "score_texts"]

NUM_MISTAKES = 20
LENGTHS = 5  # groups of rows by the length of their texts
LONGEST_SHOWN = 80  # cells of a terminal


@dataclass(frozen=True)
class WrongText:
    """A text for which another than the target was written.

    Args:
        row: The row in the split, counted from 0.
        where: The file and the line, if the row has them.
        text: The text.
        target: The target text.
        output: The text that was written.
        edits: How many characters were added, left out or replaced.
        score: The score of the output.
        second_text: The second text of a pair; None if the text is no pair.
    """

    row: int
    where: str
    text: str
    target: str
    output: str
    edits: int
    score: float
    second_text: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Returns the fields; without the second text if there is none."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, eq=False)
class GenerationEvaluation(Evaluation):
    """The results of a model that writes texts, on one split.

    Args:
        task: The task, which has the characters that can be written.
        split: The rows, with target texts.
        answers: The texts that were written.
        edits: The edit distance (Levenshtein) of each from its target, int64 [rows].
        texts_per_second: The speed from strings to texts after a warm-up; 0 if not measured.
    """

    template: ClassVar[str] = "generation.html.j2"
    main_figure: ClassVar[str] = "by_length"

    task: Generation
    split: Split
    answers: Sequence[GeneratedText]
    edits: np.ndarray
    texts_per_second: float = 0.0

    @cached_property
    def targets(self) -> list[str]:
        """The target texts."""
        return list(map(replace_surrogates, self.split.target_texts or ()))

    @property
    def right(self) -> np.ndarray:
        return (self.edits == 0).astype(np.float64)

    @property
    def exact_match(self) -> float:
        """The share of rows whose whole target was written, character by character."""
        return float(self.right.mean())

    @property
    def headline(self) -> tuple[str, float]:
        return "exact_match", self.exact_match

    @cached_property
    def interval(self) -> tuple[float, float]:  # type: ignore[override]
        """The 95% Wilson score interval of the exact match."""
        test = scipy.stats.binomtest(int(self.right.sum()), len(self.edits))
        found = test.proportion_ci(method="wilson")
        return float(found.low), float(found.high)

    @property
    def character_error_rate(self) -> float:
        """The edits of all rows, divided by the characters of all targets."""
        return float(self.edits.sum() / sum(map(len, self.targets)))

    @cached_property
    def bleu(self) -> tuple[float, str]:
        """sacrebleu's BLEU of all rows, from 0 to 100, and its signature.

        Targets in scripts without spaces between words are compared by characters.

        Source: Post 2018, https://aclanthology.org/W18-6319.
        """
        import sacrebleu

        tokenize = "char" if need_pieces(self.targets) else "13a"
        metric = sacrebleu.BLEU(tokenize=tokenize, force=True)
        score = metric.corpus_score([one.output for one in self.answers], [self.targets])
        return score.score, str(metric.get_signature())

    @property
    def more_figures(self) -> dict[str, float]:
        return {"character_error_rate": self.character_error_rate, "bleu": self.bleu[0]}

    @cached_property
    def by_length(self) -> list[dict[str, Any]]:
        """The exact match of rows with texts of a similar length, shortest first."""
        lengths = np.array([len(text) for text in self.split.texts])
        bounds = np.unique(
            np.quantile(lengths, np.linspace(0, 1, LENGTHS + 1)[1:-1], method="lower")
        )
        group = np.searchsorted(bounds, lengths)
        return [
            {
                "characters": [int(lengths[rows].min()), int(lengths[rows].max())],
                "rows": int(rows.sum()),
                "exact_match": float(self.right[rows].mean()),
            }
            for rows in (group == number for number in np.unique(group))
        ]

    def as_json(self) -> dict[str, Any]:
        unseen = self.task.unseen_symbols(self.targets)
        return {
            "rows": len(self.edits),
            "exact_match": self.exact_match,
            "exact_match_95_interval": list(self.interval),
            "character_error_rate": self.character_error_rate,
            "bleu": self.bleu[0],
            "bleu_signature": self.bleu[1],
            "by_length": self.by_length,
            "incomplete_outputs": sum(not one.complete for one in self.answers),
            "targets_with_unseen_characters": self._rows_with(unseen),
            "unseen_characters": list(unseen),
            "predict_texts_per_second": self.texts_per_second,
        }

    def _rows_with(self, characters: Sequence[str] | dict[str, int]) -> int:
        return sum(any(one in target for one in characters) for target in self.targets)

    @cached_property
    def mistakes(self) -> tuple[WrongText, ...]:
        """The outputs with the most edits for each character of the target, worst first."""
        lengths = np.array([len(target) for target in self.targets])
        worst = np.argsort(-self.edits / lengths, kind="stable")[:NUM_MISTAKES]
        pairs = are_pairs(self.split.texts)
        return tuple(
            WrongText(
                row=int(row),
                where=self.split.where(row),
                **text_fields(self.split.texts[row], pairs),
                target=self.targets[row],
                output=self.answers[row].output,
                edits=int(self.edits[row]),
                score=self.answers[row].score,
            )
            for row in worst
            if self.edits[row]
        )

    def mistakes_as_json(self) -> list[dict[str, Any]]:
        return [one.as_json() for one in self.mistakes]

    def as_text(self) -> str:
        low, high = self.interval
        content = self.as_json()
        lines = [
            f"exact match {self.exact_match:.4f} (95% {low:.4f} to {high:.4f}), character error "
            f"rate {self.character_error_rate:.4f}, BLEU {self.bleu[0]:.2f}, {len(self.edits)} "
            "rows",
            "",
            "exact match by the length of the text:",
        ]
        for one in self.by_length:
            shortest, longest = one["characters"]
            lines.append(
                f"  {shortest:>5} to {longest:>5} characters  {one['exact_match']:.4f}  "
                f"{one['rows']:>6} rows"
            )
        if rows := content["targets_with_unseen_characters"]:
            shown = first_few(list(map(printable, content["unseen_characters"])), 8)
            lines.append(
                f"{rows:,} targets cannot be written: no training target has their characters "
                f"{shown}"
            )
        if rows := content["incomplete_outputs"]:
            lines.append(
                f"{rows:,} outputs reached the most characters that the model writes, and were cut "
                "off there: see the option max_output_length"
            )
        if self.mistakes:
            lines += ["", "worst outputs:"]
            lines += [
                f"  {_short(shown_text(one.text))}: {_short(one.output)!r} in place of "
                f"{_short(one.target)!r}"
                for one in self.mistakes[:5]
            ]
        return "\n".join(lines)

    def figures(self) -> dict[str, Figure]:
        figure = Figure(figsize=(5.5, 3.5), layout="constrained")
        axes = figure.subplots()
        groups = self.by_length
        names = ["{}-{}".format(*one["characters"]) for one in groups]
        axes.bar(names, [one["exact_match"] for one in groups])
        axes.set(xlabel="characters of the text", ylabel="exact match", ylim=(0, 1))
        return {"by_length": figure}

    @property
    def comparable_answers(self) -> Sequence[Any]:
        return [answer.output for answer in self.answers]

    def predictions(self) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        """Returns a row for each text; ``edits`` is 0 where the output is exactly the target."""
        columns = [*columns_of(self.split)[:-2], "target", "output", "score", "complete", "edits"]
        return columns, (
            [
                *place_of(self.split, row, texts),
                shown_text(self.targets[row]),
                shown_text(self.answers[row].output),
                f"{self.answers[row].score:.6f}",
                self.answers[row].complete,
                self.edits[row],
            ]
            for row, texts in enumerate(shown_texts(self.split))
        )


def _short(text: str) -> str:
    return shortened(printable(text), LONGEST_SHOWN)


def score_texts(
    answers: Sequence[GeneratedText], split: Split, task: Generation, texts_per_second: float = 0.0
) -> GenerationEvaluation:
    """Compares the texts that were written with the target texts of a split.

    Args:
        answers: The answer to each row.
        split: The rows.
        task: The task.
        texts_per_second: The measured speed, for the report.
    """
    targets = map(replace_surrogates, split.target_texts or ())
    edits = [
        Levenshtein.distance(one.output, target)
        for one, target in zip(answers, targets, strict=True)
    ]
    return GenerationEvaluation(task, split, answers, np.array(edits, np.int64), texts_per_second)
