"""AG News, through TensorFlow Datasets (`ag_news_subset`) or from its own CSV files.

Zhang, Zhao and LeCun 2015, "Character-level Convolutional Networks for Text
Classification", https://arxiv.org/abs/1509.01626.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import requests

from kerasnlp_lab.data.ag_news_csv import csv_folder, read_rows
from kerasnlp_lab.data.dataset import Split
from kerasnlp_lab.errors import DatasetMissingError, StorageError, first_line
from kerasnlp_lab.paths import user_path

__all__ = ["LABEL_NAMES", "install_ag_news", "join_title_and_description", "read_ag_news"]

LABEL_NAMES = ("World", "Sports", "Business", "Sci/Tech")
TFDS_NAME = "ag_news_subset"
DOWNLOAD_HOST = "https://drive.google.com"
INSTALL_HINT = (
    "get the dataset's own files (ag_news_csv.tar.gz, or a folder with train.csv and test.csv) "
    "and run: kerasnlp-lab data install ag_news --from PATH"
)


def join_title_and_description(title: str, description: str) -> str:
    """Returns the text of a news item, as in the tutorial that this project grew from."""
    return f"{title} {description}"


def read_ag_news(data_dir: str | Path | None = None) -> tuple[Split, Split, str]:
    """Returns the training rows, the test rows, and the folder that they were read from.

    That is TensorFlow Datasets' folder, by default its own (``TFDS_DATA_DIR``, else
    ``~/tensorflow_datasets``), into which it downloads and prepares the dataset if need be. Raises
    DatasetMissingError if the download fails, or only a part of the dataset is there.
    """
    builder = _builder(data_dir)
    if not _is_whole(builder):
        try:
            # Without a network, TFDS itself would retry ten times, for minutes.
            requests.head(DOWNLOAD_HOST, timeout=10)
            builder.download_and_prepare()
        except Exception as error:  # each network or disk failure has another type
            raise DatasetMissingError(
                f"ag_news is not prepared in {builder.data_dir} and its download failed "
                f"({first_line(error)}); {INSTALL_HINT}"
            ) from error
    return _read(builder, "train"), _read(builder, "test"), str(builder.data_dir)


def install_ag_news(
    source: str | Path, data_dir: str | Path | None = None
) -> tuple[Path, int, int]:
    """Prepares the dataset's own CSV files, in a folder or a .tar.gz, for TensorFlow Datasets.

    Afterwards ``tfds.load("ag_news_subset", data_dir=data_dir, download=False)`` works for anyone.

    Returns:
        The folder of the prepared dataset, and the numbers of rows to train on and to test.

    Raises:
        DataError: The files are missing, cut short, or hold another row.
        DatasetMissingError: Other rows, or only a part of them, are prepared there already.
        StorageError: The folder cannot be written.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    with csv_folder(user_path(source)) as folder:
        rows = {part: read_rows(folder / f"{part}.csv") for part in ("train", "test")}
        builder = _builder(data_dir, folder)
        if _is_whole(builder):
            if any(sorted(_stored_rows(builder, part)) != sorted(rows[part]) for part in rows):
                raise DatasetMissingError(
                    f"{builder.data_dir} holds other rows than {source} already; remove that "
                    "folder, or give another --data-dir"
                )
        else:
            tfds.disable_progress_bar()
            try:
                builder.download_and_prepare()
            except (OSError, tf.errors.OpError) as error:
                raise StorageError(
                    f"cannot write the prepared dataset to {builder.data_dir} "
                    f"({first_line(error)}); free some space or give another --data-dir"
                ) from error
    return Path(builder.data_dir), len(rows["train"]), len(rows["test"])


def _builder(data_dir: str | Path | None, csv_folder: Path | None = None) -> Any:
    """Returns TFDS' own builder, or one that reads a CSV folder and downloads nothing."""
    import tensorflow_datasets as tfds

    published = tfds.builder_cls(TFDS_NAME)
    place = None if data_dir is None else str(user_path(data_dir))
    if csv_folder is None:
        return published(data_dir=place)
    csv_files = {part: csv_folder / f"{part}.csv" for part in ("train", "test")}

    class FromFolder(published, skip_registration=True):  # type: ignore[misc, valid-type, call-arg]
        name = TFDS_NAME
        pkg_dir_path = published.pkg_dir_path
        url_infos: ClassVar[dict[str, Any]] = {}

        def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
            return {part: self._generate_examples(path) for part, path in csv_files.items()}

    return FromFolder(data_dir=place)


def _is_whole(builder: Any) -> bool:
    """Returns whether the dataset is prepared; raises DatasetMissingError if only a part is."""
    folder = Path(builder.data_dir)
    if not folder.exists():
        return False
    splits = builder.info.splits.values() if builder.is_prepared() else []
    files = [folder / name for split in splits for name in split.filenames]
    if not files or not all(file.is_file() for file in files):
        raise DatasetMissingError(
            f"{folder} holds a part of ag_news only; remove that folder, then {INSTALL_HINT}"
        )
    return True


def _stored_rows(builder: Any, part: str) -> list[tuple[int, str, str]]:
    """Returns the label id, title and description of each row, in the stored order."""
    import tensorflow_datasets as tfds

    return [
        (int(row["label"]), *(row[key].decode("utf-8") for key in ("title", "description")))
        for row in tfds.as_numpy(builder.as_dataset(split=part, shuffle_files=False))
    ]


def _read(builder: Any, part: str) -> Split:
    rows = _stored_rows(builder, part)
    texts = tuple(join_title_and_description(title, description) for _, title, description in rows)
    return Split(texts, np.array([label for label, _, _ in rows]))
