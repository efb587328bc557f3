"""`write_shards` and `load_shards`: datasets in TFRecord files, larger than memory."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kerasnlp_lab.data.dataset import Split, TextDataset
from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.data.sharded_split import ADVICE, ShardedSplit, read_records
from kerasnlp_lab.data.source import Shards, source_from_json, source_to_json
from kerasnlp_lab.data.tables import RejectedRow, csv_content
from kerasnlp_lab.errors import DataError, OptionError, check_option
from kerasnlp_lab.paths import sha256_of_files, user_path, whole_directory, write_whole

__all__ = ["SHARDS_FILE", "is_shards", "load_shards", "write_shards"]

SHARDS_FILE = "shards.json"
REJECTS_FILE = "rejects.csv"
FORMAT_VERSION = 1


def write_shards(
    data: TextDataset, folder: str | Path, *, shards: int = 64, seed: int = 0
) -> dict[str, Any]:
    """Writes a dataset as TFRecord files; each file of training rows is a random sample.

    The folder holds ``train-00000-of-00064.tfrecord`` and so on, ``validation.tfrecord``,
    ``test.tfrecord``, ``rejects.csv`` if rows of the source were skipped and, last,
    ``shards.json``. A record is a tf.train.Example of ``text``, bytes, and ``label``,
    int64. The training rows are dealt to the files at random, in random order; the numbers
    of rows differ by one at most.

    Args:
        data: The dataset; one file is written at a time, so its texts may be on disk.
        folder: The folder to write; it must be new or empty.
        shards: How many files of training rows.
        seed: Which row goes where.

    Returns:
        The content of shards.json.

    Raises:
        OptionError: There are fewer rows than shards, the dataset is sharded already, or it has
            spans or several labels a text.
        RunError: There is something in the folder already.
        StorageError: It cannot be written.
    """
    if isinstance(data.train, ShardedSplit):
        raise OptionError(f"{data.name} is sharded already; shard what it was made from")
    if data.annotation == "spans":
        raise OptionError(f"{data.name} has entities, which shards cannot hold; train on the files")
    others = {"label_sets": "texts with several labels", "target_texts": "target texts"}
    if what := others.get(data.annotation):
        raise OptionError(
            f"{data.name} has {what}, which shards cannot hold; train on the table itself"
        )
    rows = len(data.train)
    check_option("shards", shards, 1 <= shards <= rows, f"from 1 to {rows}, the rows to train on")
    check_option("seed", seed, 0 <= seed < 2**32, "from 0 to 2**32 - 1")
    order = np.random.default_rng(seed).permutation(rows)
    written = {}
    with whole_directory(folder) as temporary:
        for index, name in enumerate(_train_files(shards)):
            written[name] = _write_split(data.train.take(order[index::shards]), temporary / name)
        for part in ("validation", "test"):
            name = f"{part}.tfrecord"
            written[name] = _write_split(getattr(data, part), temporary / name)
        hashes = sha256_of_files(temporary)
        sizes = {name: (temporary / name).stat().st_size for name in written}
        if data.rejected:
            columns = [field.name for field in dataclasses.fields(RejectedRow)]
            rejected = csv_content(columns, map(dataclasses.astuple, data.rejected))
            write_whole(temporary / REJECTS_FILE, rejected)
        description = {
            "format_version": FORMAT_VERSION,
            "name": data.name,
            "label_names": list(data.label_names),
            **({} if data.pair is None else {"pair": list(data.pair)}),
            "train_label_counts": data.train.label_counts(len(data.label_names)).tolist(),
            **source_to_json(data.source, data.leaks_left_out),
            "source_fingerprint": data.fingerprint,
            "rejected_rows": len(data.rejected),
            "seed": seed,
            "files": {
                name: {"rows": rows, "bytes": sizes[name], "sha256": hashes[name]}
                for name, rows in written.items()
            },
        }
        write_whole(temporary / SHARDS_FILE, json.dumps(description, indent=2) + "\n")
    return description


def is_shards(folder: Path) -> bool:
    """Returns whether a folder holds shards, or some of their files."""
    return (folder / SHARDS_FILE).exists() or any(folder.glob("*.tfrecord"))


def load_shards(folder: str | Path) -> TextDataset:
    """Opens a folder that `write_shards` wrote.

    The training rows stay in their files; validation and test rows are read into a temporary
    file.

    Args:
        folder: The folder.

    Returns:
        The dataset; its ``train`` is a `ShardedSplit` and its ``source`` a `Shards`.

    Raises:
        DataError: The folder is not whole, or of a newer version.
    """
    folder = user_path(folder)
    description = _read_description(folder / SHARDS_FILE)
    try:
        return _open(folder, description)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, DataError) and error.path is not None:
            raise
        raise DataError(f"is damaged ({error!r}); {ADVICE}", folder / SHARDS_FILE) from error


def _train_files(shards: int) -> list[str]:
    return [f"train-{index:05}-of-{shards:05}.tfrecord" for index in range(shards)]


def _write_split(split: Split, path: Path) -> int:
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for text, label in zip(split.texts, split.labels.tolist(), strict=True):
            content = text.encode("utf-8", "surrogatepass")
            feature = {
                "text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[content])),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    return len(split)


def _read_description(path: Path) -> dict[str, Any]:
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        version = description["format_version"]
    except FileNotFoundError as error:
        raise DataError(
            "no such file: 'kerasnlp-lab data shard' did not write this folder, or not all of it",
            path,
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"cannot be read ({type(error).__name__}); {ADVICE}", path) from error
    if version != FORMAT_VERSION:
        raise DataError(
            f"expected format version {FORMAT_VERSION}, got {version!r}; update kerasnlp_lab, "
            "or write the folder again with 'kerasnlp-lab data shard'",
            path,
        )
    return description


def _open(folder: Path, description: dict[str, Any]) -> TextDataset:
    files = description["files"]
    names = _train_files(len(files) - 2)
    if set(files) != {*names, "validation.tfrecord", "test.tfrecord"}:
        raise KeyError("files")
    if len(description["train_label_counts"]) != len(description["label_names"]):
        raise KeyError("train_label_counts")
    for name, file in files.items():
        path, size = folder / name, file["bytes"]
        if not path.is_file():
            raise DataError(f"is missing; {ADVICE}", path)
        if path.stat().st_size != size:
            raise DataError(f"expected {size} bytes, got {path.stat().st_size}; {ADVICE}", path)
    train = ShardedSplit(
        tuple(folder / name for name in names),
        np.array([files[name]["rows"] for name in names]),
        np.array(description["train_label_counts"]),
        tuple(files[name]["sha256"] for name in names),
    )
    made_from, leaks_left_out = source_from_json(description)
    if isinstance(made_from, Shards):
        raise KeyError("reading")
    return TextDataset(
        name=description["name"],
        label_names=tuple(description["label_names"]),
        train=train,
        validation=_read_split(folder, "validation.tfrecord", files),
        test=_read_split(folder, "test.tfrecord", files),
        source=Shards(
            made_from, str(folder.resolve()), len(names), description["source_fingerprint"]
        ),
        leaks_left_out=leaks_left_out,
        pair=tuple(description["pair"]) if "pair" in description else None,
    )


def _read_split(folder: Path, name: str, files: dict[str, Any]) -> Split:
    labels = [np.zeros(0, np.int64)]

    def texts() -> Iterator[str]:
        for some, their_labels in read_records([folder / name], [files[name]["rows"]]):
            labels.append(their_labels)
            yield from some

    stored = StoredTexts.write(texts())
    return Split(stored, np.concatenate(labels))
