"""Runs the notebooks; `python -m tests.notebooks [NAME ...]` saves their outputs.

A notebook uses the modules in the cache and the real data in KERASNLP_LAB_TEST_DATA, like the
tests. Everything else that it caches goes into a temporary folder.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from kerasnlp_lab.data.sms_spam import install_sms_spam
from kerasnlp_lab.paths import cache_dir

FOLDER = Path(__file__).parents[1] / "notebooks"
SECONDS_A_CELL = 300


def run_notebook(path: Path, folder: Path, test_data: Path | None) -> nbformat.NotebookNode:
    """Runs all cells of a notebook and returns it with their outputs.

    Args:
        path: The notebook.
        folder: An empty folder, which becomes the working directory and the cache.
        test_data: The folder with sms_spam/, if there is one.
    """
    cache = folder / "cache"
    cache.mkdir()
    modules = cache_dir() / "modules"
    modules.mkdir(parents=True, exist_ok=True)
    (cache / "modules").symlink_to(modules)
    if test_data is not None:
        install_sms_spam(test_data / "sms_spam" / "spamdata_v2.csv", cache / "datasets")
    environment = {
        **os.environ,
        "KERASNLP_LAB_CACHE": str(cache),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # the folder of kerasnlp-lab, even if no virtual environment is active
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        record_timing=False,  # times differ in every run
        coalesce_streams=True,  # each cell's prints become one output
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=environment)
    notebook.metadata.language_info.pop("version", None)
    return notebook


def main() -> None:
    configured = os.environ.get("KERASNLP_LAB_TEST_DATA")
    test_data = Path(configured) if configured else None
    names = sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.ipynb"))
    for name in names:
        path = FOLDER / f"{name}.ipynb"
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(run_notebook(path, Path(folder), test_data), path)
        print(f"{name}: {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
