"""200 files, damaged at random: each text is read, or named with its file and line."""

import json
import random

import pytest

from kerasnlp_lab.data import load_entity_rows
from kerasnlp_lab.data.entities.reading import read_annotations
from kerasnlp_lab.data.tables import TableFormat
from kerasnlp_lab.errors import DataError
from tests.data.entities.annotations import write

SENTENCES = [
    (("Bo", "met", "Ann", "Lee", "in", "Oslo"), ("B-PER", "O", "B-PER", "I-PER", "O", "B-LOC")),
    (("\U0001f600", "no", "name", "\xe9t\xe9"), ("O", "O", "O", "O")),
    (("王", "明", "在", "北", "京"), ("B-PER", "I-PER", "O", "B-LOC", "I-LOC")),
    (("the", "UN", "left", "Kabul"), ("O", "B-ORG", "O", "B-LOC")),
]  # fmt: skip
FORMS = ("conll.tab", "conll.space", "bioes", "spaCy", "tokens", "array", "Label Studio")
DAMAGE = ("cut", "flip", "drop", "repeat", "swap", "insert", "lines", "bytes", "line ends", "merge")


def good_file(form, draw):
    rows = [draw.choice(SENTENCES) for _ in range(draw.randint(2, 9))]
    if form in ("conll.tab", "conll.space", "bioes"):
        mark = "\t" if form == "conll.tab" else " "
        start = "U-" if form == "bioes" else "B-"
        texts = [
            [f"{w}{mark}{t.replace('B-', start)}" for w, t in zip(*row, strict=True)]
            for row in rows
        ]
        return "\n\n".join("\n".join(text) for text in texts) + "\n"
    records = []
    for tokens, tags in rows:
        if form == "tokens":
            records.append({"tokens": tokens, "ner_tags": tags})
            continue
        text, place = " ".join(tokens), tokens[0]
        spans = [[0, len(place), "PER"]] if tags[0] != "O" else []
        if form == "Label Studio":
            values = [{"start": a, "end": b, "text": text[a:b], "labels": [c]} for a, b, c in spans]
            result = [{"type": "labels", "value": value} for value in values]
            records.append({"data": {"text": text}, "annotations": [{"result": result}]})
        else:
            records.append({"text": text, "entities": spans})
    if form in ("array", "Label Studio"):
        return json.dumps(records, indent=draw.choice((None, 1)), ensure_ascii=False)
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def damaged(content, kind, draw):
    content = content.encode()
    place, end = sorted(draw.sample(range(len(content) + 1), 2))
    lines = content.splitlines(keepends=True)
    line = draw.randrange(len(lines))
    if kind == "cut":
        return content[:place]
    if kind == "flip":
        return content[:place] + bytes([draw.randrange(256)]) + content[place + 1 :]
    if kind == "drop":
        return content[:place] + content[min(end, place + 9) :]
    if kind == "repeat":
        return content[:end] + content[place:]
    if kind == "swap":
        return content.replace(
            *draw.choice([(b"B-", b"I-"), (b"O", b"X"), (b"[", b"{"), (b":", b"")])
        )
    if kind == "insert":
        odd = draw.choice(
            [b"|", b"\t", b" ", b"\0", b'"', b"\xff", b"# ", b"-DOCSTART- ", b"{", b"\n"]
        )
        return content[:place] + odd + content[place:]
    if kind == "lines":
        return b"".join(lines[:line] + lines[line + 1 :])
    if kind == "bytes":
        return content[:place] + draw.randbytes(5) + content[place:]
    if kind == "line ends":
        return content.replace(b"\n", b"\r", draw.choice((1, -1)))
    return b"".join(lines[:line]) + lines[line].rstrip() + b"".join(lines[line + 1 :])


def texts_in(content, form):
    """How many texts a file has by its lines; None if that takes more than counting them."""
    lines = content.split(b"\n" if b"\n" in content else b"\r")
    one_a_line = b"\r" not in content and b"}{" not in content
    if form in ("spaCy", "tokens") and lines[0].startswith(b"{") and one_a_line:
        return sum(bool(line.strip()) for line in lines)
    if (
        "conll" in form
        and not content.startswith(b"{")
        and b"#" not in content
        and b"-D" not in content
    ):
        filled = [bool(line.strip()) for line in lines]
        return sum(
            now and not before for before, now in zip([False, *filled], filled, strict=False)
        )
    return None


@pytest.mark.parametrize("seed", range(10))
def test_damaged_files_are_read_or_named(tmp_path, seed):
    draw = random.Random(seed)
    for number in range(20):
        form = draw.choice(FORMS)
        content = damaged(good_file(form, draw), draw.choice(DAMAGE), draw)
        path = write(tmp_path, content, f"{number}.{draw.choice(('txt', 'conll', 'jsonl'))}")
        try:
            split, rejected = load_entity_rows(path, ("PER", "LOC", "ORG"), skip_bad_rows=True)
        except DataError as error:
            assert str(path) in str(error), content
            continue
        assert all(row.path == str(path) and row.line > 0 and row.reason for row in rejected)
        rows = list(read_annotations(path, TableFormat()).rows)
        assert len(split) + len(rejected) == len(rows) == (texts_in(content, form) or len(rows))
        if rejected:
            with pytest.raises(DataError, match=rf"{number}\.\w+, line {rejected[0].line}: "):
                load_entity_rows(path, ("PER", "LOC", "ORG"))
