"""`answer_on_beam`: the files of a bulk prediction on the workers of Apache Beam.

Each worker opens the model once and calls the same `answer_file` for one file after another. Files
and results may have any address that Beam's file systems know, such as ``gs://``.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import apache_beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions, SetupOptions

from kerasnlp_lab.errors import DataError, OptionError, RunError
from kerasnlp_lab.serving.bulk import (
    RESULTS,
    SETTINGS_FILE,
    BulkJob,
    InputFile,
    Outcome,
    answer_file,
    claim_folder,
    find_files,
    fixed_parts,
    open_model,
    outcome_of,
    result_name,
)
from kerasnlp_lab.serving.rows import read_facts

__all__ = ["AnswerFiles", "answer_on_beam", "is_address"]


def is_address(path: str) -> bool:
    """Returns whether a path is an address of one of Beam's file systems."""
    return "://" in path


class AnswerFiles(apache_beam.DoFn):
    """Answers files, given as a path or an address, a name, and the time of their last change.

    Args:
        job: The model, which each worker must have at the same path, and how to read the files.
        folder: The folder of the results, a path or an address.
    """

    def __init__(self, job: BulkJob, folder: str):
        self.job, self.folder = job, folder
        self.predictor: Any = None

    def setup(self) -> None:
        self.predictor = open_model(self.job)

    def process(self, file: tuple[str, str, int | None]) -> Iterator[dict[str, Any]]:
        path, name, modified = file
        if not is_address(path) and not is_address(self.folder):
            outcome = answer_file(self.predictor, InputFile(Path(path), name), self.job)
        else:
            outcome = self._by_way_of_here(path, name, modified)
        yield dataclasses.asdict(outcome)

    def _by_way_of_here(self, address: str, name: str, modified: int | None) -> Outcome:
        """Copies a file to this machine, answers it, and copies the results."""
        with tempfile.TemporaryDirectory() as temporary:
            here = Path(temporary) / PurePosixPath(name).name
            with FileSystems.open(address, "application/octet-stream", "uncompressed") as source:
                with here.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
            job = dataclasses.replace(self.job, folder=Path(temporary) / "results")
            outcome = answer_file(self.predictor, InputFile(here, name, modified), job)
            for result in RESULTS:  # the order in which answer_file writes them
                written = job.folder / result_name(result, name)
                if written.is_file():
                    _write(f"{self.folder}/{result_name(result, name)}", written.read_bytes())
        return outcome


def answer_on_beam(
    pattern: str,
    job: BulkJob,
    folder: str,
    options: Sequence[str],
    say: Callable[[str], None] = lambda line: None,
) -> list[Outcome]:
    """Answers the rows of all files that are not finished yet, on Beam's workers.

    Args:
        pattern: A pattern of files, a path or an address.
        job: The model and how to read the files.
        folder: The folder of the results, a path or an address.
        options: The options of the pipeline, as Beam takes them on a command line.
        say: Takes a line on the number of files.

    Returns:
        The outcome of each file, also of those that were finished before.

    Raises:
        OptionError: Beam does not know the address or the options.
        DataError: There are no files.
        RunError: The folder holds other results, or the pipeline failed.
        StorageError: The results cannot be written.
    """
    if is_address(pattern) != is_address(folder):
        raise OptionError("give --file and --output both as paths, or both as addresses")
    if is_address(folder):
        return _answer_remote(pattern, job, folder.rstrip("/"), options, say)
    with claim_folder(job):
        files = find_files(Path(pattern), job.folder)
        outcomes = {one.name: outcome_of(job, one, say) for one in files}
        missing = [
            (str(one.path.absolute()), one.name, None) for one in files if not outcomes[one.name]
        ]
        say(f"{len(files) - len(missing)} of {len(files)} files are finished already")
        run_pipeline(missing, job, folder, options)
        return [outcomes[one.name] or _outcome_in(folder, one.name) for one in files]


def _answer_remote(
    pattern: str,
    job: BulkJob,
    folder: str,
    options: Sequence[str],
    say: Callable[[str], None],
) -> list[Outcome]:
    try:
        found = FileSystems.match([pattern])[0].metadata_list
    except (ValueError, OSError, apache_beam.io.filesystem.BeamIOError) as error:
        raise OptionError(f"Beam cannot list {pattern}: {error}") from error
    if not found:
        raise DataError("no file matches this pattern; expected files of texts", pattern)
    _check_remote_settings(job, folder)
    root = "/".join(fixed_parts(pattern.split("/")))
    names = {one.path: one.path.removeprefix(root).lstrip("/") for one in found}
    missing = []
    for one in found:
        before = _outcome_in(folder, names[one.path], failed=False)
        modified = int(1e9 * (one.last_updated_in_seconds or 0))
        if before.failure or (before.bytes, before.modified) != (one.size_in_bytes, modified):
            missing.append((one.path, names[one.path], modified))
    say(f"{len(found) - len(missing)} of {len(found)} files are finished already")
    run_pipeline(missing, job, folder, options)
    return [_outcome_in(folder, name) for name in names.values()]


def run_pipeline(
    files: Sequence[tuple[str, str, int | None]], job: BulkJob, folder: str, options: Sequence[str]
) -> None:
    """Runs the pipeline on files, as `AnswerFiles` takes them, and waits for its end.

    Raises:
        OptionError: Beam does not know the options.
        RunError: The pipeline failed; what it has finished is kept.
    """
    if not files:
        return
    try:
        known = PipelineOptions(list(options))
        known.view_as(SetupOptions).save_main_session = False
        pipeline = apache_beam.Pipeline(options=known)
    except (SystemExit, ValueError) as error:
        raise OptionError(f"Apache Beam does not take the options of --beam: {error}") from error
    answered = (
        pipeline
        | "Files" >> apache_beam.Create(list(files))
        | "Share" >> apache_beam.Reshuffle()
        | "Answer" >> apache_beam.ParDo(AnswerFiles(job, folder))
    )
    answered | "Count" >> apache_beam.Map(_count)
    try:
        pipeline.run().wait_until_finish()
    except Exception as error:
        raise RunError(
            f"the pipeline failed: {str(error).strip().splitlines()[-1]}; run the same command "
            "again to answer the missing files"
        ) from error


def _count(outcome: dict[str, Any]) -> None:
    for name in ("answered", "rejected", "replaced"):
        apache_beam.metrics.Metrics.counter("kerasnlp_lab", name).inc(outcome[name])


def _outcome_in(folder: str, name: str, failed: bool = True) -> Outcome:
    """Returns the outcome that a worker has written, or one that says that there is none."""
    for result in ("finished", "failed") if failed else ("finished",):
        content = _read(f"{folder}/{result_name(result, name)}")
        if content is not None:
            return Outcome(**json.loads(content))
    return Outcome(name, failure="no worker has finished it; run the same command again")


def _check_remote_settings(job: BulkJob, folder: str) -> None:
    address, wanted = f"{folder}/{SETTINGS_FILE}", job.settings(read_facts(job.model))
    content = _read(address)
    if content is None:
        _write(address, json.dumps(wanted, indent=2).encode())
    elif json.loads(content) != wanted:
        raise RunError(
            f"{folder} holds results of other settings: see {address}; name another --output"
        )


def _read(address: str) -> bytes | None:
    if not FileSystems.exists(address):
        return None
    with FileSystems.open(address, "application/octet-stream", "uncompressed") as source:
        return source.read()


def _write(address: str, content: bytes) -> None:
    with FileSystems.create(address, "application/octet-stream", "uncompressed") as target:
        target.write(content)
