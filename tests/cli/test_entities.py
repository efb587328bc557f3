"""Options for annotation files, and `data inspect --task entities`."""

from pathlib import Path

import pytest

from kerasnlp_lab.cli.rows import RowsOptions
from kerasnlp_lab.errors import OptionError
from tests.cli.command import run
from tests.data.entities.annotations import lines_of, write

ROWS = [{"tokens": [f"Bo{n}", "won"], "ner_tags": [1, 0]} for n in range(20)]


def test_options_of_annotation_files(tmp_path, capsys):
    path = write(tmp_path, lines_of(*ROWS), "a.jsonl")
    options = RowsOptions(data=path, joiner="none", tag_names="O, B-PER")
    data = options.load("spans")
    assert data.train.texts[0].endswith("won") and " " not in data.train.texts[0]
    assert (data.source.joiner, data.source.tag_names) == ("none", ("O", "B-PER"))
    assert capsys.readouterr().err == f"{path}: tags are read as IOB2\n"


@pytest.mark.parametrize(
    ("options", "annotation", "message"),
    [
        (
            {"data": Path("a"), "joiner": "none"},
            "labels",
            "--joiner belongs to entities: say --task",
        ),
        (
            {"data": Path("a"), "text_column": ["x"]},
            "spans",
            "--text-column belongs to tables of texts",
        ),
        ({"dataset": "news_entities"}, "labels", "news_entities has spans .* say --task entities"),
        ({"dataset": "news_sample"}, "spans", "has labels for its texts: say --task class"),
        ({"dataset": "news_entities", "joiner": "none"}, "spans", "belongs to a table of your own"),
    ],
)
def test_options_that_do_not_fit(options, annotation, message):
    with pytest.raises(OptionError, match=message):
        RowsOptions(**options).load(annotation)


def test_inspect(tmp_path):
    rows = [{"text": f"{n} in Oslo", "entities": [[5, 8, "LOC"]]} for n in range(10, 30)]
    overlapping = {"text": "New York", "entities": [[0, 3, "LOC"], [0, 8, "LOC"]]}
    path = write(tmp_path, lines_of(*rows, overlapping), "a.jsonl")
    output = tmp_path / "out"
    words = ("--task", "entities", path, "--model", "tfidf_linear", "--output", output)
    shown = run("data", "inspect", *words)
    assert shown.code == 0, shown.err
    lines = shown.out.splitlines()
    assert f"{path}: 20 rows (train 14, validation 3, test 3; split seed 0)" in lines
    assert f"  {path}:21 two spans overlap: [0, 3] LOC 'New' and [0, 8] LOC 'New York'; " in [
        line.partition("keep one")[0] for line in lines
    ]
    assert any(line.startswith("span_in_word: 20 spans") for line in lines)
    assert (output / "inspection.json").is_file() and (output / "findings.csv").is_file()
    refused = run("data", "inspect", *words[:3], "--fix")
    assert refused.code == 2 and "left out for entities" in refused.err
