"""Answers a million rows in many files, kills it twice, completes it, and compares every byte.

python -m tests.faults.kill_bulk EXPORT --texts headlines.txt --rows 1000000 --files 64
python -m tests.faults.kill_bulk EXPORT --texts headlines.txt --beam /path/with/beam/bin/python

The first line of each result is the run without a kill. `--texts` has a text on each line; its
lines are repeated.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ON_BEAM = "--runner=FnApiRunner --direct_num_workers=2 --direct_running_mode=multi_processing"


def write_files(folder: Path, texts: Path, rows: int, files: int) -> None:
    """Writes CSV files with rows that are numbered, and one row in a thousand without a text."""
    folder.mkdir()
    lines = itertools.cycle(texts.read_text(encoding="utf-8").splitlines())
    for number in range(files):
        with (folder / f"part-{number:05}.csv").open("w", encoding="utf-8") as file:
            file.write("id,text\n")
            for row in range(number * rows // files, (number + 1) * rows // files):
                text = "" if row % 1000 == 999 else next(lines).replace('"', '""')
                file.write(f'{row},"{text}"\n')


def hashes(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of all results by name."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in ("answers", "rejected", "finished", "failed")
        for path in (folder / part).rglob("*")
        if path.is_file()
    }


def finish(command: list[str], output: Path, kills: list[int]) -> float:
    """Runs a command, kills it as soon as so many files are finished, and completes it.

    Returns:
        The seconds of all starts together.
    """
    began = time.monotonic()
    for files in kills:
        process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(list(output.glob("finished/*.json"))) < files:
            time.sleep(0.05)
        time.sleep(random.random())
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        print(
            f"  killed with {len(list(output.glob('finished/*.json')))} files finished", flush=True
        )
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.monotonic() - began


def ids(output: Path) -> list[int]:
    """Returns the numbers of all rows in answers and rejected rows, sorted."""
    found = []
    for path in output.glob("*/*.jsonl"):
        part = int(path.name.split("-")[1].split(".")[0])
        found += [part * 10**9 + json.loads(line)["line"] for line in path.open(encoding="utf-8")]
    return sorted(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export")
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=64)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--beam", help="a Python that has Apache Beam; without it, no Beam")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder / "in", options.texts, options.rows, options.files)
        words = ["predict", options.export, "--file", f"{folder / 'in'}/*.csv"]
        how = ["--beam", ON_BEAM] if options.beam else ["--processes", str(options.processes)]
        command = [options.beam or sys.executable, "-m", "kerasnlp_lab", *words, *how, "--output"]
        whole, killed = folder / "whole", folder / "killed"
        seconds = finish([*command, str(whole)], whole, [])
        print(
            f"  {options.rows / seconds:,.0f} rows/s in {seconds:.0f} s without a kill", flush=True
        )
        kills = sorted(random.sample(range(1, options.files - 1), 2))
        finish([*command, str(killed)], killed, kills)
        expected = [
            part * 10**9 + line + 2
            for part in range(options.files)
            for line in range(
                (part + 1) * options.rows // options.files - part * options.rows // options.files
            )
        ]
        once, equal = ids(killed) == expected, hashes(killed) == hashes(whole)
        print(f"every row once: {once}; files equal to those of the run without a kill: {equal}")
        shutil.rmtree(folder / "in")
    sys.exit(0 if once and equal else 1)


if __name__ == "__main__":
    main()
