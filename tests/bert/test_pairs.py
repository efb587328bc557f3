"""HubVectorizer gives the ids that a module's bert_pack_inputs gives for pairs of texts."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from kerasnlp_lab.bert import HubVectorizer
from kerasnlp_lab.data.pairs import join_pair
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.hub import minilm_modules
from kerasnlp_lab.text.pipeline import tokenize
from kerasnlp_lab.text.raw_texts import replace_invalid_utf8
from tests.bert.hard_texts import HARD_TEXTS
from tests.tiny_bert import TINY_VOCABULARY

CLS, SEP, CAT, DOG = map(TINY_VOCABULARY.index, ("[CLS]", "[SEP]", "cat", "dog"))
# Texts of bytes that are not UTF-8 are joined as bytes.
SIDES = [one if isinstance(one, bytes) else one.replace("\x1f", " ").encode() for one in HARD_TEXTS]
LONG, SHORT, NOTHING = b"word " * 600, b"a short text", b"\x07\x00"
PAIRS = [
    *((one, SIDES[(7 * n + 3) % len(SIDES)]) for n, one in enumerate(SIDES)),
    *((one, two) for one in (LONG, SHORT, NOTHING, b"") for two in (LONG, SHORT, NOTHING, b"")),
    (b"[SEP]", b"[SEP] [SEP]"),
    (b"a [SEP] b", b"[CLS] c"),
    *((b"w " * n, b"v " * m) for n in range(1, 8) for m in range(1, 8)),
]
JOINED = [b"\x1f".join(pair) for pair in PAIRS]


def packed_by_the_module(module, pairs, max_length):
    """What a program makes that follows TF Hub's guide for two segments."""
    sides = [replace_invalid_utf8(tf.constant(list(column))) for column in zip(*pairs, strict=True)]
    return module.bert_pack_inputs(
        [module.tokenize(side) for side in sides], seq_length=tf.constant(max_length)
    )


def assert_packed_alike(found, expected):
    assert set(found) == set(expected)
    width = found["input_mask"].shape[1]
    for name, all_of_it in expected.items():
        np.testing.assert_array_equal(found[name], all_of_it[:, :width])
        assert not all_of_it[:, width:].numpy().any()


@pytest.fixture(scope="module")
def minilm() -> HubVectorizer:
    return HubVectorizer(minilm_modules().preprocess, 128)


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "slow"])
@pytest.mark.parametrize("max_length", [5, 6, 16, 128, 512])
def test_hard_pairs(minilm, monkeypatch, max_length, fast):
    vectorizer = minilm
    assert vectorizer._fast is not None
    if not fast:
        monkeypatch.setattr(vectorizer, "_fast", None)
    monkeypatch.setattr(vectorizer, "max_length", max_length)
    vectorizer.read_pairs()
    expected = packed_by_the_module(vectorizer._preprocess.resolved_object, PAIRS, max_length)
    assert_packed_alike(vectorizer(tf.constant(JOINED)), expected)
    # As in training: from the ids that a file holds, some rows at a time.
    tokens = tokenize(vectorizer, JOINED)
    rows = np.arange(len(JOINED))[::-3]
    packed = vectorizer.pack_flat(*tokens.read_flat(rows))
    assert_packed_alike(packed, {name: tf.gather(all_, rows) for name, all_ in expected.items()})


@pytest.fixture(scope="module")
def tiny(tiny_modules):
    vectorizer = HubVectorizer(str(tiny_modules / "preprocess"), 9)
    vectorizer.read_pairs()
    return vectorizer


@pytest.mark.parametrize(
    ("first", "second", "ids", "types"),
    [
        ("cat", "dog dog", [CLS, CAT, SEP, DOG, DOG, SEP, 0, 0], [0, 0, 0, 1, 1, 1, 0, 0]),
        ("cat " * 9, "dog", [CLS, *[CAT] * 5, SEP, DOG, SEP], [0] * 7 + [1, 1]),
        ("cat", "dog " * 9, [CLS, CAT, SEP, *[DOG] * 5, SEP], [0, 0, 0, *[1] * 6]),
        ("cat " * 9, "dog " * 9, [CLS, *[CAT] * 3, SEP, *[DOG] * 3, SEP], [0] * 5 + [1] * 4),
        ("", "dog", [CLS, SEP, DOG, SEP, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0]),
        ("cat", "\x07", [CLS, CAT, SEP, SEP, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0]),
    ],
    ids=["short", "long first", "long second", "both long", "no first", "no second"],
)
def test_the_longer_text_is_cut_first(tiny, first, second, ids, types):
    found = tiny(tf.constant([join_pair(first, second)]))
    assert found["input_word_ids"].numpy().tolist() == [ids]
    assert found["input_type_ids"].numpy().tolist() == [types]


def test_a_text_without_a_second_one_has_no_inner_mark(tiny):
    found = tiny(tf.constant(["cat " * 9, "dog"]))
    assert found["input_word_ids"].numpy().tolist() == [
        [CLS, *[CAT] * 7, SEP],
        [CLS, DOG, SEP, *[0] * 6],
    ]
    assert not found["input_type_ids"].numpy().any()


def test_a_token_of_a_text_is_never_the_boundary(tiny_modules, tmp_path):
    """As in a module whose tokenizer knows special tokens, such as ALBERT's SentencePiece."""
    vectorizer = HubVectorizer(str(tiny_modules / "preprocess"), 16)
    vectorizer._fast = None
    plain = vectorizer.tokenize_clean

    def knows_marks(texts):
        tokens = plain(texts)
        return tokens.with_flat_values(tf.where(tokens.flat_values == DOG, SEP, tokens.flat_values))

    vectorizer.tokenize_clean = knows_marks
    vectorizer.read_pairs()
    found = vectorizer(tf.constant([join_pair("cat dog cat", "dog cat")]))
    assert found["input_word_ids"].numpy().tolist() == [[CLS, CAT, SEP, CAT, SEP, SEP, CAT, SEP]]
    assert found["input_type_ids"].numpy().tolist() == [[0, 0, 0, 0, 0, 1, 1, 1]]


def test_an_empty_batch(tiny):
    assert {value.shape[0] for value in tiny(tf.constant([], tf.string)).values()} == {0}


def test_too_short_for_two_texts(tiny_modules):
    vectorizer = HubVectorizer(str(tiny_modules / "preprocess"), 4)
    with pytest.raises(OptionError, match="max_length.*5 or more for pairs"):
        vectorizer.read_pairs()


def test_pairs_of_a_module_for_single_texts_are_one_text(tiny_modules):
    """Without `read_pairs`, nothing changes."""
    vectorizer = HubVectorizer(str(tiny_modules / "preprocess"), 16)
    module = hub.KerasLayer(str(tiny_modules / "preprocess"))
    text = tf.constant([join_pair("cat", "dog")])
    np.testing.assert_array_equal(
        vectorizer(text)["input_word_ids"], module(text)["input_word_ids"][:, :8]
    )
