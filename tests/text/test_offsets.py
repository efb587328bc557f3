"""The reference for offsets: a text's words and tokens, for every kind of vectorizer."""

import unicodedata

import pytest

from kerasnlp_lab.bert import HubVectorizer
from kerasnlp_lab.hub import minilm_modules
from kerasnlp_lab.text import PieceVectorizer, WordVectorizer
from kerasnlp_lab.text.offsets import find_tokens, find_words
from tests.bert.hard_texts import EQUAL_TEXTS

TEXTS = [text for text in EQUAL_TEXTS if len(text) < 500]


@pytest.fixture(scope="module")
def vectorizers(tiny_modules):
    words = WordVectorizer(max_length=16, vocab_size=50)
    words.adapt(["the cat sat on a mat", "a dog ran", "oil stock team game goal don't"])
    made = {"words": words, "pieces": HubVectorizer(str(tiny_modules / "preprocess"), 16)}
    made["minilm"] = HubVectorizer(minilm_modules().preprocess, 16)
    for name, characters in (("learned", False), ("characters", True)):
        made[name] = PieceVectorizer(256, 1000, characters)
        made[name].adapt(TEXTS[::2])
    return made


@pytest.mark.parametrize("name", ["words", "pieces", "minilm", "learned", "characters"])
def test_words_cover_the_text_and_tokens_equal_the_vectorizers(vectorizers, name):
    vectorizer = vectorizers[name]
    for text in TEXTS:
        words = find_words(vectorizer, text)
        tokens = find_tokens(vectorizer, text, words)
        assert [word.text for word in words] == [text[word.start : word.end] for word in words]
        places = [place for word in words for place in (word.start, word.end)]
        assert places == sorted(places)
        between = set(text) - {one for word in words for one in word.text}
        assert all(one.isspace() or ord(one) < 32 for one in between), text
        [ids] = vectorizer.tokenize([text]).to_list()
        names = vectorizer.vocabulary()
        own = [token for token in tokens if token.word is not None]
        assert [token.text for token in own] == [names[one] for one in ids]
        assert sum(word.tokens for word in words) == len(ids)
        for token in own:
            word = words[token.word]
            assert word.start <= token.start <= token.end <= word.end
        assert len(tokens) == len(ids) + vectorizer.special_tokens


def described(vectorizer, text):
    """Returns each word with its number of tokens, and each token with its part of the text."""
    words = find_words(vectorizer, text)
    pieces = [
        (token.text, text[token.start : token.end])
        for token in find_tokens(vectorizer, text, words)
        if token.word is not None
    ]
    return [(word.text, word.tokens) for word in words], pieces


def test_word_pieces_are_joined_to_words(vectorizers):
    assert described(vectorizers["pieces"], "Thé CATS, ran'ing!") == (
        [("Thé", 1), ("CATS", 2), (",", 1), ("ran", 1), ("'", 1), ("ing", 1), ("!", 1)],
        [
            *(("the", "Thé"), ("cat", "CAT"), ("##s", "S"), (",", ",")),
            *(("ran", "ran"), ("'", "'"), ("[UNK]", "ing"), ("!", "!")),
        ],
    )


def test_words_without_punctuation(vectorizers):
    """The vectorizer drops punctuation and reads don't as dont, which is one word of the text."""
    assert described(vectorizers["words"], 'The "cat" -- don\'t, \tsit.') == (
        [
            *(("The", 1), ('"', 0), ("cat", 1), ('"', 0), ("-", 0), ("-", 0)),
            *(("don't,", 1), ("sit", 1), (".", 0)),
        ],
        [("the", "The"), ("cat", "cat"), ("dont", "don't,"), ("[UNK]", "sit")],
    )


def test_words_after_the_longest_text_have_no_tokens(vectorizers):
    words = find_words(vectorizers["pieces"], "cats " * 10)  # 20 pieces; 14 are read
    assert [word.tokens for word in words] == [2] * 7 + [0] * 3
    words = find_words(vectorizers["pieces"], "the " + "cats " * 10)
    assert [word.tokens for word in words] == [1] + [2] * 6 + [1] + [0] * 3


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("learned", "น้ำใจ", ["น", "้", "ำ", "ำ", "ใ", "จ"]),
        ("learned", "か\u3099きカ゛", ["か\u3099", "き", "カ", "゛"]),
        ("learned", "東京タワーへ", ["東", "京", "タ", "ワ", "ー", "へ"]),
        ("learned", "Ａb㎏", ["Ａ", "b", "㎏", "㎏"]),
        ("characters", "한국 \U0001f469\u200d\U0001f467", ["한", "국", "\U0001f469", "\U0001f467"]),
        ("characters", "हिन्दी", ["ह", "ि", "न", "्", "द", "ी"]),
        ("characters", "ﬁn\u0303", ["ﬁ", "ﬁ", "n\u0303"]),
    ],
)
def test_each_letter_of_any_script_has_its_place(vectorizers, name, text, expected):
    _, pieces = described(vectorizers[name], text)
    assert [part for _, part in pieces] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("東京タワーへ iPhoneの発売", "東 京 タ ワ ー へ iPhone の 発 売"),
        ("がぎ か\u3099き\u3099。", "が ぎ か\u3099 き\u3099 。"),  # accents are not read
        ("AIのdogs", "AI の dogs"),
        ("นมน ภาษาไทย", "น ม น ภาษาไทย"),  # the second is unknown as a whole
        ("हिन्दी 한국어", "हिन्दी 한국어"),  # pieces of words between spaces are joined
    ],
)
def test_a_token_of_a_script_without_spaces_is_a_word(vectorizers, text, expected):
    words, _ = described(vectorizers["minilm"], text)
    assert [word for word, _ in words] == expected.split()


@pytest.mark.parametrize("name", ["minilm", "learned", "characters"])
def test_a_long_text_without_spaces_has_its_words_too(vectorizers, name):
    text = "今日は" + "いい天気、" * 100
    words, pieces = described(vectorizers[name], text)
    assert [word for word, _ in words[:5]] == ["今", "日", "は", "い", "い"]
    assert [part for _, part in pieces[:5]] == ["今", "日", "は", "い", "い"]
    words, pieces = described(vectorizers["minilm"], "カタカナ" * 20)  # 14 are read
    assert [part for _, part in pieces] == list("カタカナカタカナカタカナカタ")


def test_thai_words_are_the_pieces_that_were_learned():
    vectorizer = PieceVectorizer(64, 200)
    vectorizer.adapt(["ธนาคาร น้ำมัน", "น้ำใจ ธนาคาร"] * 3)
    words, _ = described(vectorizer, "ธนาคารน้ำมันธนาคาร ธนาคาร")
    assert len(words) > 4
    assert "".join(word for word, _ in words) == "ธนาคารน้ำมันธนาคารธนาคาร"
    assert words[-1][0] == "ธนาคาร"
    assert not any(unicodedata.combining(word[0]) for word, _ in words)
