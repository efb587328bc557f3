"""`build_modules`: builds TF Hub modules from published weights or from a run's encoder."""

from __future__ import annotations

import shutil
from pathlib import Path

import tensorflow_hub as hub

from kerasnlp_lab.bert.build import build_in_a_process, write_encoder
from kerasnlp_lab.bert.reopening import checkpoint_of_module
from kerasnlp_lab.errors import HubError, OptionError, RunError
from kerasnlp_lab.hub.module_files import write_manifest
from kerasnlp_lab.paths import did_you_mean_path, user_path, whole_directory
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.zoo import load_classifier

__all__ = ["build_modules"]


def build_modules(
    checkpoint: str | Path,
    target: str | Path,
    *,
    do_lower_case: bool | None = None,
    strip_accents: bool | None = None,
) -> None:
    """Builds the modules ``preprocess`` and ``encoder``, with TF Hub's interface, in a new folder.

    Args:
        checkpoint: A folder that `read_checkpoint` reads, or a finished run of a BERT model,
            which provides its fine-tuned encoder.
        target: The folder to create.
        do_lower_case: Whether to lower-case texts; None keeps the checkpoint's setting.
        strip_accents: Whether to remove accents; None keeps the checkpoint's setting.

    Raises:
        HubError: The checkpoint does not exist, or is not a BERT.
        OptionError: A run was given together with do_lower_case or strip_accents.
        RunError: The run has no BERT, or the target exists already.
        StorageError: The target cannot be written.
    """
    checkpoint = user_path(checkpoint)
    if not checkpoint.exists():
        raise HubError(f"there is nothing at {checkpoint}{did_you_mean_path(checkpoint)}")
    is_run = (checkpoint / "model" / "classifier.json").is_file()
    if is_run and (do_lower_case is not None or strip_accents is not None):
        raise OptionError(
            "a run keeps the preprocessing of its training: leave out --cased, --uncased, "
            "--strip-accents and --keep-accents"
        )
    with whole_directory(target) as folder:
        if is_run:
            _build_from_run(checkpoint, folder)
        else:
            build_in_a_process(
                checkpoint, folder, do_lower_case=do_lower_case, strip_accents=strip_accents
            )
        for part in ("preprocess", "encoder"):
            write_manifest(folder / part, f"{Path(target).name}/{part}", str(checkpoint))


def _build_from_run(run: Path, folder: Path) -> None:
    classifier = load_classifier(RunDirectory.open(run).model)
    if classifier.encoder is None:
        raise RunError(f"{run} is a run of {classifier.name}, which has no BERT in it")
    preprocess = classifier.text.handle
    write_encoder(checkpoint_of_module(classifier.encoder, preprocess), folder / "encoder")
    shutil.copytree(hub.resolve(preprocess), folder / "preprocess")  # training did not change it
