"""`read_table` decides the dialect of a delimited file by all of its lines, or asks."""

import csv
import io

import pytest

from kerasnlp_lab.data import load_table
from kerasnlp_lab.data.source import source_from_json, source_to_json
from kerasnlp_lab.data.tables import TableFormat, read_table
from kerasnlp_lab.errors import DataError, OptionError
from tests.data.table_files import read, write

ROWS = [(f"see you at lunch {i}", ("ham", "spam")[i % 2]) for i in range(20)]
COLUMNS = ["text", "label"]
MERGED = ['"Hello he said,ham', "win a prize,spam", 'she replied never",ham']


def table(delimiter=",", more=(), end="\n"):
    """The rows in lines 2 to 21, and more lines."""
    lines = [delimiter.join(row) for row in [COLUMNS, *ROWS]]
    return end.join([*lines, *(line.replace(",", delimiter) for line in more), ""])


def note(path, **format):
    return read_table(path, TableFormat(**format)).note


@pytest.mark.parametrize("name", ["m.csv", "m.tsv"])
@pytest.mark.parametrize(
    "delimiter, found",
    [(",", "commas"), (";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")],
)
def test_the_delimiter_is_the_one_by_which_header_and_rows_agree(name, delimiter, found, tmp_path):
    path = write(tmp_path, table(delimiter), name)
    assert read(path) == (COLUMNS, [(i + 2, row) for i, row in enumerate(ROWS)], [])
    usual = {"m.csv": ",", "m.tsv": "\t"}[name]
    assert note(path) == ("" if delimiter == usual else f"{found} between cells")


@pytest.mark.parametrize(
    "header, row, cells",
    [
        ("id;score;text;label", "1;0,5;hi;ham", ("1", "0,5", "hi", "ham")),
        ("text;label", '"a, b, c, | d";ham', ("a, b, c, | d", "ham")),
        ("id;text, cleaned;label", "1;a, b, c;ham", ("1", "a, b, c", "ham")),
        ("id;text, cleaned;label", "1;no comma;ham", ("1", "no comma", "ham")),
        ('"text";"label"', '"a; b";"ham"', ("a; b", "ham")),
        ("text;label;", "hi;ham;", ("hi", "ham")),
        ('"a;b",label', "hi,ham", ("hi", "ham")),
        ("text", '"a, b"', ("a, b",)),
    ],
)
def test_delimiters_in_cells_and_in_the_header(header, row, cells, tmp_path):
    path = write(tmp_path, f"{header}\n" + f"{row}\n" * 5)
    assert read(path)[1:] == ([(line, cells) for line in range(2, 7)], [])


def test_two_delimiters_that_both_fit_are_told_apart_by_the_ending_of_the_name(tmp_path):
    content = "a;b,c\n1;2,3\n"
    assert read(write(tmp_path, content))[0] == ["a;b", "c"]
    assert read(write(tmp_path, content.replace(",", "\t"), "m.tsv"))[0] == ["a;b", "c"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_line_ends(line_end, encoding, tmp_path):
    path = write(tmp_path, table(";", end=line_end).encode(encoding))
    assert [row for _, row in read(path)[1]] == ROWS


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "sep=;;"])
def test_the_line_with_which_excel_names_the_delimiter(first, tmp_path):
    path = write(tmp_path, f"\ufeff{first}\r\n" + table(";", end="\r\n"))
    assert read(path)[1][0] == (3, ROWS[0])
    assert note(path) == "semicolons between cells, as sep= says"


@pytest.mark.parametrize("names", ["", ",", '""'])
def test_leading_columns_without_a_name_are_an_index(names, tmp_path):
    index = ",".join("7" for _ in names.strip('"').split(","))
    path = write(tmp_path, f"{names},text,label\n{index},hi,ham\n{index},hi\n{index},a,b,c\n")
    columns, good, bad = read(path)
    assert columns == COLUMNS
    assert good == [(2, ("hi", "ham"))]
    assert [line for line, _ in bad] == [3, 4]
    assert "no name and is ignored as an index" in note(path)


def test_a_column_that_pandas_calls_unnamed_is_no_text(tmp_path):
    rows = "".join(f"{i},{text},{label}\n" for i, (text, label) in enumerate(ROWS))
    data = load_table(write(tmp_path, "Unnamed: 0,text,label\n" + rows))
    assert data.source.text_columns == ("text",)


@pytest.mark.parametrize(
    "more",
    [
        MERGED,
        ['"He said,ham', '"She said,spam'],
        ['"He," she said,ham'.replace(",", "", 1), '"Yes" and no,spam'],
    ],
    ids=["swallows rows", "never closed", "text after the end"],
)
@pytest.mark.parametrize("name, delimiter", [("m.csv", ","), ("m.tsv", "\t")])
def test_quotation_marks_are_text_if_all_lines_fit_only_so(name, delimiter, more, tmp_path):
    path = write(tmp_path, table(delimiter, more), name)
    _, good, bad = read(path)
    assert bad == []
    assert [line for line, _ in good] == list(range(2, 22 + len(more)))
    assert good[20:] == [
        (22 + i, tuple(line.replace(",", delimiter).split(delimiter)))
        for i, line in enumerate(more)
    ]
    assert note(path) == "quotation marks are text (--quoting overrides it)"


def test_one_quotation_mark_is_text_in_a_tsv_and_a_slip_in_a_csv(tmp_path):
    assert read(write(tmp_path, table("\t", ['"oops,ham']), "m.tsv"))[2] == []
    bad = read(write(tmp_path, table(",", ['"oops,ham'])))[2]
    assert bad == [(22, "a quotation mark that is never closed")]


@pytest.mark.parametrize(
    "more",
    [
        ['"Hello, you', 'bye",ham'],  # two lines with a comma each, and no class before the end
        ['"say ""hi"", you', 'and, bye",ham'],
        ['"a, b",ham', '"two', 'lines",spam'],
    ],
)
def test_quotation_marks_enclose_if_their_cells_are_no_rows(more, tmp_path):
    path = write(tmp_path, table(",", more))
    _, good, bad = read(path)
    assert bad == [] and note(path) == ""
    expected = list(csv.reader(io.StringIO("\n".join(more))))
    assert [list(cells) for _, cells in good[20:]] == expected


@pytest.mark.parametrize("cell", ['"two\nlines, a"', '"a\n\nb, c"'])
def test_an_index_of_numbers_tells_lines_of_a_text_from_rows(cell, tmp_path):
    rows = "".join(f"{i},text {i}\n" for i in range(9))
    _, good, _ = read(write(tmp_path, f"id,text\n{rows}9,{cell}\n"))
    assert good[-1] == (11, ("9", cell.strip('"')))


def test_one_column_of_texts_with_line_ends(tmp_path):
    path = write(tmp_path, 'text\n"two\nlines"\nplain\n"three\n\nlines"\n')
    assert [line for line, _ in read(path)[1]] == [2, 4, 5]


def test_a_doubt_is_an_error_that_names_the_lines_and_the_option(tmp_path):
    path = write(tmp_path, table(",", ['"a, b",ham', *MERGED]))
    with pytest.raises(DataError, match="line 23: lines 23 to 25 are one row if .*--quoting none"):
        read(path)
    assert [line for line, _ in read(path, quoting="quoted")[1][20:]] == [22, 23]
    _, good, bad = read(path, quoting="none")
    assert [line for line, _ in good[20:]] == [23, 24, 25]
    assert [line for line, _ in bad] == [22]


def test_few_rows_in_doubt_among_many_enclosed_cells_are_said(tmp_path):
    path = write(tmp_path, table(",", ['"a, b",ham'] * 20 + MERGED))
    assert note(path) == "1 quoted cells look like several rows, as in line 42"
    assert len(read(path)[1]) == 41


def test_a_broken_row_does_not_make_quotation_marks_enclose(tmp_path):
    path = write(tmp_path, table("\t", ['"oops,ham'] * 30 + ["a,b,c"]), "m.tsv")
    _, good, bad = read(path)
    assert (len(good), [line for line, _ in bad]) == (50, [52])


def test_inch_marks_are_text(tmp_path):
    more = [f'a {i}" disc,ham' for i in range(3000)]
    assert len(read(write(tmp_path, table(",", more)))[1]) == 3020


def test_unclosed_quotes_take_time_in_proportion_to_the_file(tmp_path):
    """Each could swallow 1,000 lines, which were once parsed again for each line."""
    path = write(tmp_path, table("\t", ['"oops,ham', *["more,spam"] * 9] * 300), "m.tsv")
    assert len(read(path)[1]) == 3020


@pytest.mark.parametrize("quotes", ['"', ""])
def test_a_cell_longer_than_the_csv_module_takes(quotes, tmp_path):
    text = "x" * 1_000_000
    path = write(tmp_path, f"text,label\n{quotes}{text}{quotes},ham\nbye,spam\n")
    assert read(path)[1] == [(2, (text, "ham")), (3, ("bye", "spam"))]


def test_no_header(tmp_path):
    rows = "".join(f'{i % 2 + 1},"Title, {text}",{text}\n' for i, (text, _) in enumerate(ROWS))
    path = write(tmp_path, rows, "train.csv")
    columns, good, _ = read(path, header=False)
    assert columns == ["1", "2", "3"]
    assert (good[0], len(good)) == ((1, ("1", f"Title, {ROWS[0][0]}", ROWS[0][0])), 20)
    with pytest.raises(DataError, match="looks like a row .* say --no-header and columns by num"):
        load_table(path)
    data = load_table(
        path, text_columns=["2", "3"], label_column="1", format=TableFormat(header=False)
    )
    assert len(data.train) + len(data.validation) + len(data.test) == 20
    with pytest.raises(DataError, match=r"Say --text-column NAME; there are 1, 2, 3$"):
        load_table(path, format=TableFormat(header=False))


def test_no_header_in_a_tsv_of_quotation_marks(tmp_path):
    path = write(tmp_path, '"hi\tham\nbye"\tspam\n"oh\tham\n', "m.tsv")
    assert [line for line, _ in read(path, header=False)[1]] == [1, 2, 3]


def test_a_headerless_table_whose_first_cells_are_equal(tmp_path):
    with pytest.raises(DataError, match="line 1: two columns are called '1'.*--no-header"):
        read(write(tmp_path, "1,1,hi\n2,2,bye\n"))


@pytest.mark.parametrize(
    "format, message",
    [
        ({"delimiter": ";"}, "line 1: there is no ';' in 'text,label'; leave out --delimiter"),
        ({"encoding": "utf-16"}, "is not in utf-16; leave out --encoding"),
    ],
)
def test_an_override_that_does_not_fit(format, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(write(tmp_path, table()), **format)


@pytest.mark.parametrize(
    "format, message",
    [
        ({"delimiter": "||"}, "delimiter must be one character"),
        ({"delimiter": ""}, "delimiter must be one character"),
        ({"delimiter": '"'}, "delimiter must be one character"),
        ({"quoting": "minimal"}, "quoting must be quoted or none, got 'minimal'"),
        ({"encoding": "utf-9"}, "no encoding is called 'utf-9'"),
        ({"encoding": "base64"}, "no encoding is called 'base64'"),
    ],
)
def test_an_override_that_means_nothing(format, message):
    with pytest.raises(OptionError, match=message):
        TableFormat(**format)


@pytest.mark.parametrize("name", ["m.jsonl", "m.parquet"])
@pytest.mark.parametrize(
    "format, option",
    [
        ({"delimiter": ","}, "--delimiter"),
        ({"quoting": "none"}, "--quoting"),
        ({"header": False}, "--no-header"),
    ],
)
def test_an_override_for_a_file_that_is_not_delimited(name, format, option, tmp_path):
    with pytest.raises(DataError, match=f"{name}: {option} is for .csv and .tsv; leave it out"):
        read(write(tmp_path, "{}", name), **format)


def test_a_dataset_says_what_was_found_and_is_loaded_again_in_the_same_way(tmp_path):
    train = write(tmp_path, table("#").replace("lunch", "café").encode("cp1252"), "a.csv")
    test = write(tmp_path, table("#").encode("cp1252"), "b.csv")
    format = TableFormat(delimiter="#")
    data = load_table(train, test=test, format=format)
    assert data.notes == ("encoding cp1252, as its bytes suggest (--encoding overrides it)",)
    described = source_to_json(data.source, None)
    assert described["reading"]["format"] == {"delimiter": "#"}
    again, _ = source_from_json(described)
    assert again == data.source
    assert again.load().fingerprint == data.fingerprint
    plain = load_table(write(tmp_path, table()), validation=write(tmp_path, table(";"), "v.csv"))
    assert "format" not in source_to_json(plain.source, None)["reading"]
    assert plain.notes == (f"{tmp_path / 'v.csv'}: semicolons between cells",)


def test_the_row_names_of_r_need_no_name(tmp_path):
    rows = "".join(f'"{i}"\t"text {i}"\t"{"ham" if i % 2 else "spam"}"\n' for i in range(1, 21))
    path = write(tmp_path, f'"text"\t"label"\n{rows}', "m.tsv")
    columns, good, bad = read(path)
    assert (columns, good[0], len(good), bad) == (["text", "label"], (2, ("text 1", "ham")), 20, [])
    assert "ignored as an index" in read_table(path).note


def test_a_comma_in_every_text_is_no_row_name(tmp_path):
    path = write(tmp_path, "text,label\n" + "Hello, you,ham\n" * 5)
    assert [reason[:28] for _, reason in read(path)[2]] == ["expected 2 columns, got 3: a"] * 5
