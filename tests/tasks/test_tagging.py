"""Tags: entities to tags of tokens, and the best tags by Viterbi against all paths."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.tasks import Entities
from kerasnlp_lab.tasks.tagging import (
    TokenLogits,
    align,
    best_tags,
    entities_of_tags,
)
from kerasnlp_lab.text.features import TokensInText


def allowed(tags, follows):
    """Whether the scheme allows a path: no I after O, and one label in a word."""
    before = 0
    for tag, is_inside in zip(tags, follows, strict=True):
        label = (tag - 1) // 2
        continues = tag > 0 and tag % 2 == 0
        if continues and (before == 0 or (before - 1) // 2 != label):
            return False
        if is_inside and (tag > 0) != (before > 0):
            return False
        if is_inside and tag % 2 == 1:
            return False
        before = tag
    return True


def best_of_all(logits, follows):
    logits = np.where(follows[:, np.newaxis], 0, logits)
    paths = [
        path
        for path in itertools.product(range(logits.shape[1]), repeat=len(logits))
        if allowed(path, follows)
    ]
    return max(paths, key=lambda path: sum(logits[range(len(path)), list(path)]), default=())


def test_viterbi_finds_the_best_path_of_all():
    rng = np.random.default_rng(0)
    lengths = np.array([5, 0, 1, 4, 5])
    logits = rng.normal(size=(lengths.sum(), 5)).astype(np.float32)
    first = np.cumsum(lengths) - lengths
    follows = rng.random(lengths.sum()) < 0.4
    follows[first[first < len(follows)]] = False
    expected = [
        tag
        for start, length in zip(first, lengths, strict=True)
        for tag in best_of_all(logits[start : start + length], follows[start : start + length])
    ]
    found = best_tags(tf.constant(logits), tf.constant(lengths), tf.constant(follows))
    assert found.numpy().tolist() == expected


def test_viterbi_of_no_token_at_all():
    none = best_tags(tf.zeros([0, 3]), tf.zeros([2], tf.int64), tf.zeros([0], tf.bool))
    assert none.shape == [0]


def tokens_of(texts, *, pieces=3):
    """Splits texts at spaces, and words into pieces of at most so many characters."""
    starts, ends, continues, lengths = [], [], [], []
    for text in texts:
        count, place = 0, 0
        for word in text.split(" "):
            for begin in range(0, len(word), pieces):
                starts.append(len(text[: place + begin].encode()))
                ends.append(len(text[: place + min(begin + pieces, len(word))].encode()))
                continues.append(begin > 0)
                count += 1
            place += len(word) + 1
        lengths.append(count)
    columns = (np.array(one, np.int64) for one in (lengths, starts, ends))
    return TokensInText(None, *columns, np.array(continues, bool))


TEXTS = ["Zoë saw Berlin", "", "no 名前 here"]


@pytest.mark.parametrize(
    ("spans", "inside_words", "tags", "moved", "lost"),
    [
        # Zoë | saw | Ber ##lin | no | 名前 | her ##e
        ([(0, 0, 3, "p"), (0, 8, 14, "q"), (2, 3, 5, "p")], False, [1, 0, 3, 4, 0, 1, 0, 0], 0, 0),
        ([(0, 11, 14, "q")], True, [0, 0, 0, 3, 0, 0, 0, 0], 0, 0),
        ([(0, 11, 14, "q")], False, [0, 0, 3, 4, 0, 0, 0, 0], 1, 0),  # the whole word
        ([(0, 9, 10, "q")], True, [0, 0, 3, 0, 0, 0, 0, 0], 1, 0),  # the whole piece
        ([(0, 0, 1, "p"), (0, 1, 3, "q")], True, [1, 0, 0, 0, 0, 0, 0, 0], 1, 1),
        ([(0, 0, 7, "p"), (0, 8, 14, "p")], False, [1, 2, 1, 2, 0, 0, 0, 0], 0, 0),
    ],
)
def test_entities_become_tags(spans, inside_words, tags, moved, lost):
    of_row = [tuple(Span(*one[1:]) for one in spans if one[0] == row) for row in range(3)]
    tokens = tokens_of(TEXTS)
    found = align(tokens, TEXTS, of_row, ["p", "q"], tokens.continues & (not inside_words))
    assert found.tags.tolist() == tags
    assert (len(found.moved), len(found.lost)) == (moved, lost)


@pytest.mark.parametrize(
    ("text", "spans", "web_words", "inside_words"),
    [
        ("@ada met Bo", [(9, 11, "p")], True, False),
        ("@ada met Bo", [(0, 4, "p")], True, False),
        ("@ada met Bo", [(1, 4, "p")], False, False),
        ("#oslo_fair", [(1, 5, "p")], False, False),
        ("Ada met Bo", [(0, 3, "p")], False, False),
        ("Ada: http://a.org/bo", [(0, 3, "p")], True, False),
        ("Ada: http://a.org/bo", [(18, 20, "p")], False, False),
        ("@a @b " * 51 + "#Oslo", [(307, 311, "p")], False, False),
        ("@ada in Oslos", [(8, 12, "p")], True, True),
    ],
)
def test_the_training_entities_decide_what_a_word_is(text, spans, web_words, inside_words):
    rows = Split([text], spans=[spans])
    task = Entities.for_data(TextDataset("d", ("p",), rows, rows, rows))
    assert (task.web_words, task.inside_words) == (web_words, inside_words)
    assert Entities.from_json(task.to_json()) == task


def test_entities_of_tags_and_their_scores():
    tags = tf.constant([0, 1, 2, 1, 3, 4, 0])
    logits = tf.math.log(0.9) * (1 - tf.one_hot(tags, 5)) * tf.constant([[1.0]] * 7)
    follows = tf.constant([False, False, True, False, False, False, False])
    found = entities_of_tags(tags, logits, tf.constant([4, 3], tf.int64), follows, 1.0)
    assert found.text.numpy().tolist() == [0, 0, 1]
    assert found.label.numpy().tolist() == [0, 0, 1]
    assert found.first.numpy().tolist() == [1, 3, 4]
    assert found.last.numpy().tolist() == [2, 3, 5]
    np.testing.assert_allclose(found.score, [1 / (1 + 4 * 0.9)] * 3, rtol=1e-5)


def test_a_temperature_calibrates_tags_and_tally_counts_them():
    """Logits that are twice as sure as they should be get a temperature of 2."""
    rng = np.random.default_rng(0)
    count, task = 3000, Entities(("p",))
    true_logit = rng.normal(1, 1, count)
    values = np.full((count, 3), -30, np.float32)
    values[:, 0], values[:, 1] = 0, np.maximum(2 * true_logit, 1e-3)
    right = rng.random(count) < 1 / (1 + np.exp(-values[:, 1] / 2))
    places = np.zeros(count, np.int64)
    follows = np.zeros(count, bool)
    tokens = TokensInText(None, places + 1, places, places + 1, follows, follows)
    rows = Split(["x"] * count, spans=[[(0, 1, "p")] if one else [] for one in right])
    found = task.choose_decision(TokenLogits(values, tokens), rows, rows)
    assert found.temperature == pytest.approx(2, rel=0.2)
    none = TokenLogits(-values, tokens)
    assert task.choose_decision(none, rows, rows).temperature == 1
    tags = tf.constant([[1, 2, 0, -1]])
    logits = tf.one_hot([[1, 0, 1, 1]], 3)
    assert task.tally(logits, tags).numpy().tolist() == [2, 4]
