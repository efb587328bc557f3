"""Writes small files in AG News' own format, and reads them in other processes."""

import csv
import json
import os
import subprocess
import sys
import tarfile

TRAIN = [
    (3, "Oil climbs", "Crude rose, again."),
    (1, 'Talks "stall", says envoy', 'A quote: ""no"", and a backslash \\ too.'),
    (2, "Fußball: 2–1", "Ein spätes Tor; 日本 wins"),
    (4, "", "Only a description"),
    (1, "Only a title", ""),
    (2, " spaces kept ", "First line\nsecond line"),
    (3, "Twice", "the same text"),
    (4, "Twice", "the same text"),
]
TEST = [
    (1, "Vote", "A count."),
    (2, "Match", "A draw."),
    (3, "Bank", "A loan."),
    (4, "Chip", "A web."),
]

PRINT_ROWS = """
import json, sys
import tensorflow_datasets as tfds

answers = []
for data_dir in sys.argv[1:]:
    parts = tfds.load("ag_news_subset", data_dir=data_dir, download=False)
    answers.append({
        part: [
            (int(row["label"]) + 1, row["title"].decode(), row["description"].decode())
            for row in tfds.as_numpy(parts[part])
        ]
        for part in ("train", "test")
    })
print(json.dumps(answers))
"""


def write_csv(folder, train=TRAIN, test=TEST):
    """Writes train.csv and test.csv as published, with every field quoted and no header."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, rows in (("train", train), ("test", test)):
        with open(folder / f"{part}.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return folder


def write_archive(archive, folder):
    """Packs a folder like the publisher: in a folder ag_news_csv, beside other files."""
    (folder / "classes.txt").write_text("World\nSports\nBusiness\nSci/Tech\n")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname="ag_news_csv")
    return archive


def read_csv(path):
    """Returns the rows of a file in AG News' format, as [(class, title, description)]."""
    with open(path, encoding="utf-8", newline="") as file:
        return [(int(label), title, description) for label, title, description in csv.reader(file)]


def load_elsewhere(*data_dirs):
    """Returns the rows that tfds.load reads from each folder in a process without this package."""
    command = [sys.executable, "-c", PRINT_ROWS, *map(str, data_dirs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment())
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    return [
        {part: [tuple(row) for row in rows] for part, rows in answer.items()} for answer in answers
    ]


def environment(**changes):
    """Returns this process's environment with some variables changed, and TensorFlow quiet."""
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **changes}
