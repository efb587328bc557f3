"""Prints the peak memory in kB of a vocabulary and a pass, for N rows and for 10 N rows."""

import resource
import sys
from pathlib import Path

import numpy as np

from kerasnlp_lab.data import Split, TextDataset, load_shards, write_shards
from kerasnlp_lab.data.row_store import StoredTexts
from kerasnlp_lab.text import WordVectorizer
from kerasnlp_lab.text.shard_batches import shard_batches


def go_through(folder: Path, rows: int) -> int:
    texts = StoredTexts.write(f"w{row % 50} {'x' * 5000}" for row in range(rows))
    train, other = Split(texts, np.arange(rows) % 2), Split(("a",), (0,))
    write_shards(TextDataset("long", ("a", "b"), train, other, other), folder, shards=16)
    del texts, train
    train = load_shards(folder).train
    vectorizer = WordVectorizer(max_length=8, vocab_size=100)
    vectorizer.adapt(train.texts)
    batches, steps = shard_batches(
        vectorizer, train, batch_size=16, seed=0, first_step=rows // 32, buffer_rows=800
    )
    assert sum(1 for _ in batches.take(steps)) == steps  # across two passes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    folder, rows = Path(sys.argv[1]), int(sys.argv[2])
    print(go_through(folder / "few", rows), go_through(folder / "many", 10 * rows))
