"""`local_modules`: a BERT in the user's own folder, as TF Hub modules."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kerasnlp_lab.bert.build import BUILD, build_in_a_process
from kerasnlp_lab.bert.checkpoint import is_checkpoint
from kerasnlp_lab.errors import HubError
from kerasnlp_lab.hub.modules import HubModules, build_once, holds_both, modules_in
from kerasnlp_lab.paths import cache_dir, sha256_of_files, user_path

__all__ = ["local_modules"]


def local_modules(folder: str | Path) -> HubModules:
    """Returns the modules in a folder, as ``hub build`` writes it, or builds them from its BERT.

    Built modules stay in the package's cache, under the hash of the BERT's files. Raises HubError
    if the folder holds neither both modules nor a checkpoint that `read_checkpoint` reads.
    """
    folder = user_path(folder)
    if holds_both(folder):
        return modules_in(folder)
    if not is_checkpoint(folder):
        raise HubError(
            f"{folder} holds no BERT: expected config.json or bert_config.json beside the weights "
            "and the vocabulary, or encoder/ and preprocess/ as 'hub build' writes them"
        )
    files = sorted(sha256_of_files(folder).items())
    digest = hashlib.sha256(repr((BUILD, files)).encode("utf-8")).hexdigest()[:16]
    built = cache_dir() / "modules" / f"{folder.resolve().name}-{digest}"
    return build_once(built, lambda target: build_in_a_process(folder, target))
