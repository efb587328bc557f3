"""PieceVectorizer: no script is damaged, any bytes are a text, and it can be saved."""

import pytest
import tensorflow as tf

from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text import PieceVectorizer
from kerasnlp_lab.text.piece_vectorizer import need_pieces
from tests.bert.hard_texts import HARD_TEXTS
from tests.text.corpus import ODD_TEXTS, news_texts

TEXTS = [*HARD_TEXTS, *ODD_TEXTS]


def adapted(texts, characters=False, max_length=256, vocab_size=3000):
    vectorizer = PieceVectorizer(max_length, vocab_size, characters)
    vectorizer.adapt(texts)
    return vectorizer


@pytest.fixture(scope="module", params=[False, True], ids=["pieces", "characters"])
def vectorizer(request):
    return adapted([*TEXTS, *news_texts()], request.param)


def names(vectorizer, text):
    [ids] = vectorizer.tokenize([text]).to_list()
    vocabulary = vectorizer.vocabulary()
    return [vocabulary[one] for one in ids]


# What NFD and the removal of accents, as in an uncased BERT, would damage.
SCRIPTS = [
    ("が", ["が"]),
    ("か\u3099", ["が"]),
    ("ｶﾞ", ["ガ"]),
    ("가각힣", ["가", "각", "힣"]),
    ("\u1112\u1161\u11ab", ["한"]),
    ("น้ำ", ["น้ํ", "า"]),
    ("हिन्दी", ["हि", "न्", "दी"]),
    ("مُحَمَّد", ["مُ", "حَ", "مَّ", "د"]),
    ("Ｆｕ\uff11！", ["f", "u", "1", "!"]),
    ("Élan É", ["é", "l", "a", "n", "é"]),
    ("İI", ["i̇", "i"]),
    ("ΣΟΣ ς", ["σ", "ο", "σ", "σ"]),
    ("\U0001f469\u200d\U0001f467\ufe0f", ["\U0001f469", "\U0001f467"]),
    ("\U0001f44d\U0001f3fd!", ["\U0001f44d", "\U0001f3fd", "!"]),
    ("a\x00b\x85c\u2028d", ["a", "b", "c", "d"]),
]


@pytest.mark.parametrize(("text", "expected"), SCRIPTS)
def test_letters_keep_their_marks(text, expected):
    vectorizer = adapted([text] * 3, characters=True)
    assert names(vectorizer, text) == expected


def test_words_and_letters_of_scripts_without_spaces():
    vectorizer = adapted(["the cats and the dogs sat", "東京のタワー", "น้ำใจ"] * 2)
    text = "Dogs東京,タワーใจ THE cat"  # the texts have no comma
    expected = ["dogs", "東", "京", "[UNK]", "タ", "ワ", "ー", "ใ", "##จ", "the"]
    assert names(vectorizer, text)[:10] == expected


def test_thai_is_split_into_pieces_without_spaces():
    """No letter hides its neighbours: not one without a piece, and not for being in a long run."""
    texts = ["ตลาดหุ้น", "หุ้นตลาด", "ตลาดหุ้นตลาด", "กาฬ", "าก"] * 3
    vectorizer = adapted(texts)
    assert names(vectorizer, "ตลาดหุ้น ตลาด") == ["ตลาดหุ้น", "ตลาด"]
    found = names(vectorizer, "หุ้นxตลาด")
    assert found[0] == "หุ้น" and found[-1] == "ตลาด"
    assert names(vectorizer, "ตลาดฮตลาด") == ["ตลาด", "[UNK]", "ตลาด"]
    long = names(vectorizer, "ตลาด" * 60)
    assert "[UNK]" not in long and "".join(long).replace("##", "") == "ตลาด" * 60


def test_an_unknown_letter_hides_no_other(vectorizer):
    known, unknown = "東京ภาษาไทย🙂", "龘ฬ🪿"
    mixed = "".join(f"{letter}{other}" for letter, other in zip(known, unknown * 9, strict=False))
    found = [name for name in names(vectorizer, mixed) if name != "[UNK]"]
    assert "".join(found).startswith("東京ภ")
    assert "🙂" in found


def test_ascii_texts_take_another_way_to_the_same_tokens(vectorizer):
    plain = [text for text in TEXTS + news_texts()[:50] if isinstance(text, str) and text.isascii()]
    alone = vectorizer.tokenize(plain).to_list()
    assert vectorizer.tokenize([*plain, "é"]).to_list()[:-1] == alone


def test_any_bytes_are_a_text(vectorizer):
    odd = [*TEXTS, b"\xff\xfe", b"caf\xe9", "x" * 10_000, "\x00", "\u0301", "ไ" * 5000]
    together = vectorizer.tokenize(odd).to_list()
    assert together == [vectorizer.tokenize([text]).to_list()[0] for text in odd]
    assert max(map(len, together)) <= 256
    graph = tf.function(vectorizer, input_signature=[tf.TensorSpec([None], tf.string)])
    assert graph(tf.constant(odd))["token_ids"].shape == (len(odd), 256)
    assert vectorizer([""])["token_ids"].numpy().tolist() == [[0] * 8]


def test_a_very_long_word_is_unknown():
    vectorizer = adapted(["xxx yy"] * 2, max_length=500)
    assert set(names(vectorizer, "x" * 400)) == {"xxx", "##x"}
    assert names(vectorizer, "x" * 401 + " yy") == ["[UNK]", "yy"]


def test_it_is_saved(vectorizer, tmp_path):
    vectorizer.save_files(tmp_path)
    copy = PieceVectorizer(256, 3000, vectorizer.characters)
    copy.load_files(tmp_path)
    other = PieceVectorizer.from_config(vectorizer.get_config())
    expected = vectorizer.tokenize(TEXTS).to_list()
    assert copy.tokenize(TEXTS).to_list() == other.tokenize(TEXTS).to_list() == expected
    assert copy.vocabulary() == other.vocabulary() == vectorizer.vocabulary()
    assert copy.fingerprint() == vectorizer.fingerprint()


@pytest.mark.parametrize("texts", [[], ["", " \x00\u3000"]])
def test_nothing_to_learn(texts):
    with pytest.raises(DataError, match="no characters"):
        adapted(texts)
    with pytest.raises(DataError, match="call adapt"):
        PieceVectorizer(8, 100)(["a"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(
            (text, True)
            for text in (
                "今天股市大涨1",
                "你好",
                "今日は株式市場が大きく上がりました。",
                "スーパーコンピューターのニュース",
                "ตลาดหุ้นวันนี้พุ่งขึ้นอย่างมาก",
                "ຕະຫຼາດຫຸ້ນມື້ນີ້ເພີ່ມຂຶ້ນ",
                "ភាសាខ្មែរជាភាសាផ្លូវការ",
                "မြန်မာဘာသာစကားသည်",
                "今天股市大涨因为银行 足球比赛结果公布以后",
                "iPhone 15 发布会直播现在开始",
            )
        ),
        *(
            (text, False)
            for text in (
                "",
                "😀",
                "Donaudampfschifffahrt",
                "오늘 주식 시장이",
                "आज शेयर बाजार",
                "今天 股市 大涨",
                "سوق الأسهم",
                "The word 今天 within an English text",
                "ตลาด หุ้น วัน นี้ พุ่ง ขึ้น",
            )
        ),
    ],
)
def test_which_texts_need_pieces(text, expected):
    assert need_pieces([text] * 3) is expected
    assert need_pieces([text.encode()]) is expected


def test_texts_of_the_whole_table_are_looked_at():
    assert need_pieces(["plain words"] * 4000 + ["今天股市大涨因为银行"] * 4000)
    assert not need_pieces(["plain words"] * 4000 + ["今天股市大涨"] * 10)
