"""`vocab learn` writes a folder that a BERT tokenizer reads, here and in `tokenizers`."""

import json

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from kerasnlp_lab.bert.tokenizer_files import read_casing, read_vocabulary
from kerasnlp_lab.bert.vocabulary import learn_vocabulary
from kerasnlp_lab.errors import DataError
from tests.bert.hard_texts import EQUAL_TEXTS
from tests.cli.command import run
from tests.cli.json_keys import assert_documented
from tests.cli.test_mistakes import assert_mistake
from tests.text.corpus import news_texts


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocab") / "texts.txt"
    path.write_text("\n".join([*news_texts(), "東京 東京 น้ำ น้ำ"]), encoding="utf-8")
    return path


def test_a_file_of_lines(texts, tmp_path):
    result = run("vocab", "learn", "--texts", texts, "--size", 600, "--to", tmp_path, "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert_documented(document, "vocab learn")
    vocabulary = read_vocabulary(tmp_path, 600)
    assert len(vocabulary) == document["pieces"] == 600
    assert vocabulary[:5] == ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    assert {"the", "##s", "東", "น"} <= set(vocabulary)
    assert read_casing(tmp_path) == (True, False)
    again = run("vocab", "learn", "--texts", texts, "--to", tmp_path)
    assert_mistake(again, f"{tmp_path} already exists", "name another --to")


def test_the_training_rows_of_a_table(tmp_path):
    to = tmp_path / "vocab"
    result = run("vocab", "learn", "--dataset", "news_sample", "--to", to, "--cased")
    assert result.code == 0, result.err
    count = len(read_vocabulary(to, 20000))
    assert f"{count} pieces in {to}, fewer than 20000: the texts have no more" in result.out
    assert read_casing(to) == (False, False)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--texts", "x", "--dataset", "news_sample"], "--dataset does not go with --texts"),
        (["--texts", "x", "--split-seed", "3"], "--split-seed does not go with --texts"),
        ([], "say --texts FILE, --data FILE, or --dataset NAME"),
        (["--texts", "."], "is a folder; expected a file with a text on each line"),
        (["--texts", "no-such-file"], "no such file"),
        (["--texts", "x", "--size", "3"], "--size must be 10 or more, got 3"),
    ],
)
def test_mistakes(arguments, expected, tmp_path):
    assert_mistake(run("vocab", "learn", "--to", tmp_path / "v", *arguments), expected)


def test_any_size_is_safe():
    """The library would reserve memory for every piece that is asked for."""
    assert len(learn_vocabulary(["ab ab"], 10**12)) == 9
    assert learn_vocabulary(["abcdefgh abcdefgh"], 10**12)[-1] == "abcdefgh"


def test_texts_without_words():
    with pytest.raises(DataError, match="the texts have no words"):
        learn_vocabulary(["", " "], 100)
    with pytest.raises(DataError, match="no character occurs 2 times"):
        learn_vocabulary(["", " ", "a"], 100)


@pytest.mark.parametrize("lower", [True, False], ids=["uncased", "cased"])
def test_every_piece_of_the_texts_is_known_to_the_library(lower):
    """Words are split as Hugging Face's BERT tokenizers split them, so nothing is unknown."""
    pieces = learn_vocabulary(EQUAL_TEXTS, 2000, do_lower_case=lower, min_count=1)
    tokenizer = Tokenizer(
        models.WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    unknown = [text for text in EQUAL_TEXTS if "[UNK]" in tokenizer.encode(text).tokens]
    assert all(len(max(text.split(), key=len)) > 100 for text in unknown)
