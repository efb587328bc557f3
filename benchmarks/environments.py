"""Virtual environments for the peers, out of the extras ``peers-*`` in setup.cfg.

They are made below the package's cache folder, whole or not at all, and made again when
the requirements change; users of kerasnlp_lab never need them. pip is called as it is
configured: on Linux, PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu spares the
gigabytes of CUDA that PyTorch's wheels on PyPI ask for.
"""

from __future__ import annotations

import configparser
import json
import shutil
import subprocess
import sys
from pathlib import Path

from kerasnlp_lab.hub.module_files import lock
from kerasnlp_lab.paths import cache_dir, write_whole

SETUP = Path(__file__).parent.parent / "setup.cfg"
COMPLETE = "requirements.json"  # written last


def requirements(extra: str) -> list[str]:
    """Returns the requirement strings of an extra in setup.cfg."""
    config = configparser.ConfigParser()
    config.read(SETUP, encoding="utf-8")
    lines = config["options.extras_require"][extra].splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def python_of(extra: str) -> Path:
    """Returns the Python of an extra's environment, made if it is not there or out of date.

    Args:
        extra: Its name in setup.cfg, as "peers-torch".

    Raises:
        SystemExit: pip cannot install it; nothing of it is kept.
    """
    folder = cache_dir() / "benchmarks" / extra
    wanted = json.dumps([sys.version, requirements(extra)])
    folder.parent.mkdir(parents=True, exist_ok=True)
    with lock(folder):
        marker = folder / COMPLETE
        if not marker.is_file() or marker.read_text() != wanted:
            _make(folder, requirements(extra))
            write_whole(marker, wanted)
    return folder / "bin" / "python"


def _make(folder: Path, packages: list[str]) -> None:
    """Makes an environment in its final place, which its scripts have written into them."""
    print(f"installing {', '.join(packages)} into {folder}: a few minutes, once", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *packages], check=True)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if not isinstance(error, subprocess.CalledProcessError):
            raise
        sys.exit(f"{folder.name} could not be installed: see pip's message above, then try again")
