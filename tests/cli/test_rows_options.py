"""The options of tables: several labels, pairs and rare classes, and which task each belongs to."""

import csv

import pytest

from kerasnlp_lab.cli.rows import RowsOptions
from kerasnlp_lab.data.unlabelled import read_names
from kerasnlp_lab.errors import DataError, OptionError
from tests.data.table_files import write


def save(folder, header, rows, name="m.csv"):
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def lists(folder, mark=","):
    sets = [["joy"], ["joy", "awe"], [], ["rage"]]
    return save(folder, ("text", "labels"), [(f"t {i}", mark.join(sets[i % 4])) for i in range(40)])


def flags(folder):
    rows = [(f"t {i}", i % 2, int(i % 3 == 0)) for i in range(40)]
    return save(folder, ("text", "is_joy", "is_awe"), rows)


@pytest.mark.parametrize(
    "columns", [["is_joy", "is_awe"], ["is_*"], ["is_jo?", "is_awe"]], ids=" ".join
)
def test_columns_of_0_and_1(columns, tmp_path):
    data = RowsOptions(data=flags(tmp_path), label_column=columns).load("label_sets")
    assert data.label_names == ("is_awe", "is_joy")


@pytest.mark.parametrize("mark, said", [(",", None), (";", ";"), ("\t", "tab"), ("\n", "\\n")])
def test_a_separator(mark, said, tmp_path):
    options = RowsOptions(data=lists(tmp_path, mark), label_column=["labels"], label_separator=said)
    assert options.load("label_sets").label_names == ("awe", "joy", "rage")


def test_a_file_of_names(tmp_path):
    path = save(tmp_path, ("text", "labels"), [(f"t {i}", f"{i % 3},1") for i in range(30)])
    names = write(tmp_path, "\ufeffpride\r\ngrief \r\nanger\r\n\r\n".encode(), "labels.txt")
    options = RowsOptions(data=path, label_names=names)
    assert options.load("label_sets").label_names == ("pride", "grief", "anger")
    with pytest.raises(DataError, match="labels.txt, line 2: expected a name on each line"):
        read_names(write(tmp_path, "a\n\nb\n", "labels.txt"))
    with pytest.raises(DataError, match="labels.txt, line 3: the name 'a' is in line 1 already"):
        read_names(write(tmp_path, "a\nb\na\n", "labels.txt"))


def test_rare_classes_and_pairs(tmp_path):
    rows = [(f"a {i}", f"b {i}", "xyz"[i % 2 if i else 2]) for i in range(41)]
    path = save(tmp_path, ("first", "second", "label"), rows)
    options = RowsOptions(
        data=path,
        text_column=["first"],
        second_text_column="second",
        rare_classes="merge=x",
        rare_minimum=3,
    )
    data = options.load()
    assert (data.pair, data.label_names) == (("first", "second"), ("x", "y"))


@pytest.mark.parametrize(
    "options, annotation, message",
    [
        ({"label_column": ["a", "b"]}, "labels", "several columns of labels belong to several"),
        ({"label_column": ["a*"]}, "labels", "say --task multi_label"),
        (
            {"label_column": ["a*"], "label_separator": ";"},
            "label_sets",
            "--label-separator belongs to a column of labels, and there are columns of 0 and 1",
        ),
        (
            {"label_column": ["a", "b"], "label_names": "a.txt"},
            "label_sets",
            "--label-names belongs to a column of labels",
        ),
        ({"label_separator": ";"}, "labels", "--label-separator belongs to .* --task multi_label"),
        ({"second_text_column": "b"}, "spans", "--second-text-column belongs to tables of texts"),
        ({"rare_classes": "keep"}, "spans", "--rare-classes belongs to tables of texts"),
        ({"label_names": "a.txt"}, "spans", "--label-names belongs to tables of texts"),
        ({"joiner": "none"}, "label_sets", "--joiner belongs to entities"),
        ({"rare_minimum": 0}, "labels", "--rare-minimum.* must be 1 or more"),
    ],
)
def test_options_of_another_task(options, annotation, message, tmp_path):
    with pytest.raises(OptionError, match=message):
        RowsOptions(data=lists(tmp_path), **options).load(annotation)


@pytest.mark.parametrize(
    "options", [{"second_text_column": "b"}, {"rare_classes": "keep"}, {"label_separator": ";"}]
)
def test_options_of_a_table_without_one(options):
    with pytest.raises(OptionError, match="belongs to a table of your own: say --data FILE"):
        RowsOptions(dataset="news_sample", **options).load()


def test_a_dataset_with_another_annotation_names_its_task():
    message = "news_sample has labels for its texts: say --task classification"
    with pytest.raises(OptionError, match=message):
        RowsOptions(dataset="news_sample").load("label_sets")
