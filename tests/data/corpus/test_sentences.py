"""Texts cut into sentences lose nothing, in any language and of any length."""

import time

import pytest

from kerasnlp_lab.data.corpus.sentences import WINDOW, split_sentences

ODD = {
    "abbreviations": "Dr. Smith paid $3.50 on Jan. 5. He left.",
    "quotes": 'He said "I am here. You are not." and left. (Really. Yes.) "Why?',
    "white space": "\u3000 J.\u2028Smith.\x85A. B\u00a0c.\tD\r\nE. ",
    "surrogate": "Half \ud800 a letter. And more.",
    "no end": "word " * 5000,
    "no space": "a" * (2 * WINDOW + 1),
    "never closed": "“Hello there. " * 3000,
    "controls": "a\0b. C\x1f. \u200b D",
    "stops alone": "... ?! . 。 !",
    "emoji": "Yes 😀. No 👩‍👩‍👧! Ok",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.parametrize("language", ["en", "de", "zh", "xx"])
def test_nothing_is_lost(text, language):
    sentences = split_sentences(text, language)
    assert "".join("".join(sentences).split()) == "".join(text.split())
    assert all(sentence and sentence == sentence.strip() for sentence in sentences)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Dr. Smith came. He left.", ["Dr. Smith came.", "He left."]),
        ("en", "A title\n\nIts text", ["A title", "Its text"]),
        ("en", "One line\nwent on. Two", ["One line\nwent on.", "Two"]),
        ("de", "Am 3. Mai kam er. Er ging.", ["Am 3. Mai kam er.", "Er ging."]),
        ("zh", "今天天气很好。我们去公园！", ["今天天气很好。", "我们去公园！"]),
    ],
)
def test_sentences(language, text, expected):
    assert split_sentences(text, language) == expected


def test_windows_do_not_cut_sentences():
    sentences = [f"Here is number {number} of them." for number in range(2000)]
    assert len(" ".join(sentences)) > 5 * WINDOW
    assert split_sentences(" ".join(sentences)) == sentences


def test_a_sentence_longer_than_a_window_is_cut_between_words():
    words = [f"word{number}" for number in range(3000)]
    sentences = split_sentences(" ".join(words))
    assert len(sentences) > 1 and " ".join(sentences).split() == words


def test_a_million_words_take_time_in_proportion():
    def seconds(words):
        start = time.process_time()
        split_sentences("Here is a text, and more. " * (words // 6))
        return time.process_time() - start

    few = min(seconds(30_000) for _ in range(2))
    assert seconds(300_000) < 40 * few  # their square would be 100
