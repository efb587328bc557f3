"""`Predictor`: classes of texts, from an exported SavedModel or from a run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasnlp_lab.errors import OptionError, RunError
from kerasnlp_lab.export.saved_model import MANIFEST
from kerasnlp_lab.paths import check_files, did_you_mean_path
from kerasnlp_lab.text.order import evaluation_order
from kerasnlp_lab.text.threads import in_threads
from kerasnlp_lab.text.vectorizer import replace_surrogates
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.zoo import load_classifier, predict_logits

__all__ = ["Prediction", "Predictor", "open_predictor"]

SERVING_BATCH = 32
FIRST_CHUNK = 512
LARGEST_CHUNK = 8192


@dataclass(frozen=True)
class Prediction:
    """The answer for one text.

    Args:
        text: The text; invalid UTF-8 in it is replaced by U+FFFD.
        label: The class: the most probable one, or as the threshold of two decides.
        probabilities: Of every class, by name.
    """

    text: str
    label: str
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Predictor:
    """Answers texts in order.

    Args:
        label_names: The classes.
        classify: From texts to probabilities, float32 [texts, classes], and label ids,
            int64 [texts].
        precision: What an encoder computes in; None where there is none.
    """

    label_names: tuple[str, ...]
    classify: Callable[[Sequence[bytes]], tuple[np.ndarray, np.ndarray]]
    precision: str | None = None

    def predict(
        self, texts: Iterable[str | bytes], *, chunk: int | None = None
    ) -> Iterator[Prediction]:
        """Yields a prediction a text, in their order, reading no more than a chunk ahead.

        Args:
            texts: The texts, as many as there are.
            chunk: How many are answered at a time; None for 512 first, then twice as many
                each time that the last took less than a second, up to 8,192.
        """
        remaining = iter(texts)
        size = chunk or FIRST_CHUNK
        while batch := [_as_bytes(text) for text in islice(remaining, size)]:
            began = time.monotonic()
            answers = self.classify(batch)
            if chunk is None and time.monotonic() - began < 1:
                size = min(2 * size, LARGEST_CHUNK)
            for text, row, label_id in zip(batch, *answers, strict=True):
                yield Prediction(
                    text=text.decode("utf-8", "replace"),
                    label=self.label_names[label_id],
                    probabilities=dict(zip(self.label_names, map(float, row), strict=True)),
                )


def open_predictor(model: str | Path, *, precision: str | None = None) -> Predictor:
    """Opens an exported SavedModel, or the classifier of a finished run.

    Args:
        model: The folder.
        precision: Of a run's encoder: see `load_classifier`. An export has its own.

    Raises:
        OptionError: The precision cannot be had.
        RunError: It is neither, or a file of it is missing or altered.
    """
    path = Path(model)
    if not path.exists():
        raise RunError(
            f"there is no exported model and no run directory {path}{did_you_mean_path(path)}"
        )
    if (path / "saved_model.pb").is_file():
        if precision is not None:
            raise OptionError(
                f"{path} computes in what it was exported for: export the run again with "
                f"--precision {precision}"
            )
        return _open_saved_model(path)
    if (path / "config.json").is_file():
        classifier = load_classifier(RunDirectory.open(path).model, precision=precision)
        fused = classifier.fused()

        def classify(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
            logits = predict_logits(classifier, texts, fused=fused)
            probabilities = classifier.decision.probabilities(logits)
            return probabilities, classifier.decision.label_ids(probabilities)

        precision = getattr(classifier.options, "precision", None)
        return Predictor(classifier.label_names, classify, precision)
    raise RunError(
        f"{path} is neither an exported model (saved_model.pb) nor a run directory (config.json)"
    )


def _open_saved_model(path: Path) -> Predictor:
    import tensorflow_text  # noqa: F401  # registers the ops that the graph calls

    if not (path / MANIFEST).is_file():
        raise RunError(f"{path} has no {MANIFEST}: it was not exported by kerasnlp-lab export")
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        label_names = tuple(manifest["label_names"])
        check_files(path, manifest["sha256"], "export the run again")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path / MANIFEST} is damaged ({error}); export the run again") from error
    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures["serving_default"]

    def classify(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        def answer_of(chosen: np.ndarray) -> dict[str, tf.Tensor]:
            return serve(text=tf.constant([texts[index] for index in chosen]))

        rows = np.zeros((len(texts), len(label_names)), np.float32)
        label_ids = np.zeros(len(texts), np.int64)
        lengths = np.array([len(text) for text in texts], np.int64)
        batches = evaluation_order(lengths, SERVING_BATCH)
        for chosen, answer in zip(batches, in_threads(answer_of, batches), strict=True):
            rows[chosen] = answer["probabilities"].numpy()
            label_ids[chosen] = answer["label_id"].numpy()
        return rows, label_ids

    # The SavedModel must outlive its signature.
    classify.model = loaded  # type: ignore[attr-defined]
    return Predictor(label_names, classify, manifest.get("precision"))


def _as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else replace_surrogates(text).encode()
