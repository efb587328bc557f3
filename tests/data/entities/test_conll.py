"""CoNLL files: columns, schemes, blank lines, comments, joined tokens."""

import gzip
import random

import pytest

from kerasnlp_lab.data.entities.tokens import chunks_of, find_scheme
from kerasnlp_lab.errors import DataError
from tests.data.entities.annotations import read, write

OSLO = [(1, "Bo left New York .", [("Bo", "PER"), ("New York", "LOC")])]


@pytest.mark.parametrize(
    "content",
    [
        "Bo\tB-PER\nleft\tO\nNew\tB-LOC\nYork\tI-LOC\n.\tO\n",
        "Bo B-PER\nleft O\nNew B-LOC\nYork I-LOC\n. O",  # no last newline
        "Bo\tB-PER\r\nleft\tO\r\nNew\tB-LOC\r\nYork\tI-LOC\r\n.\tO\r\n\r\n",
        "Bo NNP x B-PER\nleft VBD x O\nNew NNP x B-LOC\nYork NNP x I-LOC\n. . x O\n",
        "Bo  B-PER\nleft   O\nNew \t B-LOC\nYork I-LOC  \n. O\n",
        "Bo\tB-PER\nleft\tO\nNew York\tB-LOC\n.\tO\n",  # a token with a space
        "Bo I-PER\nleft O\nNew I-LOC\nYork I-LOC\n. O\n",
        "Bo S-PER\nleft O\nNew B-LOC\nYork E-LOC\n. O\n",
        "Bo U-PER\nleft O\nNew B-LOC\nYork L-LOC\n. O\n",
        "Bo B_PER\nleft O\nNew B_LOC\nYork I_LOC\n. O\n",
        "Bo\tB-PER\t\nleft\tO\t\nNew\tB-LOC\t\nYork\tI-LOC\t\n.\tO\t\n",
        "Bo PER\nleft O\nNew LOC\nYork LOC\n. O\n",
        "\ufeffBo B-PER\nleft O\nNew B-LOC\nYork I-LOC\n. O\n",
        "Bo\tB-PER\nleft\tO\nNew\tB-LOC\nYork\tI-LOC\n.\tO\n".encode("utf-16"),
        gzip.compress(b"Bo B-PER\nleft O\nNew B-LOC\nYork I-LOC\n. O\n", mtime=0),
    ],
)
def test_the_same_text_in_all_forms(tmp_path, content):
    found = read(write(tmp_path, content))
    assert (found.good, found.bad) == (OSLO, [])


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("I-A I-A O I-B B-B", "IOB1"),
        ("B-A I-A O B-B B-B", "IOB2"),
        ("B-A I-A O B-B I-A", "IOB2"),  # one tag that breaks it
        ("B-A E-A O S-B", "BIOES"),
        ("B-A L-A O U-B", "BILOU"),
        ("B-A M-A E-A S-B", "BMES"),
        ("B-A I-A O B-B B-C B-C B-A S-C", "IOB2"),  # likewise
        ("A A O B-x", "IOB2"),
        ("A A O B", "IOB2"),
        ("A A O C", "IO"),
    ],
)
def test_schemes(tags, scheme):
    assert find_scheme([tags.split()]) == scheme


@pytest.mark.parametrize(
    ("scheme", "tags", "chunks", "broken"),
    [  # entities as conlleval.py of CoNLL-2000 gives them
        (
            "IOB2",
            "O I-A I-A I-B",
            [(1, 3, "A"), (3, 4, "B")],
            {1: "I-A after O", 3: "I-B after I-A"},
        ),
        ("IOB2", "I-A B-A", [(0, 1, "A"), (1, 2, "A")], {0: "I-A after the beginning"}),
        ("IOB1", "I-A B-A I-A O I-B", [(0, 1, "A"), (1, 3, "A"), (4, 5, "B")], {}),
        ("IOB1", "O B-A", [(1, 2, "A")], {1: "B-A after O"}),
        ("BIOES", "B-A I-A E-A S-A O", [(0, 3, "A"), (3, 4, "A")], {}),
        ("BIOES", "B-A O", [(0, 1, "A")], {1: "O after B-A"}),
        ("BIOES", "O E-A E-A", [(1, 2, "A"), (2, 3, "A")], {1: "E-A after O", 2: "E-A after E-A"}),
        ("BIOES", "O B-A", [(1, 2, "A")], {1: "the end after B-A"}),
        ("IO", "A A C O", [(0, 2, "A"), (2, 3, "C")], {}),
    ],
)
def test_entities_of_tags(scheme, tags, chunks, broken):
    assert chunks_of(tags.split(), scheme) == (chunks, broken)


def test_broken_tags_are_noted_with_their_line(tmp_path):
    found = read(write(tmp_path, "He O\nsaw O\nBo I-PER\n\nAnn B-PER\nLee I-PER\n\nUS B-LOC\n"))
    assert found.good[0] == (1, "He saw Bo", [("Bo", "PER")])
    assert "IOB2" in found.notes
    assert "texts.conll, line 3: I-PER after O" in found.notes


def test_blank_lines_may_have_white_space_and_documents_part_texts(tmp_path):
    content = "-DOCSTART- O\n\nBo\tB-PER\n\t\n  \nran\tO\n-DOCSTART-\tO\nAnn\tB-PER\n\n\n"
    found = read(write(tmp_path, content))
    assert [(line, text) for line, text, _ in found.good] == [(3, "Bo"), (6, "ran"), (8, "Ann")]


def test_a_hash_is_a_token_where_it_has_the_columns_of_one(tmp_path):
    content = "# text = # win\n#\tO\n#win\tB-X\nran\tO\n\n# id 7\nBo\tB-PER\n#\n\n#\tB-PER\n"
    found = read(write(tmp_path, content))
    texts = [(2, "# #win ran", [("#win", "X")]), (7, "Bo", [("Bo", "PER")])]
    assert found.good == [*texts, (10, "#", [("#", "PER")])]
    assert "comments, which are skipped: 3 lines" in found.notes


def test_numbered_tokens_are_in_the_second_column(tmp_path):
    found = read(write(tmp_path, "# s\n1\tBo\tB-PER\n2\tran\tO\n\n1\t2\tO\n"))
    assert [text for _, text, _ in found.good] == ["Bo ran", "2"]
    assert "tokens are in column 2 of 3" in found.notes


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Ann B-PER|B-ORG", "several tags (B-PER|B-ORG); nested entities are not supported"),
        ("Ann", "expected 2 columns, got 1"),
        ("Ann Lee B-PER", "expected 2 columns, got 3"),
        ("Ann NNP", "'NNP' is no tag of the scheme IOB2"),
        ("Ann B-WHO", "the model knows no entity 'WHO', but"),
        (b"\xff\xfe\xfa O", "not valid UTF-8 at byte 1"),
    ],
)
def test_a_bad_line_rejects_its_text(tmp_path, line, reason):
    line = line if isinstance(line, bytes) else line.encode()
    path = write(tmp_path, b"He O\n" + line + b"\nran O\n\nBo B-PER\n\xc3\xa9t\xc3\xa9 O\n")
    found = read(path)
    assert found.good == [(5, "Bo \xe9t\xe9", [("Bo", "PER")])]
    ((where, why),) = found.bad
    assert why.startswith(reason) and where in (1, 2)


def test_a_tag_without_a_token_is_noted_or_refused(tmp_path):
    found = read(write(tmp_path, "Bo\tB-PER\n\tO\nran\tO\n\n\tB-PER\n\n\tO\n"))
    assert found.good == [(1, "Bo ran", [("Bo", "PER")]), (7, "", [])]
    assert found.bad == [(5, "the tag B-PER has no token")]
    assert "tags without a token, left out: 2" in found.notes


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("Bo\nran\n", "line 1: expected a token and its tag on each line"),
        ("Bo NN\nran VB\n", "got no tag O in the last of 2 columns"),
        ("", "no rows"),
        ("\n \n", "no rows"),
    ],
)
def test_other_files_are_refused(tmp_path, content, reason):
    with pytest.raises(DataError, match=reason):
        read(write(tmp_path, content))


def test_the_binary_form_of_spacy_is_named(tmp_path):
    with pytest.raises(DataError, match="got spaCy's DocBin; write its docs as JSON lines"):
        read(write(tmp_path, b"x\x9c\x00", "train.spacy"))


@pytest.mark.parametrize(
    ("content", "joiner", "text"),
    [
        ("小 B-PER\n明 I-PER\n在 O\n北 B-LOC\n京 I-LOC\n。 O\n", "auto", "小明在北京。"),
        ("在 O\niPhone B-X\n15 O\n上 O\n2 O\n0 O\n年 O\n月 O\n日 O\n中 O\n文 O\n", "auto",
         "在iPhone 15上20年月日中文"),
        ("ไป O\nกรุงเทพ B-LOC\n", "auto", "ไปกรุงเทพ"),
        ("She O\nmet O\n王 B-PER\n明 I-PER\nin O\nOslo B-LOC\n", "auto", "She met 王明 in Oslo"),
        ("서울 B-LOC\n에서 O\n", "auto", "서울 에서"),
        ("小 B-PER\n明 O\n", "space", "小 明"),
        ("in O\nOslo B-LOC\n", "none", "inOslo"),
    ],
)  # fmt: skip
def test_tokens_are_joined_by_their_script(tmp_path, content, joiner, text):
    ((_, found, entities),) = read(write(tmp_path, content), joiner=joiner).good
    assert found == text
    assert all(name in text for name, _ in entities)


def test_entities_of_any_tags_are_those_of_seqeval():
    """seqeval's default mode is conlleval's, broken tags included."""
    from seqeval.metrics.sequence_labeling import get_entities

    draw = random.Random(0)
    for _ in range(300):
        tags = draw.choices(["O", "B-A", "I-A", "E-A", "S-A", "B-C", "I-C", "E-C"], k=12)
        found, _ = chunks_of(tags, "BIOES")
        expected = [(first, last + 1, label) for label, first, last in get_entities(tags)]
        assert [tuple(one) for one in found] == expected, tags
