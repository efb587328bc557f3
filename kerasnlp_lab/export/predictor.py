"""`Predictor`: answers texts with an exported SavedModel or with the classifier of a run."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from kerasnlp_lab.data.inputs import iter_texts
from kerasnlp_lab.data.pairs import PAIR_SEPARATOR, iter_pairs, split_pair
from kerasnlp_lab.errors import OptionError, RunError
from kerasnlp_lab.export.exported_model import ExportedModel
from kerasnlp_lab.machine import begin_computing
from kerasnlp_lab.paths import did_you_mean_path, user_path
from kerasnlp_lab.tasks import Task
from kerasnlp_lab.text.order import evaluation_order
from kerasnlp_lab.text.raw_texts import replace_surrogates
from kerasnlp_lab.text.threads import in_threads
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.zoo import load_classifier, predict_logits

__all__ = ["Predictor", "open_predictor"]

SERVING_BATCH = 32
FIRST_CHUNK = 512
LARGEST_CHUNK = 8192
SEPARATOR = PAIR_SEPARATOR.encode()


@dataclass(frozen=True)
class Predictor:
    """Answers texts in their order.

    Args:
        task: The task of the model.
        answer: Takes texts, valid UTF-8 or not, and returns the task's answers.
        precision: The precision of the encoder's computation; None without an encoder.
        pair: The names of the first and the second text, if the model answers pairs of texts.
    """

    task: Task
    answer: Callable[[Sequence[bytes]], list[Any]]
    precision: str | None = None
    pair: tuple[str, str] | None = None

    @property
    def label_names(self) -> tuple[str, ...]:
        """The task's classes."""
        return self.task.label_names

    def predict(self, texts: Iterable[Any], *, chunk: int | None = None) -> Iterator[Any]:
        """Returns the answers one at a time, in order, and reads at most one chunk ahead.

        Args:
            texts: The texts, in a list, a column of pandas, a generator and so on. For a model
                of pairs, a tuple (first, second) for each.
            chunk: The number of texts to answer at a time. None starts with 512 and doubles it up
                to 8,192, as long as a chunk takes less than a second.

        Returns:
            The task's `Answer` to each text; a `Prediction` for classification.

        Raises:
            DataError: This is a single string. A text that is missing or is no string, or no pair
                where the model needs one, raises it when its chunk is read.
            ForkError: The predictor was opened before this process was forked.
        """
        begin_computing()
        given = iter_pairs(texts, self.pair) if self.pair else iter_texts(texts)
        return self._answers(given, chunk)

    def _answers(self, remaining: Iterator[str | bytes], chunk: int | None) -> Iterator[Any]:
        size = chunk or FIRST_CHUNK
        while batch := [_as_bytes(text) for text in islice(remaining, size)]:
            begin_computing()  # between two answers, the process may have been forked
            began = time.monotonic()
            answers = self.answer(batch)
            if chunk is None and time.monotonic() - began < 1:
                size = min(2 * size, LARGEST_CHUNK)
            yield from map(_of_pair, answers) if self.pair else answers


def open_predictor(model: str | Path, *, precision: str | None = None) -> Predictor:
    """Opens an exported SavedModel, or the classifier of a finished run.

    Args:
        model: The folder of the export or of the run.
        precision: The precision of a run's encoder; see `load_classifier`. An export's precision
            is fixed.

    Raises:
        OptionError: The model does not support the precision.
        RunError: The folder is neither, or one of its files is missing or altered.
        ForkError: TensorFlow had computed before this process was forked.
    """
    begin_computing()
    path = user_path(model)
    if not path.exists():
        raise RunError(
            f"there is no exported model and no run directory {path}{did_you_mean_path(path)}"
        )
    if (path / "saved_model.pb").is_file():
        if precision is not None:
            raise OptionError(
                f"the precision of {path} is fixed: export the run again with "
                f"--precision {precision}"
            )
        return _open_saved_model(path)
    if (path / "config.json").is_file():
        return _open_run(path, precision)
    raise RunError(
        f"{path} is neither an exported model (saved_model.pb) nor a run directory (config.json)"
    )


def _of_pair(answer: Any) -> Any:
    """Returns an answer to a string of `join_pair` as one to two texts."""
    text, second_text = split_pair(answer.text)
    return dataclasses.replace(answer, text=text, second_text=second_text)


def _open_run(path: Path, precision: str | None) -> Predictor:
    classifier = load_classifier(RunDirectory.open(path).model, precision=precision)
    task, fused = classifier.task, classifier.fused()

    def answer(texts: Sequence[bytes]) -> list[Any]:
        logits = predict_logits(classifier, texts, fused=fused)
        return task.answers(logits, classifier.decision, _as_text(texts))

    return Predictor(task, answer, classifier.options.encoder_precision, classifier.pair)


def _open_saved_model(path: Path) -> Predictor:
    model = ExportedModel.open(path)
    task, pair = model.task, model.pair

    def answer(texts: Sequence[bytes]) -> list[Any]:
        def answers_to(chosen: np.ndarray) -> list[Any]:
            some = [texts[index] for index in chosen]
            sides = [text.partition(SEPARATOR)[::2] if pair else (text,) for text in some]
            return task.read_answers(model.call(list(zip(*sides, strict=True))), _as_text(some))

        batches = evaluation_order(np.array([len(text) for text in texts]), SERVING_BATCH)
        answers: list[Any] = [None] * len(texts)
        for chosen, found in zip(batches, in_threads(answers_to, batches), strict=True):
            for index, one in zip(chosen, found, strict=True):
                answers[index] = one
        return answers

    return Predictor(task, answer, model.manifest.get("precision"), pair)


def _as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else replace_surrogates(text).encode()


def _as_text(texts: Sequence[bytes]) -> list[str]:
    return [text.decode("utf-8", "replace") for text in texts]
