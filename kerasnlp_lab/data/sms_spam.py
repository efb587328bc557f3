"""The SMS Spam Collection: 5,574 text messages, 747 of them spam.

Almeida, Gomez Hidalgo and Yamakami 2011, "Contributions to the Study of SMS Spam
Filtering", https://archive.ics.uci.edu/dataset/228/sms+spam+collection (CC BY 4.0).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import requests

from kerasnlp_lab.data.dataset import Split
from kerasnlp_lab.data.table import load_labelled_rows, load_table
from kerasnlp_lab.data.tables import csv_content
from kerasnlp_lab.errors import DataError, DatasetMissingError, first_line
from kerasnlp_lab.paths import cache_dir, did_you_mean_path, user_path, write_whole

__all__ = ["LABEL_NAMES", "install_sms_spam", "read_sms_spam"]

LABEL_NAMES = ("ham", "spam")
URL = "https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip"
MEMBER = "SMSSpamCollection"
COLUMNS = ("label", "text")
MOST_BYTES = 10_000_000
_NAMES = {"0": "ham", "1": "spam", "ham": "ham", "spam": "spam"}
_HINT = (
    "fetch sms+spam+collection.zip from https://archive.ics.uci.edu/dataset/228, or "
    "spamdata_v2.csv, and run: kerasnlp-lab data install sms_spam --from FILE"
)


def read_sms_spam(data_dir: str | Path | None = None) -> tuple[Split, None, str]:
    """Returns all messages, None for the test rows (there is no official split), and the file.

    They are installed in `data_dir`, by default in `cache_dir`, or else downloaded. Raises
    DatasetMissingError if that fails.
    """
    path = _installed(data_dir)
    if not path.is_file():
        try:
            response = requests.get(URL, timeout=20)
            response.raise_for_status()
            write_whole(path, csv_content(COLUMNS, _unpack(response.content, URL)))
        except (requests.RequestException, DataError) as error:
            raise DatasetMissingError(
                f"sms_spam is not installed and its download failed ({first_line(error)}); {_HINT}"
            ) from error
    rows, _ = load_labelled_rows(path, LABEL_NAMES)
    return rows, None, str(path)


def install_sms_spam(source: str | Path, data_dir: str | Path | None = None) -> tuple[Path, int]:
    """Installs the messages in `data_dir`, by default in `cache_dir`.

    The source is the published .zip, the file in it, or a table with the labels ham and spam or
    0 and 1, such as spamdata_v2.csv. Returns the installed file, and the number of its rows.

    Raises:
        DataError: It is no such file; the message names file and line.
        StorageError: It cannot be written.
    """
    source = user_path(source)
    if not source.is_file():
        raise DataError(f"no such file{did_you_mean_path(source)}", source)
    if source.suffix == ".zip":
        rows = _unpack(source.read_bytes(), str(source))
    elif source.suffix:
        rows = _of_table(source)
    else:
        rows = _parse(source.read_bytes(), str(source))
    path = _installed(data_dir)
    write_whole(path, csv_content(COLUMNS, rows))
    return path, len(rows)


def _installed(data_dir: str | Path | None) -> Path:
    root = cache_dir() / "datasets" if data_dir is None else user_path(data_dir)
    return root / "sms_spam" / "sms_spam.csv"


def _of_table(source: Path) -> list[tuple[str, str]]:
    table = load_table(source)
    if not set(table.label_names) <= set(_NAMES):
        raise DataError(
            f"expected the labels ham and spam, or 0 and 1, got {', '.join(table.label_names)}",
            source,
        )
    rows, _ = load_labelled_rows(source, table.label_names)
    names = [_NAMES[name] for name in table.label_names]
    return [(names[label], text) for label, text in zip(rows.labels, rows.texts, strict=True)]


def _unpack(content: bytes, source: str) -> list[tuple[str, str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.getinfo(MEMBER).file_size > MOST_BYTES:
                raise DataError(f"{MEMBER} is larger than {MOST_BYTES:,} bytes", source)
            return _parse(archive.read(MEMBER), f"{source}, {MEMBER}")
    except (KeyError, zipfile.BadZipFile, zlib.error, OSError) as error:
        raise DataError(f"no .zip with {MEMBER} in it ({first_line(error)})", source) from error


def _parse(content: bytes, source: str) -> list[tuple[str, str]]:
    rows = []
    lines = content.decode("utf-8", "replace").split("\n")
    for number, line in enumerate(lines, start=1):
        label, tab, text = line.rstrip("\r").partition("\t")
        if not line.strip():
            continue
        if label not in LABEL_NAMES or not tab or not text.strip():
            raise DataError("expected ham or spam, a tab, and a message", source, number)
        rows.append((label, text))
    if not rows:
        raise DataError("no messages", source)
    return rows
