"""`Handle`: one module of TF Hub, by any spelling of its address."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kerasnlp_lab.errors import HubError, did_you_mean
from kerasnlp_lab.hub.catalogue import HubEncoder, by_kaggle, entries

__all__ = ["Handle", "parse_handle", "tfhub_cache_dir"]

TFHUB = "https://tfhub.dev"


@dataclass(frozen=True)
class Handle:
    """A module, by its address on tfhub.dev, or on Kaggle if it was never on tfhub.dev."""

    address: str  # https://tfhub.dev/PUBLISHER/NAME/VERSION
    kaggle: str = ""  # OWNER/MODEL/tensorFlow2/VARIATION/VERSION for kagglehub, if it is known
    entry: HubEncoder | None = None  # its row in the catalogue, if it has one
    spelling: str = ""  # the address as the user wrote it, under which TF Hub would look too

    @property
    def folder(self) -> Path:
        """Where TF Hub looks for the module in its cache."""
        return _folder(self.address)

    @property
    def alias(self) -> Path | None:
        """Where TF Hub looks under the user's spelling, if that is another folder."""
        return _folder(self.spelling) if self.spelling not in ("", self.address) else None

    @property
    def preprocessing(self) -> Handle | None:
        """The preprocessing module of an encoder in the catalogue."""
        if self.entry is None or not self.entry.preprocess:
            return None
        return parse_handle(f"{TFHUB}/{self.entry.preprocess}")

    def __str__(self) -> str:
        return self.address


def tfhub_cache_dir() -> Path:
    """Returns the folder in which tensorflow_hub caches modules."""
    configured = os.environ.get("TFHUB_CACHE_DIR")
    return Path(configured or Path(tempfile.gettempdir(), "tfhub_modules"))


def parse_handle(text: str) -> Handle:
    """Returns the module that a text names.

    Args:
        text: A name of the catalogue (``small_bert/bert_en_uncased_L-4_H-128_A-2``),
            an address on tfhub.dev or on Kaggle in any of its spellings, or a handle
            of the kagglehub package. Without a version, the catalogue's.

    Raises:
        HubError: It is none of these.

    Example:
        >>> parse_handle("tensorflow/bert/tensorFlow2/en-uncased-preprocess/3").address
        'https://tfhub.dev/tensorflow/bert_en_uncased_preprocess/3'
    """
    text = text.strip()
    host, path = _split(text)
    if host == "tfhub.dev":
        handle = _on_tfhub(path)
    elif host in ("kaggle.com", "") and (found := _KAGGLE.fullmatch(path)):
        handle = _on_kaggle(found)
    elif host == "":
        handle = _by_name(path)
    else:
        handle = None
    if handle is None:
        named = [name for name, entry in (_names() | entries()).items() if entry.handle]
        raise HubError(
            f"{text!r} is no module of TF Hub: give a name of 'kerasnlp-lab hub list', an address "
            f"as {TFHUB}/tensorflow/bert_en_uncased_preprocess/3, or a handle on Kaggle as "
            f"tensorflow/bert/tensorFlow2/en-uncased-preprocess/3{did_you_mean(path, named)}"
        )
    return dataclasses.replace(handle, spelling=text) if "://" in text else handle


_KAGGLE = re.compile(
    r"(?:models/)?(?P<owner>[\w.-]+)/(?P<model>[\w.-]+)/(?:frameworks/)?tensorflow2/"
    r"(?:variations/)?(?P<variation>[\w.-]+?)(?:/(?:versions/)?(?P<version>\d+))?",
    re.IGNORECASE,
)


def _split(text: str) -> tuple[str, str]:
    """Returns host and path without www and outer slashes; no host is "", a wrong one is "?"."""
    if "://" not in text and re.match(r"(?i)(www\.)?(tfhub\.dev|kaggle\.com)/", text):
        text = f"https://{text}"
    if "://" not in text:
        return "", text.strip("/")
    try:
        parts = urlsplit(text)
    except ValueError:
        return "?", ""
    host = (parts.hostname or "").removeprefix("www.")
    return host, parts.path.strip("/")


def _on_tfhub(path: str) -> Handle | None:
    name, version = _name_and_version(path)
    entry = entries().get(name)
    if not name or (not version and entry is None) or (entry and not entry.handle):
        return None
    return _handle(name, entry, version)


def _name_and_version(path: str) -> tuple[str, str]:
    name, _, version = path.rpartition("/")
    return (name, version) if version.isascii() and version.isdigit() else (path, "")


def _on_kaggle(found: re.Match[str]) -> Handle | None:
    slug = f"{found['owner']}/{found['model']}/tensorFlow2/{found['variation']}"
    version = found["version"] or ""
    entry = by_kaggle().get(slug.lower())
    if entry is not None:
        return _handle(f"{entry.publisher}/{entry.name}", entry, version)
    if not version:
        return None
    return Handle(f"https://www.kaggle.com/models/{slug}/{version}", f"{slug}/{version}")


def _by_name(name: str) -> Handle | None:
    bare, version = _name_and_version(name)
    entry = _names().get(bare) or entries().get(bare)
    if entry is None or not entry.handle:
        return None
    return _handle(f"{entry.publisher}/{entry.name}", entry, version)


def _names() -> dict[str, HubEncoder]:
    """Returns every row of the catalogue by its name without publisher."""
    return {entry.name: entry for entry in entries().values()}


def _handle(name: str, entry: HubEncoder | None, version: str) -> Handle:
    version = version or (str(entry.version) if entry else "")
    kaggle = f"{entry.kaggle}/{version}" if entry and entry.kaggle else ""
    return Handle(f"{TFHUB}/{name}/{version}", kaggle, entry)


def _folder(address: str) -> Path:
    return tfhub_cache_dir() / hashlib.sha1(address.encode("utf-8")).hexdigest()
