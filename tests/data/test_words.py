"""Words are found in every script, and letters count where no spaces are written."""

import csv
import re

import pytest

from kerasnlp_lab.data.words import split_words, unspaced_share, word_count

WORDS = {
    "": "",
    "Hello, (big) world_1!": "Hello big world_1",
    "東京タワー、AI技術v2": "東 京 タ ワ ー AI 技 術 v2",
    "々〇 ｶﾞｷ 𠀀か\u3099": "々 〇 ｶ ﾞ ｷ 𠀀 か\u3099",
    "ＡＢＣ１２ ½ x²": "ＡＢＣ１２ ½ x²",
    "น้ำใจดี ๑๒": "น้ ำ ใ จ ดี ๑๒",
    "မြန်မာ": "မြ န် မာ",
    "हिन्दी में क्\u200dष": "हिन्दी में क्\u200dष",
    "می\u200cخواهم، ٣٤": "می\u200cخواهم ٣٤",
    "e\u0301lan שָׁלוֹם": "e\u0301lan שָׁלוֹם",
    "한국어 토큰": "한국어 토큰",
    "👩\u200d👩\u200d👧 a 👍🏽": "a",
}


@pytest.mark.parametrize("text", WORDS)
def test_words_keep_their_marks(text):
    assert split_words(text) == WORDS[text].split()


def test_english_words_are_those_between_blanks(ag_news_csv):
    with (ag_news_csv / "test.csv").open(encoding="utf-8") as file:
        texts = [" ".join(row[1:]) for row in csv.reader(file)][:500]
    assert [word_count(text) for text in texts] == [len(text.split()) for text in texts]
    assert [split_words(text) for text in texts] == [re.findall(r"\w+", text) for text in texts]
    assert unspaced_share(texts) == 0


@pytest.mark.parametrize(
    "text, count",
    [("one, two -- x,y", 4), ("今天，天气 AI!", 5), ("ตลาดหุ้น x,y", 7), ("Ünï-cödé 😀", 2)],
)
def test_unspaced_letters_count_each(text, count):
    assert word_count(text) == count


def test_the_share_of_unspaced_letters():
    assert unspaced_share(["今天 ab"]) == 0.5
    assert unspaced_share(["한국어", "हिन्दी", "123"]) == 0
    assert unspaced_share([]) == 0
