"""`Teaching`: a finished run as a teacher, and the texts that a student learns its answers to."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rich.console

from kerasnlp_lab._keras import keras
from kerasnlp_lab.data import (
    ShardedSplit,
    Shards,
    Split,
    TableFiles,
    TextDataset,
    load_again,
    without_leaks,
)
from kerasnlp_lab.data.normal_form import text_key
from kerasnlp_lab.data.sharded_split import read_records
from kerasnlp_lab.data.unlabelled_files import UnlabelledFiles, UnlabelledTexts
from kerasnlp_lab.errors import OptionError, RunError, check_option
from kerasnlp_lab.lab.claiming import say
from kerasnlp_lab.lab.config import DEFAULT_TASK, ExperimentConfig
from kerasnlp_lab.paths import cache_dir
from kerasnlp_lab.tasks import find_task
from kerasnlp_lab.tasks.distilled import Distilled, Lesson
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.training.feature_cache import FeatureCache, text_keys
from kerasnlp_lab.training.progress import progress_bar
from kerasnlp_lab.zoo import find_model, load_classifier, predict_logits
from kerasnlp_lab.zoo.classifier import DESCRIPTION_FILE

__all__ = ["Distillation", "Teaching", "teacher_rows", "unlabelled_texts"]

ASKED_AT_ONCE = 512
STUDENT_RECIPES: Mapping[str, Mapping[str, Any]] = {
    "transformer": {"epochs": 12, "patience": 12},
}
"""What a student's recipe has in place of its model's own values, by model."""
NO_SMOOTHING = {"label_smoothing": 0.0}  # the teacher's probabilities are soft already


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """What a student learns from.

    Args:
        teacher: The directory of a finished run of classification or multi_label.
        unlabelled: Files with texts without labels, which the teacher answers.
        leaks: What becomes of unlabelled texts that are validated or tested on: "keep" or "drop".
        temperature: The divisor of both models' logits in the soft loss.
        hard: The share of a row's own label in its loss, from 0 to 1.

    Raises:
        OptionError: A value is out of range.
    """

    teacher: str
    unlabelled: UnlabelledFiles = UnlabelledFiles()
    leaks: str = "keep"
    temperature: float = 1.0
    hard: float = 0.5

    def __post_init__(self) -> None:
        check_option("leaks", self.leaks, self.leaks in ("keep", "drop"), "keep or drop")
        fits = 0 < self.temperature < math.inf
        check_option("temperature", self.temperature, fits, "above 0")
        check_option("hard", self.hard, 0 <= self.hard <= 1, "from 0 to 1")

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Distillation:
        """Returns the settings in the "distillation" of a config.json.

        Raises:
            RunError: Unlabelled texts came from a pipe.
            KeyError: A key is missing.
        """
        return cls(
            teacher=record["teacher"],
            unlabelled=UnlabelledFiles.from_json(list(record["unlabelled"]), record["reading"]),
            **{name: record[name] for name in ("leaks", "temperature", "hard")},
        )


def teacher_rows(settings: Distillation, moved: Mapping[str, str] | None = None) -> TextDataset:
    """Loads the rows that a teacher was trained on, for its student.

    Args:
        settings: The settings; with leaks="drop", rows that leak are left out.
        moved: The new place of files that were moved: see `load_again`.

    Raises:
        RunError: The teacher is no finished run, or the rows have changed.
        KerasnlpLabError: The rows cannot be read.
    """
    data = load_again(
        RunDirectory.open(settings.teacher).read_json("config.json")["dataset"], moved
    )
    drop = settings.leaks == "drop" and data.leaks_left_out is None
    return without_leaks(data) if drop else data


class Teaching:
    """A teacher with the texts that its student learns from, found and checked.

    Args:
        settings: The settings.
        data: The student's rows, as `teacher_rows` returns them.

    Raises:
        OptionError: The teacher's task is none that can be distilled, or no row was held out.
        RunError: The teacher is no finished run.
        DataError: Unlabelled texts cannot be read.
    """

    def __init__(self, settings: Distillation, data: TextDataset):
        self.settings, self.data = settings, data
        self.run = RunDirectory.open(settings.teacher)
        self._config = self.run.read_json("config.json")
        self.task = self._config.get("task", DEFAULT_TASK)
        Distilled.check(find_task(self.task))
        if data.validation is data.train:
            raise OptionError(
                f"{self.run.path} was trained on all its rows, by cross-validation, and a student "
                "needs rows to choose its best epoch on: train the teacher with --folds 0"
            )
        found = settings.unlabelled.read(_text_columns(data), data.pair)
        self.unlabelled, notes = _only_new(found, data, settings.leaks == "drop")
        self.notes = [*found.notes, *notes]
        self.record = self._record(found)

    def student(
        self, model: str, options: Mapping[str, Any], recipe: Mapping[str, Any], **settings: Any
    ) -> ExperimentConfig:
        """Returns the settings of a student: the teacher's task and threshold, another model.

        Where the teacher is a BERT, embeddings of words or pieces start from its vectors of them,
        unless the option `word_vectors` is given.

        Args:
            model: The student's name in the zoo.
            options: Options of the model that differ from its defaults.
            recipe: Fields of the recipe that differ from the student's.
            settings: Other arguments of `ExperimentConfig`.
        """
        entry = find_model(model)
        own = entry.recipe_for(self.task)
        described = self.run.read_json(f"model/{DESCRIPTION_FILE}")
        starts = hasattr(entry.options, "word_vectors") and options.get("tokens") != "characters"
        if starts and "encoder" in described.get("options", {}):
            options = {"word_vectors": self.record["teacher"], **options}
        changes = {**NO_SMOOTHING, **STUDENT_RECIPES.get(model, {}), **recipe}
        return ExperimentConfig(
            model,
            options,
            dataclasses.replace(own, **changes),
            task=self.task,
            **self._config["decision"],
            **settings,
        )

    def check_same(self, record: Mapping[str, Any]) -> None:
        """Raises RunError if the teacher or a file differs from those of a run's record."""
        if record["teacher_sha256"] != self.record["teacher_sha256"]:
            raise RunError(
                f"the teacher in {self.run.path} is another than when the run was started; put it "
                "back, or distil again with another --output"
            )
        for path, sha256 in record["unlabelled"].items():
            if self.record["unlabelled"].get(path) != sha256:
                raise RunError(
                    f"{path} holds other texts than when the run was started; put them back, or "
                    "distil again with another --output"
                )

    def lesson(self, console: rich.console.Console | None = None) -> Lesson:
        """Returns the rows to learn from, with the teacher's logits, computed or cached.

        Args:
            console: Where to show progress; None shows nothing.

        Raises:
            RunError: The teacher's files are damaged.
            StorageError: The cache cannot be written.
        """
        train = _in_memory(self.data.train)
        logits = self._logits([*train.texts, *self.unlabelled.texts], console)
        labelled = np.arange(len(logits)) < len(train)
        rows = _with_answers(train, self.unlabelled, logits[~labelled])
        return Lesson(rows, labelled, logits, self.settings.temperature, self.settings.hard)

    def _logits(self, texts: Sequence[str], console: rich.console.Console | None) -> np.ndarray:
        """Returns the teacher's logits, float32 [texts, classes].

        They are cached by the teacher's weights, files and options, and by the text.
        """
        began = time.perf_counter()
        keras.backend.clear_session()
        teacher = load_classifier(self.run.model)
        folder = cache_dir() / "teacher_logits" / _sha256(self.run.model, teacher.options)[:32]
        cache = FeatureCache(folder, len(teacher.label_names))
        content = (text.encode("utf-8", "surrogatepass") for text in texts)
        keys = text_keys([np.frombuffer(one, np.uint8) for one in content])
        missing = np.flatnonzero(cache.find(keys)[:, 0] < 0)
        missing = missing[np.unique(keys[missing], axis=0, return_index=True)[1]]
        longest_first = sorted(missing.tolist(), key=lambda row: -len(texts[row]))
        missing = np.array(longest_first, np.int64)
        with progress_bar(console) as bar:
            task = bar.add_task("  teacher", total=len(missing))
            fused = teacher.fused() if len(missing) else None

            def answers(chosen: np.ndarray) -> Iterator[np.ndarray]:
                for start in range(0, len(chosen), ASKED_AT_ONCE):
                    rows = missing[chosen[start : start + ASKED_AT_ONCE]]
                    some = [texts[row] for row in rows.tolist()]
                    yield predict_logits(teacher, some, fused=fused)
                    bar.update(task, advance=len(rows))

            cache.add(keys[missing], answers)
        say(
            console,
            f"teacher  {len(missing)} of {len(texts)} texts answered by {teacher.name}, the rest "
            f"cached  {time.perf_counter() - began:.1f} s",
        )
        keras.backend.clear_session()
        return cache.read(cache.find(keys))

    def _record(self, found: UnlabelledTexts) -> dict[str, Any]:
        """Returns what config.json says about the distillation."""
        settings = self.settings
        described = {
            "teacher_sha256": _sha256(self.run.model),
            "temperature": settings.temperature,
            "hard": settings.hard,
            "leaks": settings.leaks,
        }
        digest = hashlib.sha256(json.dumps(described).encode())
        for text in self.unlabelled.texts:
            digest.update(b"\0" + text.encode("utf-8", "surrogatepass"))
        return {
            "teacher": str(self.run.path.resolve()),
            "teacher_model": self._config["model"]["name"],
            **described,
            "unlabelled": dict(found.sha256),
            "reading": settings.unlabelled.to_json(),
            "unlabelled_texts": len(self.unlabelled.texts),
            "fingerprint": digest.hexdigest(),
        }


def unlabelled_texts(record: Mapping[str, Any], data: TextDataset) -> list[str]:
    """Returns the texts without labels that a finished student has learned from.

    Args:
        record: The "distillation" of its config.json.
        data: Its rows.

    Raises:
        DataError: A file cannot be read.
        RunError: Texts came from a pipe.
    """
    settings = Distillation.from_json(record)
    found = settings.unlabelled.read(_text_columns(data), data.pair)
    return _only_new(found, data, settings.leaks == "drop")[0].texts


def _text_columns(data: TextDataset) -> tuple[str, ...]:
    """Returns the columns of a table's texts; none if the rows come from no table."""
    source = data.source.made_from if isinstance(data.source, Shards) else data.source
    return source.text_columns if isinstance(source, TableFiles) else ()


def _only_new(
    found: UnlabelledTexts, data: TextDataset, drop: bool
) -> tuple[UnlabelledTexts, list[str]]:
    """Returns the texts that are used, each once, and lines on those that are not.

    Texts are the same if they differ only in case, white space or composed characters.
    """
    if not found.files:
        return found, []
    held_out = {text_key(one) for part in (data.validation, data.test) for one in part.texts}
    seen = set(map(text_key, data.train.texts))
    used, again, leaks = list[int](), 0, 0
    for row, text in enumerate(found.texts):
        key = text_key(text)
        leak = key not in seen and key in held_out
        leaks += leak
        again += key in seen
        if key not in seen and not (leak and drop):
            used.append(row)
        seen.add(key)
    files = f"{len(found.files)} file{'s' if len(found.files) > 1 else ''}"
    notes = [f"unlabelled texts used: {len(used):,} of {len(found.texts):,}, from {files}"]
    if again:
        notes.append(f"left out because they are there once already: {again:,} unlabelled texts")
    if leaks:
        what = "left out because" if drop else "kept although (--leaks drop leaves them out)"
        notes.append(f"{what} they are validated or tested on: {leaks:,} unlabelled texts")
    kept = dataclasses.replace(
        found,
        texts=[found.texts[row] for row in used],
        parts=found.parts[used],
        lines=found.lines[used],
    )
    return kept, notes


def _in_memory(train: Split | ShardedSplit) -> Split:
    if isinstance(train, Split):
        return train
    texts, labels = zip(*read_records(train.files, train.rows), strict=True)
    return Split([text for some in texts for text in some], np.concatenate(labels))


def _with_answers(train: Split, more: UnlabelledTexts, logits: np.ndarray) -> Split:
    """Returns labelled rows and, after them, texts with the teacher's answers as labels.

    Args:
        train: The labelled rows.
        more: The texts without labels.
        logits: The teacher's logits of these texts, float32 [texts, classes].
    """
    texts = [*train.texts, *more.texts]
    labels: dict[str, Any] = {}
    places: dict[str, Any] = {}
    if train.label_sets is None:
        labels["labels"] = np.concatenate([train.labels, logits.argmax(axis=1)])
    else:
        answers = [tuple(np.flatnonzero(row > 0).tolist()) for row in logits]
        labels["label_sets"] = [*train.label_sets, *answers]
    if train.lines is not None:
        files = train.files or (train.path,)
        parts = np.zeros(len(train), np.int32) if train.parts is None else train.parts
        places = {
            "path": train.path,
            "lines": np.concatenate([train.lines, more.lines]),
            "files": (*files, *more.files),
            "parts": np.concatenate([parts, more.parts + len(files)]),
        }
    return Split(texts, **labels, **places)


def _sha256(model: Path, options: Any = None) -> str:
    """Returns a hash of a saved classifier's weights, text half and options, as hex digits.

    Args:
        model: Its folder.
        options: The options that it is loaded with, if its logits are to be told apart by them.
    """
    content = json.loads((model / DESCRIPTION_FILE).read_text(encoding="utf-8"))
    content.pop("decision", None)  # which turns logits into answers
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    if options is None:
        return digest
    content = json.dumps([digest, dataclasses.asdict(options)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
