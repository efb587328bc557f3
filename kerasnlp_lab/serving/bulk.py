"""`answer_files`: the answers to every row of many files, each file finished whole or not at all.

The folder of a bulk prediction holds, for each file of texts and under the file's own name:

- ``answers/NAME.jsonl``: a line for each answered row, in order, as ``predict --json`` prints it,
- ``rejected/NAME.jsonl``: a line with its reason for each row that has no answer, if there is any,
- ``finished/NAME.json``: the counts, written last,
- ``failed/NAME.json``: the reason, in place of the three, if the file cannot be read to its end.

settings.json says which model answered and how the files were read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from kerasnlp_lab.data.tables import RejectedRow
from kerasnlp_lab.data.tables.parts import files_of_pattern, is_hidden, is_pattern
from kerasnlp_lab.data.unlabelled import UnlabelledRow
from kerasnlp_lab.errors import DataError, OptionError, RunError, first_line
from kerasnlp_lab.paths import (
    did_you_mean_path,
    explain_os_error,
    user_path,
    whole_file,
    write_whole,
)
from kerasnlp_lab.quiet import quiet_tensorflow
from kerasnlp_lab.serving.processes import in_processes
from kerasnlp_lab.serving.rows import ModelFacts, Reading, read_facts, rows_to_answer

if TYPE_CHECKING:
    from kerasnlp_lab.export import Predictor

__all__ = [
    "RESULTS",
    "SETTINGS_FILE",
    "BulkJob",
    "InputFile",
    "Outcome",
    "answer_file",
    "answer_files",
    "claim_folder",
    "find_files",
    "fixed_parts",
    "open_model",
    "outcome_of",
    "result_name",
]

SETTINGS_FILE = "settings.json"
# Texts that are answered together. The same ones each time: the last digits depend on neighbours.
CHUNK = 4096
RESULTS = ("answers", "rejected", "finished", "failed")


@dataclass(frozen=True)
class InputFile:
    """A file of texts.

    Args:
        path: Its path.
        name: Its name below the folder that all files have in common, with ``/`` between parts.
        modified: When it was changed, in nanoseconds; None asks the file.
    """

    path: Path
    name: str
    modified: int | None = None

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class BulkJob:
    """All that is the same for each file of a bulk prediction; it can be pickled.

    Args:
        model: The folder of the export or the run.
        folder: The folder for the results.
        reading: How to read the files.
        keep_columns: Whether answers have the cells of a table's row, too.
        precision: The precision of a run's encoder; None takes the quickest here.
    """

    model: Path
    folder: Path
    reading: Reading = Reading()
    keep_columns: bool = False
    precision: str | None = None

    def settings(self, facts: ModelFacts) -> dict[str, Any]:
        """Returns the content of settings.json, which the results depend on."""
        reading = dataclasses.asdict(self.reading) | {"format": self.reading.format.to_json()}
        return {
            "model_sha256": facts.sha256,
            "reading": json.loads(json.dumps(reading)),
            "keep_columns": self.keep_columns,
            "precision": self.precision,
        }


@dataclass(frozen=True)
class Outcome:
    """The counts of a finished file, or the reason why it failed.

    Args:
        name: The file's name.
        bytes: Its size.
        modified: When it was changed last, in nanoseconds.
        answered: The rows with an answer.
        rejected: The rows without, which are listed.
        replaced: The answered rows with bytes that are not UTF-8, read as U+FFFD.
        note: What was found about the file, such as its encoding or its column of texts.
        failure: The reason why the file could not be read to its end; "" if it was.
    """

    name: str
    bytes: int = 0
    modified: int = 0
    answered: int = 0
    rejected: int = 0
    replaced: int = 0
    note: str = ""
    failure: str = ""


def find_files(given: Path, results: Path) -> list[InputFile]:
    """Returns the files of a pattern or a folder, or a single file, by name.

    Files and folders whose names begin with a dot or an underscore are no texts, as in Spark.

    Args:
        given: The pattern, the folder or the file.
        results: The folder of the results, whose files are none of them.

    Raises:
        DataError: There are none, no such file, or a link to a folder.
    """
    if is_pattern(given):
        root, paths = Path(*fixed_parts(given.parts)), files_of_pattern(given)
    elif given.is_dir():
        root, paths = given, sorted(map(_not_a_link_to_a_folder, given.rglob("*")))
        paths = [one for one in paths if one.is_symlink() or one.is_file()]
    else:
        root, paths = given.parent, [given]
        if not given.is_file():
            raise DataError(f"no such file{did_you_mean_path(given)}", given)
    found = [InputFile(path, path.relative_to(root).as_posix()) for path in paths]
    found = [
        one
        for one in found
        if not any(is_hidden(part) for part in Path(one.name).parts)
        and not one.path.resolve().is_relative_to(results.resolve())
    ]
    if not found and paths:
        raise DataError(f"all files here are results in {results}; name another --output", given)
    if not found:
        raise DataError("no file here; expected files of texts", given)
    return found


def _not_a_link_to_a_folder(path: Path) -> Path:
    if path.is_symlink() and path.is_dir():
        raise DataError("is a link to a folder, which is not followed; name that folder", path)
    return path


def fixed_parts(parts: Sequence[str]) -> list[str]:
    """Returns the parts of a pattern before the first with a ``*``, ``?`` or ``[``."""
    magic = (place for place, part in enumerate(parts) if any(sign in part for sign in "*?["))
    return list(parts[: next(magic, len(parts) - 1)])


def result_name(result: str, name: str) -> str:
    """Returns the path of a file's result, one of `RESULTS`, below the folder of the results."""
    return f"{result}/{name}.{'jsonl' if result in ('answers', 'rejected') else 'json'}"


def answer_file(predictor: Predictor, file: InputFile, job: BulkJob) -> Outcome:
    """Answers the rows of one file and writes its results; files appear whole.

    Args:
        predictor: The model, opened.
        file: The file.
        job: The rest.

    Returns:
        The counts; or the reason of a failure, which leaves no answers.

    Raises:
        StorageError: The results cannot be written.
    """
    try:
        return _answer_file(predictor, file, job)
    except (DataError, OptionError) as error:
        outcome = Outcome(file.name, failure=str(error))
        _place(job, "finished", file).unlink(missing_ok=True)  # of an earlier content of the file
        for result in ("answers", "rejected"):
            _place(job, result, file).unlink(missing_ok=True)
    write_whole(_place(job, "failed", file), _line(dataclasses.asdict(outcome)))
    return outcome


def open_model(job: BulkJob) -> Predictor:
    """Imports TensorFlow and opens the model of a job.

    Raises:
        RunError: It is neither an export nor a finished run.
    """
    quiet_tensorflow()
    from kerasnlp_lab.export import open_predictor

    return open_predictor(job.model, precision=job.precision)


def _begin(job: BulkJob) -> Callable[[InputFile], Outcome]:
    predictor = open_model(job)
    return lambda file: answer_file(predictor, file, job)


def _answer_file(predictor: Predictor, file: InputFile, job: BulkJob) -> Outcome:
    counts = Counter[str]()
    try:
        known = file.path.stat()
        rows, note = rows_to_answer(file.path, job.model, read_facts(job.model), job.reading)
    except OSError as error:
        raise DataError(f"cannot be read ({first_line(error)})", file.path) from error
    waiting: deque[UnlabelledRow] = deque()
    rejected: list[RejectedRow] = []

    def texts() -> Iterator[str | bytes]:
        try:
            for row in rows:
                if isinstance(row, RejectedRow):
                    rejected.append(row)
                else:
                    waiting.append(row)
                    yield row.text
        except OSError as error:  # otherwise it would be taken for an error of writing
            raise DataError(f"cannot be read ({first_line(error)})", file.path) from error

    with (
        whole_file(_place(job, "answers", file)) as answers,
        answers.open("w", encoding="utf-8", newline="\n") as output,
    ):
        for one in predictor.predict(texts(), chunk=CHUNK):
            row = waiting.popleft()
            counts["answered"] += 1
            counts["replaced"] += not row.is_utf_8
            cells = {"columns": row.cells} if job.keep_columns else {}
            output.write(_line({"line": row.line} | one.as_json() | cells))
        output.flush()
        _write_rejected(_place(job, "rejected", file), rejected)
    note = "; ".join(note.splitlines())
    changed = known.st_mtime_ns if file.modified is None else file.modified
    numbers = counts["answered"], len(rejected), counts["replaced"]
    outcome = Outcome(file.name, known.st_size, changed, *numbers, note)
    write_whole(_place(job, "finished", file), _line(dataclasses.asdict(outcome)))
    _place(job, "failed", file).unlink(missing_ok=True)
    return outcome


def _write_rejected(path: Path, rows: Sequence[RejectedRow]) -> None:
    if rows:
        lines = [{"line": one.line, "reason": one.reason, "text": one.content} for one in rows]
        write_whole(path, "".join(map(_line, lines)))
    else:
        path.unlink(missing_ok=True)  # of an earlier content of the file


def answer_files(
    files: Sequence[InputFile],
    job: BulkJob,
    *,
    processes: int = 1,
    say: Callable[[str], None] = lambda line: None,
) -> list[Outcome]:
    """Answers the rows of all files that are not finished yet.

    Args:
        files: The files.
        job: The model, the folder for results, and how to read the files.
        processes: How many processes share the list; each opens the model.
        say: Takes a line on each file.

    Returns:
        The outcome of each file, also of those that were finished before.

    Raises:
        RunError: The folder holds other results, another process writes to it, the model cannot
            be opened, or a process was killed.
        StorageError: The results cannot be written.
    """
    with claim_folder(job):
        outcomes = {one.name: outcome_of(job, one, say) for one in files}
        missing = [one for one in files if outcomes[one.name] is None]
        if len(missing) < len(files):
            say(f"{len(files) - len(missing)} of {len(files)} files are finished already")
        number = len(files) - len(missing)
        for outcome in in_processes(missing, partial(_begin, job), processes):
            number += 1
            outcomes[outcome.name] = outcome
            say(f"{number} of {len(files)}: {_described(outcome)}")
    return [one for one in outcomes.values() if one is not None]


@contextlib.contextmanager
def claim_folder(job: BulkJob) -> Iterator[None]:
    """Locks the folder of the results for this process, and writes its settings.json.

    Raises:
        RunError: Another process has locked it, or it holds results of other settings.
        StorageError: It cannot be written.
    """
    try:
        job.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(job.folder / ".lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise RunError(f"another process writes to {job.folder}; wait until it ends") from None
    except OSError as error:
        raise explain_os_error(error, job.folder) from error
    try:
        _write_settings(job)
        for part in job.folder.glob("*/**/.*.part"):  # of a process that was killed
            part.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def _write_settings(job: BulkJob) -> None:
    """Writes settings.json, or raises RunError if the folder holds anything else."""
    path, wanted = job.folder / SETTINGS_FILE, job.settings(read_facts(job.model))
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if any(not one.name.startswith(".") for one in job.folder.iterdir()):
            raise RunError(f"{job.folder} holds other files; name another --output") from None
        write_whole(path, json.dumps(wanted, indent=2) + "\n")
        return
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error}); name another --output") from error
    if found != wanted:
        other = [name for name in wanted if found.get(name) != wanted[name]]
        raise RunError(
            f"{job.folder} holds results with another {' and '.join(other)}: see {path}; "
            "name another --output"
        )


def outcome_of(
    job: BulkJob, file: InputFile, say: Callable[[str], None] = lambda line: None
) -> Outcome | None:
    """Returns the outcome of a file that is finished, or None if it must be answered (again)."""
    finished = _place(job, "finished", file)
    try:
        outcome = Outcome(**json.loads(finished.read_text(encoding="utf-8")))
        now = file.path.stat()
    except (OSError, ValueError, TypeError):
        return None
    if (outcome.bytes, outcome.modified) != (now.st_size, now.st_mtime_ns):
        say(f"{file.name} is not the file that was answered: it is answered again")
        return None
    return outcome if _place(job, "answers", file).is_file() else None


def _described(outcome: Outcome) -> str:
    if outcome.failure:
        return f"{outcome.name} FAILED: {outcome.failure}"
    rejected = f", {outcome.rejected} rejected" if outcome.rejected else ""
    note = f" ({outcome.note})" if outcome.note else ""
    return f"{outcome.name}: {outcome.answered} answered{rejected}{note}"


def _place(job: BulkJob, result: str, file: InputFile) -> Path:
    return user_path(job.folder) / result_name(result, file.name)


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False) + "\n"
