"""`read_table` finds the encoding of a delimited file by its bytes."""

import codecs
import gzip

import pytest

from kerasnlp_lab.data import load_table
from kerasnlp_lab.data.tables import TableFormat, read_table
from kerasnlp_lab.errors import DataError
from tests.data.table_files import read, write

GERMAN = ["Schöne Grüße aus München", "Wir müssen über die Öffnungszeiten reden"]
TEXTS = {
    "cp1254": ["değil çok güzel ışık", "İstanbul şimdi iyi"],
    "cp1252": ["Das kostet 500 € – “jetzt” gratis", *GERMAN],
    "cp1250": ["Zażółć gęślą jaźń, proszę państwa", "Wygraj nagrodę już dziś, zadzwoń"],
    "iso8859_2": ["Zażółć gęślą jaźń, proszę państwa", "Wygraj nagrodę już dziś, zadzwoń"],
    "cp1251": ["Привет, как дела, встретимся завтра", "Выиграй приз сегодня, позвони нам"],
    "koi8_r": ["Привет, как дела, встретимся завтра", "Выиграй приз сегодня, позвони нам"],
    "cp866": ["Привет, как дела, встретимся завтра", "Выиграй приз сегодня, позвони нам"],
    "cp1253": ["Καλημέρα, τι κάνεις σήμερα", "Κέρδισε ένα δώρο τώρα"],
    "cp1255": ["שלום, מה שלומך היום", "זכה בפרס עכשיו"],
    "cp1256": ["مرحبا كيف حالك اليوم", "اربح جائزة الآن"],
    "gb18030": ["你好，今天晚上吃什么", "恭喜您中奖了，请立即致电"],
    "cp932": ["こんにちは、今日は元気ですか", "賞品が当たりました、今すぐ電話"],
    "cp949": ["안녕하세요 오늘 만나요", "경품에 당첨되셨습니다"],
    "mac_roman": ["café crème déjà vu à la maison", "gagnez un prix à l’instant été"],
}
LATIN_1 = [
    "à la carte, voilà, déjà là",
    "être où ça garçon naïf août",
    "perché è così città, più università però",
    "não é possível, amanhã às três, ação",
    "är på väg och öl å",
    "¿Qué pasó, señor? 20 m² a 5º",
    "café",
    "mañana voy a la reunión de España",
    "Win £500 now",
    "à bientôt j'espère",
    *GERMAN,
]


def table(texts, times=10):
    rows = [f"{text};{label}\n" for text in texts for label in ("ham", "spam")]
    return "text;label\n" + "".join(rows * times)


def texts_of(path):
    return list(dict.fromkeys(cells[0] for _, cells in read(path)[1]))


@pytest.mark.parametrize("encoding", TEXTS)
def test_the_encoding_is_that_which_makes_words(encoding, tmp_path):
    path = write(tmp_path, table(TEXTS[encoding]).encode(encoding))
    assert f"encoding {encoding}, as its bytes suggest (--enc" in read_table(path).note
    assert texts_of(path) == TEXTS[encoding]


@pytest.mark.parametrize("times", [1, 100])
@pytest.mark.parametrize("text", LATIN_1)
def test_latin_1_is_read_as_cp1252_which_has_all_of_its_letters(text, times, tmp_path):
    path = write(tmp_path, table([text], times).encode("latin-1"))
    assert texts_of(path) == [text]


@pytest.mark.parametrize(
    "encoding, mark, found",
    [
        ("utf-8", codecs.BOM_UTF8, ""),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
        ("utf-32-le", codecs.BOM_UTF32_LE, "utf-32"),
        ("utf-32-be", codecs.BOM_UTF32_BE, "utf-32"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("text", ["plain", "naïve café", "你好今天晚上吃什么", "\N{GRINNING FACE}"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_unicode_with_and_without_a_mark(compress, text, encoding, mark, found, tmp_path):
    path = write(tmp_path, compress(mark + table([text]).encode(encoding)))
    columns, good, bad = read(path)
    assert (columns, good[0], bad) == (["text", "label"], (2, (text, "ham")), [])
    assert read_table(path).note.partition("encoding ")[2].split(" ")[0] == found


def test_nuls_in_a_text_are_no_utf_16(tmp_path):
    for text in ("a\0b", "a\0\0\0\0\0b", "\0\0"):
        assert read(write(tmp_path, f"text,label\n{text},ham\n"))[1] == [(2, (text, "ham"))]


def test_a_few_broken_lines_of_utf_8_are_rejected_by_their_lines(tmp_path):
    path = write(tmp_path, table(GERMAN).encode() + b"caf\xe9;ham\n")
    assert read(path)[2] == [(42, "not valid UTF-8 at byte 4")]
    with pytest.raises(DataError, match="line 42: not valid UTF-8.*; if .* say --encoding"):
        load_table(path)


def test_one_broken_line_is_a_slip_and_the_message_names_the_option(tmp_path):
    path = write(tmp_path, table(["plain"]).encode() + b"caf\xe9;ham\n")
    with pytest.raises(DataError, match="line 22: not valid UTF-8.*; if .* say --encoding"):
        load_table(path)
    assert texts_of(path) == ["plain"]
    assert load_table(path, format=TableFormat(encoding="latin-1")).rejected == ()


def test_a_header_is_no_slip(tmp_path):
    path = write(tmp_path, "Überschrift,Klasse\nhi,ham\n".encode("cp1252"))
    assert read_table(path).columns == ["Überschrift", "Klasse"]


@pytest.mark.parametrize("encoding", [None, "cp1252", "windows-1252"])
def test_a_broken_byte_of_another_encoding_names_its_line(encoding, tmp_path):
    path = write(tmp_path, table(GERMAN).encode("cp1252") + b"bad \x81;ham\n")
    _, good, bad = read(path, encoding=encoding)
    assert (len(good), bad) == (40, [(42, "not valid cp1252 at character 5")])


@pytest.mark.parametrize("end", [b"\0\xd8a\0;\0x\0\n\0", b"a"], ids=["half a character", "cut"])
def test_broken_utf_16_names_its_line(end, tmp_path):
    path = write(tmp_path, table(["a"]).encode("utf-16") + end)
    assert read(path)[2] == [(22, "not valid utf-16 at character 1")]


def test_evidence_at_the_end_of_a_long_file_counts(tmp_path):
    plain = "".join(f"text {i};ham\n" for i in range(20_000))
    path = write(tmp_path, ("text;label\n" + plain + "mañana;spam\n" * 2).encode("latin-1"))
    assert texts_of(path)[-1] == "mañana"


@pytest.mark.parametrize("name", ["utf-8", "utf8", "UTF-8", "utf-8-sig"])
def test_names_of_utf_8(name, tmp_path):
    path = write(tmp_path, b"\xef\xbb\xbf" + table(["é"]).encode() + b"\xe9;ham\n")
    _, good, bad = read(path, encoding=name)
    assert good[0] == (2, ("é", "ham"))
    assert [line for line, _ in bad] == [22]


@pytest.mark.parametrize(
    "content, encoding, message",
    [
        (table(["é"]).encode(), "cp1252", "is in utf-8, not in cp1252; leave out --encoding"),
        (table(["é"]).encode("utf-16"), "utf-8", "is in utf-16, not in utf-8"),
        (table(["é"]).encode("utf-16-le"), "utf-16-be", "is in utf-16-le, not in utf-16-be"),
        (table(["é"]).encode("latin-1"), "utf-16", "is not in utf-16; leave out --encoding"),
    ],
)
def test_a_wrong_encoding_is_refused(content, encoding, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(write(tmp_path, content), encoding=encoding)


def test_json_lines_in_other_encodings(tmp_path):
    line = '{"text": "é", "label": "ham"}\n'
    assert texts_of(write(tmp_path, line.encode("utf-16"), "m.jsonl")) == ["é"]
    path = write(tmp_path, line.encode("cp1252"), "m.jsonl")
    assert read(path, encoding="cp1252")[1] == [(1, ("é", "ham"))]
