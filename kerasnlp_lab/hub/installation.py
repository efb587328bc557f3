"""`install`: puts modules into TF Hub's cache, whole, from the first place that has them."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kerasnlp_lab.bert.build import build_in_a_process
from kerasnlp_lab.bert.checkpoint import is_checkpoint, read_config
from kerasnlp_lab.bert.tokenizer_files import read_vocabulary
from kerasnlp_lab.errors import HubError, StorageError
from kerasnlp_lab.hub.catalogue import encoders_with
from kerasnlp_lab.hub.handles import Handle, parse_handle
from kerasnlp_lab.hub.minilm import minilm_folder, minilm_modules
from kerasnlp_lab.hub.module_files import (
    check_module,
    is_module,
    is_preprocessing,
    lock,
    remove_leftovers,
    write_manifest,
)
from kerasnlp_lab.hub.modules import HubModules
from kerasnlp_lab.hub.sources import Report, Source, local_source, sources_of
from kerasnlp_lab.paths import explain_os_error, user_path

__all__ = ["Installed", "hub_modules", "install"]

CACHE = "the cache"


@dataclass(frozen=True)
class Installed:
    """A module that is now on this machine."""

    handle: str  # its address
    folder: Path
    source: str  # where it came from: "the cache" if it was there already
    tried: tuple[str, ...] = ()  # the places before, each with the reason why it failed


def install(
    name: str,
    source: str | Path | None = None,
    *,
    report: Report = lambda what, done, total: None,
) -> list[Installed]:
    """Puts a checked module where TF Hub looks for it, and an encoder's preprocessing too.

    Afterwards ``hub.KerasLayer("https://tfhub.dev/...")`` finds it without a network,
    in this process and in every other one with the same TFHUB_CACHE_DIR.

    Args:
        name: A name of the catalogue, or a handle in any spelling.
        source: A file or folder to take it from: a module's .tar.gz, a folder with a
            SavedModel, or a BERT's weights to build it of. None asks the places of
            `sources_of`, in order.
        report: Called during a download: its name, bytes so far, bytes in all.

    Returns:
        What is on this machine now: the encoder, then its preprocessing. With a
        source that holds an encoder only, that encoder.

    Raises:
        HubError: No place has it; the message names each place and its reason.
        StorageError: The cache cannot be written.
    """
    if name == "minilm_l6_h384":
        return _install_minilm(source)
    handle = parse_handle(name)
    places = sources_of(handle, report) if source is None else [local_source(user_path(source))]
    companion = handle.preprocessing
    had_companion = companion is not None and _is_whole(companion.folder)
    installed = [_ensure(handle, places)]
    if companion is None:
        return installed
    try:
        found = _ensure(companion, places if source else sources_of(companion, report))
    except HubError:
        if source is None:
            raise
        return installed  # what was brought is an encoder by itself
    if found.source == CACHE and not had_companion:  # it was built along with the encoder
        found = dataclasses.replace(found, source=installed[0].source)
    return [*installed, found]


def hub_modules(name: str) -> HubModules:
    """Returns an encoder and the preprocessing it was trained with, installed if they are not.

    Args:
        name: An encoder's name in the catalogue, or its handle in any spelling.

    Raises:
        HubError: They cannot be fetched, or the encoder's preprocessing is not known.
    """
    handle = parse_handle(name)
    companion = handle.preprocessing
    if companion is None:
        raise HubError(
            f"{handle} is not an encoder of 'kerasnlp-lab hub list', so the preprocessing that "
            "it was trained with is unknown"
        )
    for one in (handle, companion):
        if not _looks_whole(one.folder):
            install(one.address)
    return HubModules(str(companion.folder), str(handle.folder))


def _install_minilm(source: str | Path | None) -> list[Installed]:
    if source is not None:
        raise HubError(
            "minilm_l6_h384 is built of a wheel: put the wheel into a folder, set PIP_FIND_LINKS "
            "to it, and install without --from (docs/guides/offline.md)"
        )
    folder = minilm_folder()
    here = _is_whole(folder / "encoder") and _is_whole(folder / "preprocess")
    if not here:
        with lock(folder):
            shutil.rmtree(folder, ignore_errors=True)
    modules = minilm_modules()
    place = CACHE if here else "the published weights"
    return [
        Installed("minilm_l6_h384", Path(one), place)
        for one in (modules.encoder, modules.preprocess)
    ]


def _is_whole(folder: Path) -> bool:
    try:
        check_module(folder)
    except HubError:
        return False
    return True


def _looks_whole(folder: Path) -> bool:
    """A glance, for every start; `install` and `verify` look at every byte."""
    return is_module(folder) and (folder / "variables" / "variables.index").is_file()


def _ensure(handle: Handle, places: list[Source]) -> Installed:
    """Installs one module if needed; processes that want the same one wait for each other."""
    folder = handle.folder
    with lock(folder):
        remove_leftovers(folder)
        tried = []
        try:
            check_module(folder)
            _link(handle)
            return Installed(handle.address, folder, CACHE)
        except HubError as error:
            tried.append(f"{CACHE}: {error if folder.exists() else 'not there'}")
        for place in places:
            try:
                _fetch(handle, place)
            except HubError as error:
                tried.append(f"{place.name}: {error}")
                continue
            _link(handle)
            return Installed(handle.address, folder, place.name, tuple(tried))
    raise HubError(
        f"cannot install {handle}; tried in this order: {'; '.join(tried)}. Fetch the module's "
        ".tar.gz or the BERT's weights on a machine with a network, bring them here, and say "
        f"'kerasnlp-lab hub install {handle} --from FILE'; or use minilm_l6_h384, which needs a "
        "package index only"
    )


def _fetch(handle: Handle, place: Source) -> None:
    """Fetches into a scratch folder beside the module's place, checks, and moves it there."""
    folder = handle.folder
    temporary = {"prefix": f".{folder.name}.", "suffix": ".part", "dir": str(folder.parent)}
    try:
        with tempfile.TemporaryDirectory(**temporary, ignore_cleanup_errors=True) as name:
            scratch = Path(name)
            (scratch / "fetched").mkdir()
            found = place.fetch(scratch / "fetched")
            if is_checkpoint(found):
                _check_shape(handle, found)
                built = scratch / "built"
                built.mkdir()
                # As the module on TF Hub computes it, no matter who published the weights.
                uncased = handle.entry.casing == "uncased" if handle.entry else None
                build_in_a_process(found, built, do_lower_case=uncased, as_on_tfhub=True)
                found = built
            _publish_all(handle, found, place.name, scratch)
    except StorageError:
        raise
    except shutil.Error as error:  # of copying what was brought
        raise HubError(f"cannot read {place.name} ({error.args[0][0][-1]})") from error
    except OSError as error:
        raise explain_os_error(error, folder) from error


def _check_shape(handle: Handle, checkpoint: Path) -> None:
    """Keeps the weights of one BERT from being installed under the name of another."""
    entry = handle.entry
    if entry is None:
        return
    if entry.architecture not in ("bert", "preprocess"):
        raise HubError(f"{handle} is {entry.architecture}: a BERT's weights do not fit it")
    # Any encoder that goes with a preprocessing module has its vocabulary.
    fitting = encoders_with(entry) if entry.architecture == "preprocess" else [entry]
    config = read_config(checkpoint)
    found = (config.num_hidden_layers, config.hidden_size, config.num_attention_heads)
    shapes = {(one.layers, one.hidden_size, one.heads, one.parameters) for one in fitting}
    pieces = len(read_vocabulary(checkpoint, config.vocab_size))
    if (*found, config.parameters) not in shapes or pieces != config.vocab_size:
        wanted = f"{fitting[0].layers} layers of {fitting[0].hidden_size}"
        raise HubError(
            f"{handle} has {wanted} and {fitting[0].parameters} parameters, the weights have "
            f"{found[0]} layers of {found[1]}, {config.parameters} parameters and {pieces} word "
            "pieces: they are another BERT's; train on them by their folder, or build modules "
            "with 'hub build'"
        )


def _publish_all(handle: Handle, found: Path, source: str, scratch: Path) -> None:
    """Publishes one module, or the one asked for of two that were built together."""
    if is_module(found):
        _publish(handle, found, source, scratch)
        return
    wants_preprocess = handle.entry is not None and handle.entry.architecture == "preprocess"
    part = "preprocess" if wants_preprocess else "encoder"
    companion = handle.preprocessing
    if companion is not None and not _is_whole(companion.folder):
        with lock(companion.folder):
            _publish(companion, found / "preprocess", source, scratch)
    _publish(handle, found / part, source, scratch)


def _publish(handle: Handle, found: Path, source: str, scratch: Path) -> None:
    candidate = scratch / f"checked-{handle.folder.name}"
    if found.is_relative_to(scratch):
        found.rename(candidate)
    else:
        shutil.copytree(found, candidate)
    check_module(candidate)
    _check_kind(handle, candidate)
    write_manifest(candidate, handle.address, source)
    candidate.chmod(0o755)
    if handle.folder.exists():  # broken, or it would not be made again
        handle.folder.rename(scratch / f"broken-{handle.folder.name}")
    os.replace(candidate, handle.folder)


def _check_kind(handle: Handle, module: Path) -> None:
    """Keeps an encoder from being installed as a preprocessing module, and the reverse."""
    if handle.entry is None:
        return
    kinds = {True: "a preprocessing module", False: "an encoder"}
    found = is_preprocessing(module)
    if found != (handle.entry.architecture == "preprocess"):
        raise HubError(f"{handle}: expected {kinds[not found]}, got {kinds[found]}")


def _link(handle: Handle) -> None:
    """Lets TF Hub find the module under the user's spelling too."""
    alias = handle.alias
    if alias is None:
        return
    try:
        if alias.is_dir() and not alias.is_symlink() and not _is_whole(alias):
            shutil.rmtree(alias)  # a download of TF Hub's own that was cut short
        if not os.path.lexists(alias):
            alias.symlink_to(handle.folder.name)
    except OSError as error:
        raise explain_os_error(error, alias) from error
