"""AG News, through TensorFlow Datasets (`ag_news_subset`), online or from its own CSV files.

Zhang, Zhao and LeCun 2015, "Character-level Convolutional Networks for Text
Classification", https://arxiv.org/abs/1509.01626.
"""

from __future__ import annotations

import csv
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from kerasnlp_lab.data.dataset import Split
from kerasnlp_lab.errors import DataError, DatasetMissingError, StorageError

__all__ = ["LABEL_NAMES", "install_ag_news", "join_title_and_description", "read_ag_news"]

LABEL_NAMES = ("World", "Sports", "Business", "Sci/Tech")
TFDS_NAME = "ag_news_subset"
INSTALL_HINT = (
    "get the dataset's own files (ag_news_csv.tar.gz, or a folder with train.csv and test.csv) "
    "and run: kerasnlp-lab data install ag_news --from PATH"
)


def join_title_and_description(title: str, description: str) -> str:
    """Returns the text of a news item, as in the tutorial that this project grew from."""
    return f"{title} {description}"


def read_ag_news(data_dir: str | Path | None = None) -> tuple[Split, Split, str]:
    """Reads the prepared dataset, or lets TensorFlow Datasets download and prepare it.

    Args:
        data_dir: TensorFlow Datasets' folder; None for its own default
            (``TFDS_DATA_DIR``, else ``~/tensorflow_datasets``).

    Returns:
        The training rows, the test rows, and where they were read from.

    Raises:
        DatasetMissingError: It is not prepared and the download fails.
    """
    builder = _builder(data_dir)
    if not builder.is_prepared():
        try:
            builder.download_and_prepare()
        except Exception as error:  # every network and disk failure has a type of its own
            raise DatasetMissingError(
                f"ag_news is not prepared in {builder.data_dir} and its download failed "
                f"({_first_line(error)}); {INSTALL_HINT}"
            ) from error
    return _read(builder, "train"), _read(builder, "test"), str(builder.data_dir)


def install_ag_news(
    source: str | Path, data_dir: str | Path | None = None
) -> tuple[Path, int, int]:
    """Prepares the dataset's own CSV files for TensorFlow Datasets, without a network.

    Afterwards ``tfds.load("ag_news_subset", data_dir=data_dir, download=False)``
    works for anyone.

    Args:
        source: A folder with train.csv and test.csv, or the published .tar.gz.
        data_dir: Where to prepare it, as in `read_ag_news`.

    Returns:
        The folder of the prepared dataset, and the rows to train on and to test.

    Raises:
        DataError: The files are missing, cut short, or hold a row that is not
            "class 1-4","title","description".
        DatasetMissingError: A dataset with other rows is prepared there already.
        StorageError: The folder cannot be written.
    """
    import tensorflow_datasets as tfds

    with _csv_folder(Path(source)) as folder:
        rows = {part: _check_csv(folder / f"{part}.csv") for part in ("train", "test")}
        builder = _builder(data_dir, folder)
        if builder.is_prepared():
            present = {part: builder.info.splits[part].num_examples for part in rows}
            if present != rows:
                raise DatasetMissingError(
                    f"{builder.data_dir} holds {present['train']} + {present['test']} rows "
                    f"already, not the {rows['train']} + {rows['test']} of {source}; remove that "
                    "folder, or give another --data-dir"
                )
        else:
            tfds.disable_progress_bar()
            try:
                builder.download_and_prepare()
            except OSError as error:
                raise StorageError(
                    f"cannot write the prepared dataset to {builder.data_dir} ({error.strerror}); "
                    "free some space or give another --data-dir"
                ) from error
    return Path(builder.data_dir), rows["train"], rows["test"]


def _builder(data_dir: str | Path | None, csv_folder: Path | None = None) -> Any:
    """Returns TFDS' own builder; with csv_folder, one that reads there and downloads nothing."""
    import tensorflow_datasets as tfds

    published = tfds.builder_cls(TFDS_NAME)
    if csv_folder is None:
        return published(data_dir=_as_str(data_dir))
    csv_files = {part: csv_folder / f"{part}.csv" for part in ("train", "test")}

    class FromFolder(published, skip_registration=True):  # type: ignore[misc, valid-type, call-arg]
        name = TFDS_NAME
        pkg_dir_path = published.pkg_dir_path
        url_infos: ClassVar[dict[str, Any]] = {}

        def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
            return {part: self._generate_examples(path) for part, path in csv_files.items()}

    return FromFolder(data_dir=_as_str(data_dir))


def _as_str(path: str | Path | None) -> str | None:
    return None if path is None else str(Path(path).expanduser())


def _read(builder: Any, part: str) -> Split:
    import tensorflow_datasets as tfds

    texts, labels = [], []
    for row in tfds.as_numpy(builder.as_dataset(split=part, shuffle_files=False)):
        title, description = (
            row[key].decode("utf-8", "replace") for key in ("title", "description")
        )
        texts.append(join_title_and_description(title, description))
        labels.append(row["label"])
    return Split(tuple(texts), np.array(labels))


@contextmanager
def _csv_folder(source: Path) -> Iterator[Path]:
    """Yields the folder with train.csv and test.csv, unpacked for a while if it is an archive."""
    if source.is_dir():
        nested = source / "ag_news_csv"
        yield nested if nested.is_dir() else source
    elif source.is_file():
        with tempfile.TemporaryDirectory() as scratch:
            _unpack(source, Path(scratch))
            yield Path(scratch)
    else:
        raise DataError("no such file or folder; give ag_news_csv.tar.gz or its folder", source)


def _unpack(archive: Path, target: Path) -> None:
    wanted = {"train.csv", "test.csv"}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = Path(member.name).name
                content = tar.extractfile(member) if member.isfile() and name in wanted else None
                if content is not None:
                    (target / name).write_bytes(content.read())
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise DataError(
            f"not a whole .tar.gz archive ({_first_line(error)}); it may be cut short, or a web "
            "page saved in its place: fetch it again",
            archive,
        ) from error


def _check_csv(path: Path) -> int:
    """Returns the number of rows; raises DataError at the first that is not in AG News' form."""
    if not path.is_file():
        raise DataError("missing; expected AG News' own train.csv and test.csv", path)
    rows = 0
    with path.open("rb") as file:
        reader = csv.reader(_decoded_lines(file, path), strict=True)
        try:
            for row in reader:
                _check_row(row, path, reader.line_num)
                rows += 1
        except csv.Error as error:
            raise DataError(f"broken quoting ({error})", path, reader.line_num) from error
    if not rows:
        raise DataError("no rows", path)
    return rows


def _decoded_lines(file: Any, path: Path) -> Iterator[str]:
    for number, line in enumerate(file, start=1):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"not valid UTF-8 at byte {error.start + 1} of the line; convert the file to UTF-8",
                path,
                number,
            ) from error


def _check_row(row: list[str], path: Path, line: int) -> None:
    if len(row) != 3:
        raise DataError(
            f'expected 3 columns ("class 1-4","title","description"), got {len(row)}', path, line
        )
    if row[0] not in {"1", "2", "3", "4"}:
        raise DataError(f"expected a class from 1 to 4, got {row[0]!r}", path, line, 1)
    if not row[1].strip() and not row[2].strip():
        raise DataError("title and description are both empty", path, line)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
