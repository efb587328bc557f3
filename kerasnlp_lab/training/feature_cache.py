"""`FeatureCache`: keeps the features that a frozen encoder computes for texts on disk."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from kerasnlp_lab.paths import explain_os_error

__all__ = ["FeatureCache", "text_keys"]

SEGMENT_ROWS = 4096
ABANDONED_SECONDS = 24 * 3600

_log = logging.getLogger(__name__)


def text_keys(tokens: list[np.ndarray]) -> np.ndarray:
    """Returns a 128-bit hash of each text's token ids, uint64 of shape [texts, 2]."""
    digests = [hashlib.blake2b(ids.tobytes(), digest_size=16).digest() for ids in tokens]
    return np.frombuffer(b"".join(digests), "<u8").reshape(-1, 2)


class FeatureCache:
    """Looks up a text's features, `width` of them, by the hash of its token ids, in mapped files.

    Each file, a segment, is a .npy with keys followed by features. It is named by its own
    SHA-256 and never changes, so that several processes can read and add at the same time. A
    file whose hash differs from its name is removed. The folder is for one encoder's files; see
    `Classifier.encoder_fingerprint`. Raises StorageError if it cannot be made.
    """

    def __init__(self, folder: Path, width: int):
        self.folder = folder
        self.width = width
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explain_os_error(error, folder) from error
        self._segments: list[np.ndarray] = []
        self._keys = np.zeros((0, 2), "<u8")  # of all segments, sorted by their first number
        self._places = np.zeros((0, 2), np.int64)  # segment and row of each key
        for path in folder.glob("*.part"):  # left behind by killed processes
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()
        for path in sorted(folder.glob("*.npy")):
            segment = self._open_segment(path)
            if segment is not None:
                self._add_segment(segment)

    def find(self, keys: np.ndarray) -> np.ndarray:
        """Returns the place of each text's features, int64 [texts, 2]; [-1, -1] if not cached."""
        places = np.full((len(keys), 2), -1, np.int64)
        if len(self._keys):
            nearest = np.searchsorted(self._keys[:, 0], keys[:, 0])
            for step in (1, 0):  # because two keys may share their first number
                candidates = np.minimum(nearest + step, len(self._keys) - 1)
                same = (self._keys[candidates] == keys).all(axis=1)
                places[same] = self._places[candidates[same]]
        return places

    def read(self, places: np.ndarray) -> np.ndarray:
        """Returns the features at places from `find`, float32 of shape [texts, width]."""
        features = np.empty((len(places), self.width), np.float32)
        for segment in np.unique(places[:, 0]):
            here = places[:, 0] == segment
            features[here] = self._segments[segment]["features"][0, places[here, 1]]
        return features

    def add(self, keys: np.ndarray, features: Callable[[np.ndarray], Iterator[np.ndarray]]) -> None:
        """Computes features for new keys, without duplicates, and writes them, one file at a time.

        `features` takes indices into these keys and yields batches of features, float32 [batch,
        width], in the same order. Raises StorageError if they cannot be written.
        """
        for start in range(0, len(keys), SEGMENT_ROWS):
            rows = np.arange(start, min(start + SEGMENT_ROWS, len(keys)))
            segment = np.zeros(1, self._layout(len(rows)))
            segment["key"][0] = keys[rows]
            segment["features"][0] = np.concatenate(list(features(rows)))
            self._add_segment(self._write_segment(segment))

    def forget(self) -> None:
        """Removes all files."""
        for path in self.folder.glob("*.npy"):
            path.unlink(missing_ok=True)
        self._segments, self._keys, self._places = [], self._keys[:0], self._places[:0]

    def _layout(self, rows: int) -> np.dtype:
        """Returns a segment's layout: keys first, so that a look-up reads no page of features."""
        return np.dtype([("key", "<u8", (rows, 2)), ("features", "<f4", (rows, self.width))])

    def _open_segment(self, path: Path) -> np.ndarray | None:
        """Returns a segment mapped into memory; reports and removes it if it is damaged."""
        try:
            with path.open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == path.stem
            segment = np.load(path, mmap_mode="r", allow_pickle=False) if whole else None
            if segment is not None and segment.dtype == self._layout(segment["key"].shape[1]):
                return segment
        except OSError as error:  # no permission, or too many open files: it may be whole
            _log.warning("%s cannot be read (%s); its features are computed again", path, error)
            return None
        except (IndexError, ValueError):
            pass
        _log.warning("%s is damaged; its features are computed again", path)
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def _write_segment(self, segment: np.ndarray) -> np.ndarray:
        """Writes a segment and returns it mapped into memory."""
        # Not mkstemp, whose files no other user may read.
        temporary = self.folder / f"{uuid.uuid4().hex}.part"
        try:
            try:
                with temporary.open("w+b") as file:
                    np.save(file, segment, allow_pickle=False)
                    file.flush()
                    os.fsync(file.fileno())
                    file.seek(0)
                    name = hashlib.file_digest(file, "sha256").hexdigest()
                path = self.folder / f"{name}.npy"
                segment = np.load(temporary, mmap_mode="r", allow_pickle=False)
                os.replace(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise explain_os_error(error, self.folder) from error
        return segment

    def _add_segment(self, segment: np.ndarray) -> None:
        """Adds a segment's keys that are new to those that `find` looks up."""
        added = np.array(segment["key"][0])
        places = np.stack([np.full(len(added), len(self._segments)), np.arange(len(added))], axis=1)
        self._segments.append(segment)
        new = self.find(added)[:, 0] < 0  # another process may have added the same texts
        keys = np.concatenate([self._keys, added[new]])
        places = np.concatenate([self._places, places[new]])
        by_key = np.argsort(keys[:, 0], kind="stable")
        self._keys, self._places = keys[by_key], places[by_key]
