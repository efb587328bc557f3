"""`PretrainingResult` and `write_report`: the course of a pre-training, as JSON and as a page."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from kerasnlp_lab.evaluation.plots import learning_curves_figure, png_bytes
from kerasnlp_lab.evaluation.report import render_page
from kerasnlp_lab.paths import write_whole
from kerasnlp_lab.text.pipeline import NO_STEP
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.training.pretraining_plan import PretrainingPlan
from kerasnlp_lab.training.state import TrainingState

__all__ = ["PretrainingResult", "write_report"]

EXAMPLES = 4  # held-out sequences on the page


@dataclass(frozen=True)
class PretrainingResult:
    """The course of a pre-training, and the measures on the held-out texts.

    Args:
        history: One line for each report, as in history.csv.
        best_report: The report that provided the weights, counted from 1.
        held_out: Of the best report: "perplexity" (the exponential of "masked_loss"),
            "masked_accuracy", and with pairs "next_sentence_accuracy".
        seconds: The time of all steps and reports, in seconds.
        sequences_per_second: The speed of the steps, without the first.
        tokens_per_second: The same in tokens, special tokens included.
        sequences: The number of training sequences.
        held_out_sequences: The number of sequences that are held out.
        tokens: The number of tokens in the training sequences.
        parameters: The number of parameters that were trained.
        final_sha256: As in `TrainingResult`.
    """

    history: list[dict[str, Any]]
    best_report: int
    held_out: dict[str, float]
    seconds: float
    sequences_per_second: float
    tokens_per_second: float
    sequences: int
    held_out_sequences: int
    tokens: int
    parameters: int
    final_sha256: str

    @classmethod
    def of(cls, state: TrainingState, plan: PretrainingPlan) -> PretrainingResult:
        """Returns the result of a finished training."""
        best = state.lines[state.best_epoch - 1]
        loss = best.get("val_masked_loss", best["val_loss"])
        held_out = {
            "perplexity": math.exp(min(loss, 700.0)),
            "masked_loss": loss,
            "masked_accuracy": best["val_accuracy"],
        }
        if plan.validation.sequences.pairs:
            held_out["next_sentence_accuracy"] = best["val_next_sentence_accuracy"]
        rate = state.timed_texts / state.timed_seconds if state.timed_texts else 0.0
        weights = plan.learner.network.trainable_weights
        return cls(
            history=state.lines,
            best_report=state.best_epoch,
            held_out=held_out,
            seconds=state.seconds,
            sequences_per_second=rate,
            tokens_per_second=rate * plan.tokens_per_sequence,
            sequences=len(plan.train.sequences),
            held_out_sequences=len(plan.validation.sequences),
            tokens=round(len(plan.train.sequences) * plan.tokens_per_sequence),
            parameters=sum(int(np.prod(one.shape)) for one in weights),
            final_sha256=state.sha256,
        )

    def as_text(self) -> str:
        """Returns the measures on the held-out texts as a line."""
        held_out = self.held_out
        pairs = ""
        if "next_sentence_accuracy" in held_out:
            pairs = f", next sentence {held_out['next_sentence_accuracy']:.4f} right"
        return (
            f"held-out perplexity {held_out['perplexity']:.2f}, masked words "
            f"{held_out['masked_accuracy']:.4f} right{pairs}, {self.held_out_sequences:,} sequences"
        )


class ShownPiece(NamedTuple):
    """A piece of an example: what the model read, and for a hidden one the truth and its guess."""

    read: str
    truth: str = ""
    guess: str = ""
    probability: float = 0.0


def write_report(
    run: RunDirectory,
    record: Mapping[str, Any],
    plan: PretrainingPlan,
    result: PretrainingResult,
    vocabulary: Sequence[str],
) -> None:
    """Writes learning_curves.png, report.html and, last, metrics.json."""
    png = png_bytes(learning_curves_figure(result.history))
    write_whole(run.path / "learning_curves.png", png)
    page = render_page(
        "kerasnlp_lab.evaluation",
        "pretraining.html.j2",
        config=record,
        result=result,
        text=result.as_text(),
        curves=png,
        examples=_examples(plan, vocabulary),
    )
    write_whole(run.path / "report.html", page)
    run.write_json("metrics.json", dataclasses.asdict(result))


def _examples(plan: PretrainingPlan, vocabulary: Sequence[str]) -> list[list[ShownPiece]]:
    """Returns some held-out sequences with what the model guesses for their hidden tokens."""
    rows = np.arange(min(EXAMPLES, len(plan.validation.sequences)))
    features, targets = plan.validation.make(NO_STEP, rows)
    logits = plan.learner.network(
        {name: tf.constant(value) for name, value in features.items()}, training=False
    )
    shares = tf.nn.softmax(logits["masked_words"]).numpy()
    width = features["input_word_ids"].shape[1]
    hidden = dict(zip(features["masked_positions"].tolist(), range(len(shares)), strict=True))
    examples = []
    for row, ids in enumerate(features["input_word_ids"]):
        pieces = []
        for place in range(int(features["input_mask"][row].sum())):
            index = hidden.get(row * width + place)
            piece = ShownPiece(vocabulary[int(ids[place])])
            if index is not None:
                best = int(shares[index].argmax())
                piece = ShownPiece(
                    piece.read,
                    vocabulary[int(targets["masked_ids"][index])],
                    vocabulary[best],
                    float(shares[index][best]),
                )
            pieces.append(piece)
        examples.append(pieces)
    return examples
