"""`fill_masks` gives the pieces that the network finds likeliest, whatever the texts are."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.bert import fill_mask, read_checkpoint
from kerasnlp_lab.bert.fill_mask import fill_masks, read_pretrained
from kerasnlp_lab.bert.new_weights import new_checkpoint
from kerasnlp_lab.bert.pretraining_network import pretraining_network
from kerasnlp_lab.errors import DataError, HubError, OptionError, RunError
from tests.bert.pretraining_on_devices import CONFIG
from tests.tiny_bert import TINY_VOCABULARY, write_tiny_checkpoint

CLS, SEP, MASK = map(TINY_VOCABULARY.index, ("[CLS]", "[SEP]", "[MASK]"))
ROOM = 62  # of the tiny BERT's 64 positions


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_checkpoint(tmp_path_factory.mktemp("bert"), heads_of_pretraining=True)


@pytest.fixture(scope="module")
def checkpoint(folder):
    return read_pretrained(folder)


@pytest.fixture(scope="module")
def network(checkpoint):
    return pretraining_network(checkpoint, dropout=0.0)


def probabilities(network, pieces):
    """Returns those of each mask among some pieces, [masks, vocab]."""
    ids = [CLS, *map(TINY_VOCABULARY.index, pieces), SEP]
    features = {
        "input_word_ids": tf.constant([ids]),
        "input_mask": tf.ones([1, len(ids)], tf.int32),
        "input_type_ids": tf.zeros([1, len(ids)], tf.int32),
        "masked_positions": tf.constant(np.flatnonzero(np.array(ids) == MASK), tf.int32),
    }
    return tf.nn.softmax(network.network(features)["masked_words"]).numpy()


def assert_guesses(filled, expected, top=5):
    """Compares the guesses of masks with probabilities, [masks, vocab]."""
    for mask, row in zip(filled.masks, expected, strict=True):
        best = np.argsort(-row)[:top]
        assert [guess.piece for guess in mask.guesses] == [TINY_VOCABULARY[one] for one in best]
        found = [guess.probability for guess in mask.guesses]
        np.testing.assert_allclose(found, row[best], atol=1e-5)


TEXTS = {
    "the cat [MASK].": "the cat [MASK] .",
    "[MASK]": "[MASK]",
    "The DOGS [MASK] sat, [MASK]ing": "the dog ##s [MASK] sat , [MASK] [UNK]",
    "a[mask]cat [Mask]": "a [MASK] cat [MASK]",
    "größer [MASK] \ud83d cat": "[UNK] [MASK] cat",  # U+FFFD is no word
    " ".join(["the [MASK]"] * 31): " ".join(["the [MASK]"] * 31),
}


def test_several_texts_at_once(network):
    """They have other lengths and numbers of masks: each is filled as if it were alone."""
    answers = list(fill_masks(network, TEXTS))
    assert len(answers) == len(TEXTS)
    for filled, (text, pieces) in zip(answers, TEXTS.items(), strict=True):
        assert filled.text == text.replace("\ud83d", "\ufffd")
        assert filled.pieces == filled.read == len(pieces.split())
        places = [filled.text[mask.start : mask.end].upper() for mask in filled.masks]
        assert places == ["[MASK]"] * pieces.count("[MASK]")
        assert_guesses(filled, probabilities(network, pieces.split()))


def test_a_long_text_is_read_around_each_mask(network):
    words = [("the", "cat", "sat", "dog", "oil")[place * place % 5] for place in range(150)]
    places = (0, 20, 75, 76, 149)
    for place in places:
        words[place] = "[MASK]"
    (filled,) = fill_masks(network, [" ".join(words)])
    assert (filled.pieces, filled.read) == (150, ROOM)
    assert len(filled.masks) == len(places)
    for mask, place in zip(filled.masks, places, strict=True):
        start = min(max(place - ROOM // 2, 0), 150 - ROOM)
        window = words[start : start + ROOM]
        before = window[: place - start].count("[MASK]")
        expected = probabilities(network, window)[before]
        assert_guesses(dataclasses.replace(filled, masks=(mask,)), [expected])


def test_more_masks_than_go_through_the_network_at_once(network, monkeypatch):
    texts = [f"{'[MASK] ' * number}cat" for number in (1, 40, 3, 61, 7)]
    expected = list(fill_masks(network, texts))
    monkeypatch.setattr(fill_mask, "MASKS", 10)
    monkeypatch.setattr(fill_mask, "ROWS", 2)
    for batch_size in (1, 3, 32):
        found = list(fill_masks(network, iter(texts), batch_size=batch_size))
        assert [len(one.masks) for one in found] == [1, 40, 3, 61, 7]
        for one, other in zip(found, expected, strict=True):
            for mask, same in zip(one.masks, other.masks, strict=True):
                assert [g.piece for g in mask.guesses] == [g.piece for g in same.guesses]
                np.testing.assert_allclose(
                    [g.probability for g in mask.guesses],
                    [g.probability for g in same.guesses],
                    atol=1e-5,
                )


def test_pieces_that_continue_a_word(checkpoint):
    bias = np.zeros(len(TINY_VOCABULARY), np.float32)
    bias[TINY_VOCABULARY.index("##ing")] = 100
    heads = {**checkpoint.heads, "cls.predictions.bias": bias}
    (filled,) = fill_masks(dataclasses.replace(checkpoint, heads=heads), ["match [MASK]"], top=1)
    assert filled.masks[0].guesses == (("##ing", pytest.approx(1)),)


def test_every_piece_of_the_vocabulary_and_no_other(checkpoint):
    """A table with more rows than there are pieces, as publishers pad it."""
    fewer = dataclasses.replace(checkpoint, vocabulary=checkpoint.vocabulary[:-3])
    (filled,) = fill_masks(fewer, ["the [MASK]"], top=1000)
    (guesses,) = (mask.guesses for mask in filled.masks)
    assert {guess.piece for guess in guesses} == set(fewer.vocabulary)
    (filled,) = fill_masks(checkpoint, [b"the [MASK] \xff"], top=1000)
    assert filled.text == "the [MASK] \ufffd"
    assert sum(guess.probability for guess in filled.masks[0].guesses) == pytest.approx(1, abs=1e-5)


def test_characters_beyond_ascii_in_the_vocabulary():
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "größe", "東", "น", "##ß"]
    new = new_checkpoint(CONFIG, vocabulary, do_lower_case=True, strip_accents=False)
    (filled,) = fill_masks(new, ["GRÖSSE Größe東[MASK]น"], top=9)
    assert filled.pieces == 5  # the first is [UNK]
    assert {guess.piece for guess in filled.masks[0].guesses} == set(vocabulary)


def test_mistakes(checkpoint):
    with pytest.raises(DataError, match=r"'the cat' has no \[MASK\]: write \[MASK\] where a word"):
        list(fill_masks(checkpoint, ["a [MASK]", "the cat"]))
    with pytest.raises(OptionError, match="top must be 1 or more, got 0"):
        fill_masks(checkpoint, ["a [MASK]"], top=0)
    renamed = tuple("[HIDE]" if one == "[MASK]" else one for one in checkpoint.vocabulary)
    with pytest.raises(HubError, match=r"the vocabulary has no \[MASK\]"):
        fill_masks(dataclasses.replace(checkpoint, vocabulary=renamed), ["a [MASK]"])


def test_where_a_model_is(folder, tiny_checkpoint, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text("{}")
    with pytest.raises(RunError, match="no BERT that fills masks: expected a finished run"):
        read_pretrained(run)
    (run / "checkpoint").symlink_to(folder)
    assert read_pretrained(run).heads.keys() == read_checkpoint(folder).heads.keys()
    with pytest.raises(HubError, match="no output layer for pieces .* .kerasnlp-lab pretrain"):
        read_pretrained(tiny_checkpoint)
    with pytest.raises(RunError, match="there is no folder .*/rum; did you mean '.*/run'"):
        read_pretrained(tmp_path / "rum")
