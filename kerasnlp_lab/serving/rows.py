"""`rows_to_answer`: the texts of a file, as a trained model reads them."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from kerasnlp_lab.data.tables import TableFormat
from kerasnlp_lab.data.tables.table import is_table
from kerasnlp_lab.data.unlabelled import Unlabelled, divided_lines, read_column, read_lines
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.paths import sha256_of

__all__ = ["ModelFacts", "Reading", "read_facts", "rows_to_answer"]

_DESCRIPTIONS = ("assets.extra/manifest.json", "model/classifier.json")


@dataclass(frozen=True)
class ModelFacts:
    """The facts of a run or an export that decide how a file is read, without TensorFlow.

    Args:
        task: The task's name.
        text_columns: The columns of texts that it was trained on; none if it was no table.
        pair: The names of the first and the second text, if the model answers pairs of texts.
        sha256: The SHA-256 of the model's description, which has those of its files; "" if it
            cannot be read.
    """

    task: str = "classification"
    text_columns: tuple[str, ...] = ()
    pair: tuple[str, str] | None = None
    sha256: str = ""


@dataclass(frozen=True)
class Reading:
    """How to read the files to answer.

    Args:
        text_columns: The columns of texts; none for those of the training.
        second_text_column: The column of the second texts of pairs; "" for that of the training.
        lines: Whether each line is a text, also of a table.
        format: How to read a table.
    """

    text_columns: tuple[str, ...] = ()
    second_text_column: str = ""
    lines: bool = False
    format: TableFormat = field(default_factory=TableFormat)


def read_facts(model: Path) -> ModelFacts:
    """Returns the facts of a run or an export; the defaults where it cannot be read."""
    pair, sha256 = None, ""
    for name in _DESCRIPTIONS:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            sha256 = sha256 or sha256_of(model / name)
            first, second = json.loads((model / name).read_text(encoding="utf-8"))["pair"]
            pair = str(first), str(second)
    for name in ("config.json", _DESCRIPTIONS[0]):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            content = json.loads((model / name).read_text(encoding="utf-8"))
            config = content["trained"]["config"] if "trained" in content else content
            task = config.get("task", "classification")
            columns = config["dataset"]["reading"].get("text_columns", ())
            return ModelFacts(task, tuple(columns), pair, sha256)
    return ModelFacts(pair=pair, sha256=sha256)


def rows_to_answer(
    path: Path | None, model: Path, facts: ModelFacts, reading: Reading
) -> Unlabelled:
    """Opens a file of texts.

    Args:
        path: A table, if its ending or the text column says so; or else one text a line, for a
            model of pairs with a tab between the two. None is standard input.
        model: The model, for messages.
        facts: Its facts.
        reading: How to read the file.

    Returns:
        The rows, read as they are asked for, and a note on what was found.

    Raises:
        OptionError: An option does not suit the file or the model.
        DataError: The file cannot be read, or its column is in doubt.
    """
    columns, format, pair = reading.text_columns, reading.format, facts.pair
    second = reading.second_text_column or (pair[1] if pair else "")
    if second and not pair:
        raise OptionError(f"{model} was trained on single texts: leave out --second-text-column")
    # The columns of a table have the names of the pair, also if none was trained on.
    trained_on = facts.text_columns or (pair[:1] if pair else ())
    if path and not reading.lines and (columns or reading.second_text_column or is_table(path)):
        whole = facts.task == "entities"
        return read_column(
            path, columns, trained_on, format, whole=whole, second_text_column=second
        )
    if alone := format.delimited_alone():
        raise OptionError(f"{alone} is for a table: give it as --file, without --lines")
    found, note = read_lines(path, format.encoding)
    return (divided_lines(found, pair, str(path or "-")) if pair else found), note
