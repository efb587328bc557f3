"""Offsets within a graph, against the reference in `text/offsets.py`."""

import pytest
import tensorflow as tf

from kerasnlp_lab.bert import HubVectorizer
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.text import WordVectorizer
from kerasnlp_lab.text.hashed_words import HashedWords
from kerasnlp_lab.text.offsets import find_tokens, find_words
from kerasnlp_lab.text.raw_texts import replace_invalid_utf8
from tests.bert.hard_texts import EQUAL_TEXTS

TEXTS = [
    *EQUAL_TEXTS,
    "Zo\u00eb Zoe\u0308 cats in \u6771\u4eac, \ud55c\uad6d\uc5b4! \U0001f600the cats",
    "\u05d9\u05e8\u05d5\u05e9\u05dc\u05d9\u05dd the (\u0627\u0644\u0642\u0627\u0647\u0631\u0629)",
    "the\x00cats\u200d sat\u00a0on",
]
INVALID = [b"the \xff cats", b"\xe6\x9d cats\xf0\x9f\x98", b"\xed\xa0\x80the"]


@pytest.fixture(scope="module")
def pieces(tiny_modules):
    vectorizer = HubVectorizer(str(tiny_modules / "preprocess"), 16)
    vectorizer.keep_offsets()
    return vectorizer


def places_of(vectorizer, texts):
    """Returns the part of each text that is a token, and whether it continues a word."""
    found = vectorizer.tokens_in_text(tf.constant([text.encode() for text in texts]))
    flat = zip(found.starts.numpy(), found.ends.numpy(), found.continues.numpy(), strict=True)
    places = []
    for text, length in zip(texts, found.lengths.numpy(), strict=True):
        encoded = text.encode()
        places.append(
            [(encoded[a:b].decode(), bool(c)) for a, b, c in (next(flat) for _ in range(length))]
        )
    return places


def test_word_pieces_are_where_the_reference_finds_them(pieces):
    for text, found in zip(TEXTS, places_of(pieces, TEXTS), strict=True):
        assert all(part for part, _ in found), text
        tokens = find_tokens(pieces, text, find_words(pieces, text))
        own = [one for one in tokens if one.word is not None]
        shown = [pieces.vocabulary()[one] for one in pieces.tokenize([text])[0].numpy()]
        assert [one.text for one in own] == shown
        for (part, continues), token in zip(found, own, strict=False):
            assert continues == token.text.startswith("##")
            # The reference names the whole word where it cannot tell, as for an unknown one.
            assert part in text[token.start : token.end] or text[token.start : token.end] in part


def test_places_of_pieces(pieces):
    found = places_of(pieces, ["Th\u00e9 CATS, e\u0301 \ud55c\uad6d", "a\u200db", ""])
    assert found == [
        [("Th\u00e9", False), ("CAT", False), ("S", True), (",", False), ("e\u0301", False)]
        + [("\ud55c\uad6d", False)],
        [("a\u200db", False)],
        [],
    ]


def test_ids_equal_the_modules_on_safe_texts(pieces, tiny_modules):
    plain = HubVectorizer(str(tiny_modules / "preprocess"), 16)
    safe = [text for text in TEXTS if plain._fast.is_safe(tf.constant([text.encode()]))[0]]
    assert len(safe) > 20
    assert pieces.tokenize(safe).to_list() == plain.tokenize(safe).to_list()


@pytest.mark.parametrize("name", ["pieces", "words"])
def test_invalid_utf8_counts_as_its_replacement(pieces, name):
    vectorizer = pieces if name == "pieces" else HashedWords(16, 100)
    vectorizer.keep_offsets()
    valid = [text.decode("utf-8", "replace") for text in INVALID]
    assert [one.decode() for one in replace_invalid_utf8(tf.constant(INVALID)).numpy()] == valid
    for one, other in zip(
        vectorizer.tokens_in_text(tf.constant(INVALID)),
        vectorizer.tokens_in_text(tf.constant([text.encode() for text in valid])),
        strict=True,
    ):
        assert one.numpy().tolist() == other.numpy().tolist()


def test_hashed_words_have_their_places_and_features():
    vectorizer = HashedWords(max_length=16, buckets=1000)
    vectorizer.keep_offsets()
    text = "Zo\u00eb's caf\u00e9\x00in \u6771\u4eac, \ud55c\uad6d 2026 \U0001f600 iPhones."
    [found] = places_of(vectorizer, [text])
    words = ["Zo\u00eb", "'", "s", "caf\u00e9", "in", "\u6771", "\u4eac", ",", "\ud55c", "\uad6d"]
    assert found == [(one, False) for one in [*words, "2026", "\U0001f600", "iPhones", "."]]
    features = vectorizer(tf.constant(["Paris PARIS paris Parks Lyons", "1999 2026 12 x"]))
    rows = {name: one.numpy() for name, one in features.items()}
    assert {one.shape for one in rows.values()} == {(2, 8)}
    same = {
        name: [bool(one[0, 0] == one[0, place]) for place in range(5)] for name, one in rows.items()
    }
    assert same == {
        "words": [True, True, True, False, False],
        "prefixes": [True, False, False, True, False],
        "suffixes": [True, False, True, False, False],
        "shapes": [True, False, False, True, True],
    }
    assert rows["shapes"][1, 0] == rows["shapes"][1, 1] != rows["shapes"][1, 2]
    assert all((one[:, 5:] == 0).all() for one in rows.values())


def test_a_model_that_has_no_offsets_says_so():
    vectorizer = WordVectorizer(16, 50)
    vectorizer.adapt(["the cat sat"])
    with pytest.raises(OptionError, match="hash_embed_cnn or a BERT"):
        vectorizer.keep_offsets()
