"""Sharded rows to test with: the label of a row is its own number."""

import numpy as np

from kerasnlp_lab.data import Split, TextDataset, load_shards, write_shards


def numbered(texts):
    """Returns a dataset with a class for each text to train on."""
    rows = len(texts)
    names = tuple(f"row {row}" for row in range(rows))
    validation, test = Split(("to validate", "on"), (0, 1)), Split(("", "to\ntest"), (1, 0))
    return TextDataset("numbered", names, Split(texts, np.arange(rows)), validation, test)


def sharded(texts, folder, shards):
    """Writes texts and opens them again."""
    write_shards(numbered(texts), folder, shards=shards)
    return load_shards(folder)
