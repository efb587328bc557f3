"""Writes shards for tests. By default the label of a row is its own number."""

import numpy as np

from kerasnlp_lab.data import Split, TextDataset, load_shards, write_shards


def numbered(texts, labels=None):
    """Returns a dataset with one class for each training text."""
    labels = np.arange(len(texts)) if labels is None else labels
    names = tuple(f"row {row}" for row in range(max(labels) + 1))
    validation, test = Split(("to validate", "on"), (0, 1)), Split(("", "to\ntest"), (1, 0))
    return TextDataset("numbered", names, Split(texts, labels), validation, test)


def sharded(texts, folder, shards, labels=None):
    """Writes texts as shards and opens them."""
    write_shards(numbered(texts, labels), folder, shards=shards)
    return load_shards(folder)
