"""`read_table` reads the files of other programs, and rejects unreadable rows by line."""

import bz2
import csv
import gzip
import io
import json
import lzma

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kerasnlp_lab.data.tables import read_table
from kerasnlp_lab.errors import DataError
from tests.data.table_files import read, write

ROWS = [("Hello, you", "ham"), ('He said "hi"', "spam"), ("two\nlines", "ham"), ("ünï", "spam")]
COLUMNS = ["text", "label"]
TWO = "text,label\nhi,ham\nbye,spam\n"
READ_TWO = [(2, ("hi", "ham")), (3, ("bye", "spam"))]


def delimited(rows, **options):
    buffer = io.StringIO()
    csv.writer(buffer, **options).writerows([COLUMNS, *rows])
    return buffer.getvalue()


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "byte order mark"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("name, delimiter", [("m.csv", ","), ("m.tsv", "\t"), ("M.CSV", ",")])
def test_reads_what_the_csv_module_writes(name, delimiter, quoting, mark, line_end, tmp_path):
    text = delimited(ROWS, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
    columns, good, bad = read(write(tmp_path, mark + text.encode(), name))
    assert columns == COLUMNS
    assert [cells for _, cells in good] == ROWS
    assert [line for line, _ in good] == [2, 3, 4, 6]  # the third row has two lines
    assert bad == []


def zstandard(content):
    return pa.compress(bytes(content), codec="zstd", asbytes=True)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstandard])
@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst", ""])
def test_is_compressed_if_its_bytes_say_so(compress, suffix, tmp_path):
    path = write(tmp_path, compress(b"\xef\xbb\xbf" + TWO.encode()), f"messages.csv{suffix}")
    assert read(path) == (COLUMNS, READ_TWO, [])


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstandard])
def test_a_compressed_file_cut_short(compress, tmp_path):
    path = write(tmp_path, compress(TWO.encode() * 2000)[:-8], "messages.csv.gz")
    with pytest.raises(DataError, match="messages.csv.gz: cannot be read to its end"):
        read(path)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstandard])
def test_a_compressed_file_with_altered_bytes(compress, tmp_path):
    content = bytearray(compress(b"".join(b"%d,x\n" % (i * 7919) for i in range(20000))))
    content[len(content) // 2 : len(content) // 2 + 200] = b"\xff" * 200
    with pytest.raises(DataError, match="messages.csv.gz: cannot be read to its end"):
        read(write(tmp_path, content, "messages.csv.gz"))


def test_blank_lines_are_no_rows_and_count_as_lines(tmp_path):
    path = write(tmp_path, "\n\r\ntext,label\n\nhi,ham\n\r\nbye,spam\n\n\n")
    assert read(path) == (COLUMNS, [(5, ("hi", "ham")), (7, ("bye", "spam"))], [])


@pytest.mark.parametrize("inside", ["\n", "\r\n", "\r", "\n\n"])
def test_line_ends_in_quotes_belong_to_the_text(inside, tmp_path):
    path = write(tmp_path, f'text,label\r\n"a{inside}b",ham\r\nbye,spam\r\nshort\r\n')
    more = inside.count("\n")
    columns, good, bad = read(path)
    assert good == [(2, (f"a{inside}b", "ham")), (3 + more, ("bye", "spam"))]
    assert bad == [(4 + more, "expected 2 columns, got 1")]


def test_no_line_end_at_the_end_of_the_file(tmp_path):
    assert read(write(tmp_path, TWO.rstrip("\n"))) == (COLUMNS, READ_TWO, [])


def test_characters_that_only_python_takes_for_line_ends(tmp_path):
    text = "a\u2028b\x0bc\x85d\x1ce"
    assert read(write(tmp_path, f"text,label\n{text},ham\n"))[1] == [(2, (text, "ham"))]
    path = write(tmp_path, json.dumps({"text": text}, ensure_ascii=False), "m.jsonl")
    assert read(path)[1] == [(1, (text,))]


@pytest.mark.parametrize(
    "content", ["text,label\rhi,ham\rbye,spam\r", "text,label\nhi,ham\rbye,spam\n"]
)
def test_rows_that_end_in_a_bare_carriage_return_are_not_lost(content, tmp_path):
    """Excel for the Mac writes such files. Their rows must be read or reported."""
    try:
        _, good, bad = read(write(tmp_path, content))
    except DataError as error:
        assert "messages.csv, line 1: " in str(error)
        return
    assert bad or [cells for _, cells in good] == [("hi", "ham"), ("bye", "spam")]


@pytest.mark.parametrize("quoted", ['"oops,ham', 'oops,"ham', '"oops, ""no,ham'])
@pytest.mark.parametrize("after", [0, 2, 3000])
def test_an_unclosed_quote_costs_its_own_line_only(quoted, after, tmp_path):
    content = f"text,label\nhi,ham\n{quoted}\n" + "bye,spam\n" * after
    _, good, bad = read(write(tmp_path, content))
    assert good == [(2, ("hi", "ham"))] + [(4 + i, ("bye", "spam")) for i in range(after)]
    assert [line for line, _ in bad] == [3]
    assert "a quotation mark that is" in bad[0][1]


def test_an_unclosed_quote_before_quoted_rows(tmp_path):
    content = 'text,label\n"oops,ham\nbye,spam\n"a, b",ham\n"two\nlines",spam\n"oops,ham\n"c",ham\n'
    _, good, bad = read(write(tmp_path, content))
    assert good == [
        (3, ("bye", "spam")),
        (4, ("a, b", "ham")),
        (5, ("two\nlines", "spam")),
        (8, ("c", "ham")),
    ]
    assert [line for line, _ in bad] == [2, 7]


def test_a_text_after_a_closing_quote(tmp_path):
    _, good, bad = read(write(tmp_path, 'text,label\n"He" said,ham\nbye,spam\n'))
    assert good == [(3, ("bye", "spam"))]
    assert bad[0][0] == 2 and bad[0][1].startswith("broken quoting")


def test_quotes_within_an_unquoted_text_are_text(tmp_path):
    assert read(write(tmp_path, 'text,label\na 12" disc,ham\n'))[1] == [(2, ('a 12" disc', "ham"))]


def test_invalid_bytes(tmp_path):
    _, good, bad = read(write(tmp_path, b"text,label\ncaf\xe9,ham\nbye,spam\n"))
    assert good == [(3, ("bye", "spam"))]
    assert bad == [(2, "not valid UTF-8 at byte 4")]


def test_invalid_bytes_in_a_text_of_several_lines_cost_the_whole_row(tmp_path):
    """Its last lines must not count as another row."""
    content = b'text,label\n"one\ncaf\xe9\nthree",ham\nbye,spam\n'
    _, good, bad = read(write(tmp_path, content))
    assert good == [(5, ("bye", "spam"))]
    assert [line for line, _ in bad] == [2]
    assert "not valid UTF-8" in bad[0][1]


def test_a_nul_is_text_like_any_other(tmp_path):
    assert read(write(tmp_path, "text,label\na\0b,ham\n"))[1:] == ([(2, ("a\0b", "ham"))], [])


def test_a_huge_cell_is_read_or_rejected_for_its_size(tmp_path):
    text = "x" * 10_000_000
    _, good, bad = read(write(tmp_path, f'text,label\n"{text}",ham\nbye,spam\n'))
    if bad:  # the csv module's limit is 131,072 characters
        assert good == [(3, ("bye", "spam"))]
        assert bad[0][0] == 2
        assert "131072" in bad[0][1]
        assert "quot" not in bad[0][1]
    else:
        assert good == [(2, (text, "ham")), (3, ("bye", "spam"))]


@pytest.mark.parametrize(
    "row, reason",
    [
        ("alone", "expected 2 columns, got 1"),
        ("a, b,ham", "expected 2 columns, got 3: a delimiter without quotes?"),
        ("   ", "expected 2 columns, got 1"),
    ],
)
def test_a_wrong_number_of_columns(row, reason, tmp_path):
    assert read(write(tmp_path, f"text,label\n{row}\nhi,ham\n"))[1:] == (
        [(3, ("hi", "ham"))],
        [(2, reason)],
    )


def test_empty_cells_at_the_end_do_no_harm(tmp_path):
    assert read(write(tmp_path, "text,label\nhi,ham,, \n"))[1:] == ([(2, ("hi", "ham"))], [])


def test_columns_without_a_name_must_be_empty(tmp_path):
    path = write(
        tmp_path, "label,,text,,\nham,,hi,,\nham,,hi\nham,x,hi,,\nham,,hi,x,\nham,,hi,,,x\n"
    )
    columns, good, bad = read(path)
    assert columns == ["label", "text"]
    assert good == [(2, ("ham", "hi")), (3, ("ham", "hi"))]
    unnamed = "text in a column without a name: a delimiter without quotes?"
    too_many = "expected 5 columns, got 6: a delimiter without quotes?"
    assert bad == [(4, unnamed), (5, unnamed), (6, too_many)]


def test_names_of_columns_lose_their_spaces(tmp_path):
    assert read(write(tmp_path, ' text ,"label "\nhi,ham\n'))[0] == COLUMNS


@pytest.mark.parametrize("name", ["messages.csv", "messages.tsv", "messages.jsonl"])
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n"])
def test_an_empty_file(content, name, tmp_path):
    with pytest.raises(DataError, match=f"{name}: no rows; expected"):
        read_table(write(tmp_path, content, name))


def test_a_header_alone_has_no_rows(tmp_path):
    assert read(write(tmp_path, "text,label\n")) == (COLUMNS, [], [])


@pytest.mark.parametrize(
    "content, message",
    [
        (b"text,label,text\nhi,ham,x\n", "line 1: two columns are called 'text'"),
        (b'text,"label\nhi,ham\n', "line 1: a quotation mark that is"),
    ],
)
def test_a_header_that_cannot_be_used(content, message, tmp_path):
    with pytest.raises(DataError, match=f"messages.csv, {message}"):
        read_table(write(tmp_path, content))


@pytest.mark.parametrize("name", ["messages.txt", "messages", "messages.gz", "messages.xlsx"])
def test_a_file_of_another_kind(name, tmp_path):
    with pytest.raises(DataError, match=f"{name}: expected a file named .csv, .tsv"):
        read_table(write(tmp_path, "Call me, please.\nI wait; do come.\n", name))


@pytest.mark.parametrize("name", ["messages.txt", "messages", "messages.gz", "messages.data"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_a_name_that_tells_nothing_leaves_it_to_the_content(name, delimiter, tmp_path):
    path = write(tmp_path, TWO.replace(",", delimiter), name)
    assert read(path) == (COLUMNS, READ_TWO, [])


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\0\0a,b\nc,d\n", b"a,b\0\nc,d\n", b"one\ntwo\n", b"text,label\n"]
)
def test_content_that_shows_no_table(content, tmp_path):
    with pytest.raises(DataError, match="messages: expected a file named .csv"):
        read_table(write(tmp_path, content, "messages"))


def test_no_file(tmp_path):
    path = tmp_path / "nowhere.csv"
    with pytest.raises(DataError, match=f"{path}: no such file"):
        read_table(path)
    with pytest.raises(DataError, match=f"{tmp_path}: no table in this folder"):
        read_table(tmp_path)


def jsonl(tmp_path, *lines):
    return write(tmp_path, "\n".join(lines) + "\n", "m.jsonl")


def test_jsonl_values_are_those_of_a_csv(tmp_path):
    values = ["hi", 1, 1.0, -3, 0.5, True, False, None, " x "]
    path = jsonl(tmp_path, *(json.dumps({"text": "t", "label": value}) for value in values))
    _, good, bad = read(path)
    expected = ["hi", "1", "1", "-3", "0.5", "true", "false", "", " x "]
    assert [cells for _, cells in good] == [("t", value) for value in expected]
    assert bad == []


def test_jsonl_nan_is_no_value(tmp_path):
    """Python's json writes missing numbers as NaN, which is not a class."""
    assert read(jsonl(tmp_path, '{"text": "t", "label": NaN}'))[1] == [(1, ("t", ""))]


def test_jsonl_columns_in_any_order_and_nested_ones_beside_them(tmp_path):
    path = jsonl(
        tmp_path,
        '\ufeff{"text": "a", "label": 1, "meta": {"id": [1, 2]}}',
        "",
        '{"meta": null, "label": 2, "text": "b", "more": 1}',
        '{"text": "c"}',
    )
    rows = list(read_table(path).rows)
    assert [row.line for row in rows] == [1, 3, 4]
    assert [row.cells.get("text") for row in rows] == ["a", "b", "c"]
    assert [row.cells.get("label") for row in rows] == ["1", "2", None]


def test_jsonl_columns_are_not_only_those_of_the_first_row(tmp_path):
    path = jsonl(tmp_path, '{"text": "a"}', '{"text": "b", "label": 1}')
    assert read_table(path).columns == COLUMNS


@pytest.mark.parametrize(
    "line, reason",
    [
        ('{"text": "a", "label": 1', "no JSON"),
        ("{'text': 'a'}", "no JSON"),
        ("[1, 2]", "no JSON object"),
        ("null", "no JSON object"),
        ('"text"', "no JSON object"),
        ("[" * 100_000, "no JSON"),
        ('{"text": "a", "label": 1}{"text": "b", "label": 1}', "no JSON"),
    ],
)
def test_jsonl_lines_that_are_no_row(line, reason, tmp_path):
    good_line = '{"text": "a", "label": 1}'
    _, good, bad = read(jsonl(tmp_path, good_line, line, good_line))
    assert [number for number, _ in good] == [1, 3]
    assert [number for number, _ in bad] == [2]
    assert bad[0][1].startswith(reason)


def test_jsonl_with_invalid_bytes(tmp_path):
    path = write(tmp_path, b'{"text": "a"}\n{"text": "caf\xe9"}\n', "m.ndjson")
    assert [line for line, _ in read(path)[2]] == [2]


def test_jsonl_with_half_a_character(tmp_path):
    """Such a text cannot be encoded, and TensorFlow would fail later."""
    path = jsonl(tmp_path, '{"text": "a"}', r'{"text": "half \ud83d"}', r'{"text": "\ud83d\ude00"}')
    _, good, bad = read(path)
    assert good == [(1, ("a",)), (3, ("\N{GRINNING FACE}",))]
    assert [line for line, _ in bad] == [2]


def parquet(tmp_path, columns, names=COLUMNS):
    pq.write_table(
        pa.Table.from_arrays([pa.array(c) for c in columns], names), tmp_path / "m.parquet"
    )
    return tmp_path / "m.parquet"


@pytest.mark.parametrize(
    "labels, expected",
    [
        (pa.array([0, 1, None]), ["0", "1", ""]),
        (pa.array([-1, 1, 1], pa.int8()), ["-1", "1", "1"]),
        (pa.array([0.0, 1.0, None]), ["0", "1", ""]),
        (pa.array([0.0, 1.0, float("nan")]), ["0", "1", ""]),
        (pa.array([True, False, None]), ["true", "false", ""]),
        (pa.array(["ham", "spam", None]).dictionary_encode(), ["ham", "spam", ""]),
        (pa.array(["ham", "spam", ""], pa.large_string()), ["ham", "spam", ""]),
        (pa.array([b"ham", b"spam", None]), ["ham", "spam", ""]),  # old Spark writes bytes
    ],
    ids=["int", "int8", "float", "nan", "bool", "dictionary", "large", "binary"],
)
def test_parquet_labels(labels, expected, tmp_path):
    _, good, bad = read(parquet(tmp_path, [["a", "b", None], labels]))
    assert good == [
        (1, ("a", expected[0])),
        (2, ("b", expected[1])),
        (3, ("", expected[2])),
    ]
    assert bad == []


def test_parquet_of_pandas_with_a_category_and_an_index(tmp_path):
    frame = pd.DataFrame({"text": ["a", "b"], "label": pd.Categorical(["x", "y"])}, index=[7, 9])
    frame.to_parquet(tmp_path / "m.parquet")
    rows = read_table(tmp_path / "m.parquet").rows
    assert [(row.cells["text"], row.cells["label"]) for row in rows] == [("a", "x"), ("b", "y")]


def test_parquet_of_several_row_groups_counts_on(tmp_path):
    table = pa.table({"text": [f"t{i}" for i in range(10)], "label": list(range(10))})
    pq.write_table(table, tmp_path / "m.parquet", row_group_size=3)
    assert [line for line, _ in read(tmp_path / "m.parquet")[1]] == list(range(1, 11))


@pytest.mark.parametrize("content", [b"", b"PAR1 is not enough", b"text,label\nhi,ham\n"])
def test_no_parquet_file(content, tmp_path):
    with pytest.raises(DataError, match="m.parquet: no Parquet file"):
        read_table(write(tmp_path, content, "m.parquet"))


def test_a_parquet_file_damaged_within(tmp_path):
    path = parquet(tmp_path, [[f"text {i * 7919}" for i in range(5000)], list(range(5000))])
    content = bytearray(path.read_bytes())
    content[100:2000] = b"\xff" * 1900
    path.write_bytes(content)
    with pytest.raises(DataError, match="m.parquet: "):
        read(path)


def test_a_parquet_file_with_two_columns_of_a_name(tmp_path):
    path = parquet(tmp_path, [["a"], ["b"], ["x"]], ["text", "text", "label"])
    with pytest.raises(DataError, match="m.parquet: two columns are called 'text'"):
        read(path)
