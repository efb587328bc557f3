"""`predict --output`: the answers to the rows of many files, in a folder."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from kerasnlp_lab.cli.interrupts import note_what_is_kept
from kerasnlp_lab.cli.json_output import print_json
from kerasnlp_lab.cli.options import import_tensorflow
from kerasnlp_lab.errors import DataError, OptionError, TrainingStopped, check_option

if TYPE_CHECKING:
    from kerasnlp_lab.serving.bulk import BulkJob, Outcome

__all__ = ["predict_files"]


def predict_files(
    job: BulkJob, file: str, output: str, *, processes: int, beam: str | None, as_json: bool
) -> None:
    """Answers the rows of the files that `file` names, and prints the counts.

    Raises:
        DataError: A file could not be read to its end; the others are answered.
    """
    check_option("--processes", processes, processes >= 1, "1 or more")
    if beam is not None and processes != 1:
        raise OptionError("--processes is for one machine: leave it out with --beam")
    if beam is None and "://" in file + output:
        raise OptionError(f"{file} is an address, which Apache Beam reads: add --beam OPTIONS")

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def stop(number: int, frame: FrameType | None) -> None:
        raise TrainingStopped("stopped by SIGTERM", signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    began = time.monotonic()
    kept = f"finished files are kept in {output}; run the same command again for the missing ones"
    with note_what_is_kept(lambda: kept, training=True):
        if beam is None:
            from kerasnlp_lab.serving.bulk import answer_files, find_files

            files = find_files(Path(file), Path(output))
            if processes == 1:  # others import it themselves
                import_tensorflow()
            outcomes = answer_files(files, job, processes=processes, say=say)
        else:
            try:
                from kerasnlp_lab.serving.on_beam import answer_on_beam
            except ImportError as error:
                raise OptionError(
                    f"--beam needs Apache Beam ({error}): pip install 'kerasnlp_lab[beam]' in an "
                    "environment of its own"
                ) from error
            outcomes = answer_on_beam(file, job, output, shlex.split(beam), say)
    _report(outcomes, output, time.monotonic() - began, as_json)


def _report(outcomes: Sequence[Outcome], output: str, seconds: float, as_json: bool) -> None:
    failed = [one for one in outcomes if one.failure]
    names = ("answered", "rejected", "replaced")
    counts = {name: sum(getattr(one, name) for one in outcomes) for name in names}
    if as_json:
        shown = [{"file": one.name, "reason": one.failure} for one in failed]
        print_json({"folder": output, "files": len(outcomes), **counts, "failed": shown})
    else:
        print(
            f"{len(outcomes) - len(failed)} files, {counts['answered']:,} rows answered, "
            f"{counts['rejected']:,} rejected, in {seconds:.0f} s: {output}"
        )
        if counts["replaced"]:
            print(f"rows with bytes that are not UTF-8, read as U+FFFD: {counts['replaced']:,}")
    if failed:
        raise DataError(
            f"{len(failed)} of {len(outcomes)} files have no answers: {failed[0].name} "
            f"({failed[0].failure}){' and others' * (len(failed) > 1)}; see {output}/failed. Mend "
            "them and run the same command again"
        )
