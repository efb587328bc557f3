"""`make pythons` installs and uses the package with every other supported Python.

python -m tests.pythons [--folder FOLDER] [INTERPRETER ...]

Each Python gets a new environment, trains, exports, predicts from the export and explains. The
script reports the versions of setup.cfg that this machine lacks. It exits with 1 if one fails.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = "Oil slips below 45 dollars as stocks rise"
EPOCHS = 3


def supported() -> list[str]:
    """Returns the versions in setup.cfg, such as 3.11."""
    return re.findall(r"Python :: (3\.\d+)$", (ROOT / "setup.cfg").read_text(), re.M)


def found() -> dict[str, str]:
    """Returns the interpreters on this machine by version."""
    lines = run([ROOT / ".ci" / "pythons"]).splitlines()
    return {version_of(python): python for python in lines}


def version_of(python: str) -> str:
    return run([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()


def try_python(python: str, folder: Path) -> None:
    """Installs into a new environment, and trains, exports, predicts and explains.

    Raises:
        subprocess.CalledProcessError: A command failed.
        AssertionError: An output is wrong.
    """
    environment, here = folder / "venv", folder / "run"
    run([python, "-m", "venv", environment])
    pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-cache-dir"]
    run([*pip, "-c", ROOT / "constraints.txt", ROOT])
    ours = environment / "bin" / "kerasnlp-lab"
    train = ["--model", "transformer", "--dataset", "news_sample", "--epochs", EPOCHS]
    trained = json.loads(run([ours, "train", *train, "--output", here, "--json"], folder))
    assert len(trained["training"]["history"]) == EPOCHS
    run([ours, "export", here, "--to", folder / "exported"], folder)
    answer = json.loads(run([ours, "predict", folder / "exported", TEXT, "--json"], folder))
    assert answer["text"] == TEXT and abs(sum(answer["probabilities"].values()) - 1) < 1e-5
    explained = json.loads(run([ours, "explain", here, TEXT, "--json"], folder))
    assert explained["label"] in answer["probabilities"]


def run(command: list[object], folder: Path = ROOT) -> str:
    """Runs a command and returns its output."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**variables, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    if result.returncode:
        print(result.stdout[-2000:], result.stderr[-4000:], sep="\n", file=sys.stderr)
        result.check_returncode()
    return result.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("interpreters", nargs="*", help="instead of those that are found")
    parser.add_argument("--folder", help="for the environments, about 2 GB each; it may be absent")
    options = parser.parse_args()
    pythons = {version_of(one): one for one in options.interpreters} or found()
    if not options.interpreters:
        print(f"Python {version_of(sys.executable)}: runs this, and make test")
        pythons.pop(version_of(sys.executable), None)
    for version in supported():
        if version not in {*pythons, version_of(sys.executable)}:
            reason = "not asked for" if options.interpreters else "no interpreter of it runs here"
            print(f"Python {version}: not tested, {reason}")
    failed = False
    for version, python in pythons.items():
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            try:
                try_python(python, Path(folder))
                verdict = "works"
            except (subprocess.CalledProcessError, AssertionError, ValueError) as error:
                failed, verdict = True, f"FAILED: {error!r}"
        print(
            f"Python {version} ({python}): {verdict}, {time.monotonic() - began:.0f} s", flush=True
        )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
