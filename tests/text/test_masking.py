"""Masking: 15%, 80/10/10, no special pieces, whole words, pure functions of seed, step and row."""

import numpy as np
import pytest

from kerasnlp_lab.errors import DataError, OptionError
from kerasnlp_lab.text.masking import Draws, Masking, MaskingVocabulary, row_keys, uniform
from tests.text.documents import CLS, MASK, PIECES, SEP, UNK, vocabulary

SIZE = 1000  # pieces
VOCABULARY = vocabulary(SIZE)
ROWS, LENGTH = 8000, 128
every_kind = pytest.mark.parametrize("whole_words", [False, True], ids=["tokens", "words"])


def some_ids(rows, length, seed=0):
    """Returns [CLS] ... [SEP], with other special pieces among 5% of the tokens."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(6, SIZE, (rows, length)).astype(np.int32)
    special = rng.random(ids.shape) < 0.05
    ids[special] = rng.integers(0, 6, special.sum())
    ids[:, 0], ids[:, -1] = CLS, SEP
    return ids


@pytest.fixture(scope="module", params=[False, True], ids=["tokens", "words"])
def million(request):
    """Returns more than a million positions, and what is hidden of them."""
    ids = some_ids(ROWS, LENGTH)
    keys = row_keys(3, 11, np.arange(ROWS))
    masking = Masking(whole_words=request.param)
    return ids, masking.hide(ids.ravel(), np.full(ROWS, LENGTH), keys, VOCABULARY)


def near(share, expected, number, sigmas=5):
    return abs(share - expected) < sigmas * np.sqrt(expected * (1 - expected) / number)


def test_shares_over_a_million_positions(million):
    ids, hidden = million
    candidates = (ids > 5).sum()
    assert ids.size > 1_000_000
    # Pieces of a word are hidden together, so that their number varies more.
    assert near(len(hidden.places) / candidates, 0.15, candidates, sigmas=7)
    new = hidden.ids[hidden.places]
    number = len(new)
    assert near((new == MASK).mean(), 0.8, number)
    assert near(((new != MASK) & (new != hidden.originals)).mean(), 0.1 * (1 - 1 / SIZE), number)
    assert near((new == hidden.originals).mean(), 0.1 * (1 + 1 / SIZE), number)
    random = new[(new != MASK) & (new != hidden.originals)]
    counts = np.bincount(random, minlength=SIZE)
    assert counts[:6].sum() == 0
    # Chi-squared over the pieces: mean SIZE, variance 2 SIZE.
    expected = len(random) / (SIZE - 6)
    assert ((counts[6:] - expected) ** 2 / expected).sum() < SIZE + 5 * np.sqrt(2 * SIZE)


def test_every_position_and_piece_is_as_likely_to_be_hidden(million):
    ids, hidden = million
    flags = np.zeros(ids.size, bool)
    flags[hidden.places] = True
    may = ids > 5
    by_position = flags.reshape(ids.shape).sum(0)[1:-1] / may.sum(0)[1:-1]
    assert abs(by_position - 0.15).max() < 6 * np.sqrt(0.15 * 0.85 / ROWS)
    for continues in (False, True):  # long words are not hidden less often
        chosen = may.ravel() & (VOCABULARY.continues_word[ids.ravel()] == continues)
        assert near(flags[chosen].mean(), 0.15, chosen.sum(), sigmas=7)


def test_only_hidden_places_change_and_none_is_special(million):
    ids, hidden = million
    flat = ids.ravel()
    np.testing.assert_array_equal(hidden.originals, flat[hidden.places])
    assert hidden.originals.min() > 5
    assert (np.diff(hidden.places) > 0).all()
    restored = hidden.ids.copy()
    restored[hidden.places] = hidden.originals
    np.testing.assert_array_equal(restored, flat)
    assert restored.dtype == hidden.ids.dtype == hidden.originals.dtype == np.int32
    per_row = np.bincount(hidden.places // LENGTH, minlength=ROWS)
    assert per_row.min() >= 1


def test_whole_words_are_hidden_in_all_their_pieces_or_none():
    ids = some_ids(500, 50).ravel()
    lengths = np.full(500, 50)
    keys = row_keys(0, 0, np.arange(500))
    hidden = Masking(whole_words=True).hide(ids, lengths, keys, VOCABULARY)
    flags = np.zeros(len(ids), bool)
    flags[hidden.places] = True
    continues = VOCABULARY.continues_word[ids]
    together = 0
    for place in range(1, len(ids)):
        if continues[place] and ids[place - 1] > 5:  # no special piece between
            assert flags[place] == flags[place - 1]
            together += flags[place]
    assert together > 500
    # One piece of a word may be [MASK], and another one a random piece or unchanged.
    inside = np.flatnonzero(continues[1:] & flags[1:] & flags[:-1])
    assert 0.6 < ((hidden.ids == MASK)[inside] == (hidden.ids == MASK)[inside + 1]).mean() < 0.8


@every_kind
def test_a_row_is_hidden_alike_in_every_batch(whole_words):
    rng = np.random.default_rng(1)
    rows = np.array([7, 1 << 33, 0, 12, 40])
    texts = [some_ids(1, length, seed=length)[0] for length in rng.integers(2, 90, len(rows))]
    masking = Masking(0.3, whole_words)

    def hide(chosen):
        ids = np.concatenate([texts[one] for one in chosen])
        lengths = np.array([len(texts[one]) for one in chosen])
        keys = row_keys(5, 9, rows[chosen])
        found = masking.hide(ids, lengths, keys, VOCABULARY).ids
        return dict(zip(chosen, np.split(found, np.cumsum(lengths)[:-1]), strict=True))

    together = hide([0, 1, 2, 3, 4])
    for batch in ([4, 2], [1], [3, 0, 1]):
        for row, found in hide(batch).items():
            np.testing.assert_array_equal(found, together[row])


@pytest.mark.parametrize("other", [(6, 9, 7), (5, 10, 7), (5, 9, 8), (5, -1, 7), (-5, 9, 7)])
def test_another_seed_step_or_row_hides_other_places(other):
    ids = some_ids(1, 400)[0]

    def places(seed, step, row):
        keys = row_keys(seed, step, np.array([row]))
        return set(Masking().hide(ids, np.array([400]), keys, VOCABULARY).places.tolist())

    assert places(5, 9, 7) == places(5, 9, 7)
    both = places(5, 9, 7) & places(*other)
    assert len(both) < 25  # 9 expected of 57


def test_draws_are_splitmix64():
    """Another program can compute the same numbers, so a run can be checked from outside."""

    def absorb(state, value):
        z = (state + (value + 1) * 0x9E3779B97F4A7C15) % 2**64
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        return z ^ z >> 31

    expected = 0
    for value in (2, -1, 12345678901, 3, 77):  # seed, step, row, kind, position
        expected = absorb(expected, value)
    keys = row_keys(2, -1, np.array([4, 12345678901]))
    draws = Draws(np.array([0, 1]), np.array([0, 77]))
    assert uniform(keys, 3, draws)[1] == (expected >> 11) / 2**53


def test_short_rows_have_one_hidden_token_if_any_may_be():
    texts = [[CLS, 8, SEP], [CLS, SEP], [CLS, UNK, SEP, UNK, SEP], [], [CLS, 10, 9, SEP]]
    lengths = np.array([*map(len, texts)])
    ids = np.array(sum(texts, []), np.int32)
    for whole_words in (False, True):
        hidden = Masking(whole_words=whole_words).hide(
            ids, lengths, row_keys(0, 0, np.arange(len(texts))), VOCABULARY
        )
        found = np.searchsorted(np.cumsum(lengths), hidden.places, "right")
        assert found.tolist() == [0, 4]


def test_the_number_is_rounded_at_random():
    """Of 10 tokens, 1.5 are hidden on average."""
    lengths = np.full(4000, 10)
    ids = np.full(40000, 7, np.int32)
    keys = row_keys(0, 0, np.arange(4000))
    counts = np.bincount(Masking().hide(ids, lengths, keys, VOCABULARY).places // 10)
    assert set(counts) == {1, 2}
    assert near(counts.mean() - 1, 0.5, 4000)


def test_a_vocabulary_of_six_pieces():
    six = MaskingVocabulary.of_pieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"])
    ids = np.tile(np.array([CLS, *[5] * 40, SEP], np.int32), 100)
    hidden = Masking().hide(ids, np.full(100, 42), row_keys(0, 0, np.arange(100)), six)
    assert set(hidden.ids[hidden.places]) == {MASK, 5}
    assert near((hidden.ids[hidden.places] == MASK).mean(), 0.8, len(hidden.places))


def test_special_ids_are_looked_up_by_name():
    found = MaskingVocabulary.of_pieces(["a", "[MASK]", "[SEP]", "##a", "[PAD]", "[CLS]", "[", "]"])
    assert (found.padding, found.start, found.separator, found.mask) == (4, 5, 2, 1)
    assert found.replacements.tolist() == [0, 3, 6, 7]
    assert np.flatnonzero(found.continues_word).tolist() == [3]


def test_vocabularies_that_cannot_be_used():
    with pytest.raises(DataError, match=r"has no \[CLS\] and no \[MASK\]: add what is missing"):
        MaskingVocabulary.of_pieces(["[PAD]", "[SEP]", "a"])
    with pytest.raises(DataError, match="all 6 pieces of the vocabulary are special"):
        MaskingVocabulary.of_pieces(PIECES)


@pytest.mark.parametrize("share", [0, 1, -0.1, 15, float("nan")])
def test_a_share_out_of_range(share):
    with pytest.raises(OptionError, match=f"above 0 and below 1, not {share}"):
        Masking(share)
