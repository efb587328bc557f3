"""Pre-training batches: their layout, pairs, and the same rows in any batches."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.errors import DataError
from kerasnlp_lab.text.masking import Masking
from kerasnlp_lab.text.order import training_order
from kerasnlp_lab.text.pipeline import NO_STEP, Share, batches_of
from kerasnlp_lab.text.pretraining_batches import FOLLOWS, NO_PAIR, RANDOM, PretrainingBatches
from tests.text.documents import CLS, FIRST, SEP, pack, random_documents, vocabulary

DOCUMENTS = random_documents(300, 30)
TOKENS = sum(map(sum, DOCUMENTS))
DOCUMENT_OF_TOKEN = np.repeat(np.arange(len(DOCUMENTS)), [*map(sum, DOCUMENTS)])
ENDS_OF_SENTENCES = FIRST + np.cumsum(np.concatenate(DOCUMENTS)) - 1


def batches(sequences, seed=4, **masking):
    size = FIRST + int(sequences.lengths.sum())
    return PretrainingBatches(sequences, vocabulary(size), Masking(**masking), seed=seed)


@pytest.fixture(scope="module", params=[False, True], ids=["across", "pairs"])
def either(request):
    return batches(pack(DOCUMENTS, 64, pairs=request.param))


@pytest.fixture(scope="module")
def paired():
    return batches(pack(DOCUMENTS, 64, pairs=True))


def texts_of(features, targets):
    """Returns the ids of each row with nothing hidden, without padding, and their segments."""
    words = features["input_word_ids"].copy()
    words.ravel()[features["masked_positions"]] = targets["masked_ids"]
    rows = zip(words, features["input_mask"], features["input_type_ids"], strict=True)
    return [(ids[mask == 1], types[mask == 1]) for ids, mask, types in rows]


def pairs_of(made, step):
    """Returns A, B and the class of every row."""
    features, targets = made.make(step, np.arange(len(made.sequences)))
    found = []
    for (ids, types), class_ in zip(
        texts_of(features, targets), targets["next_sentence"], strict=True
    ):
        first, second = ids[types == 0], ids[types == 1]
        assert first[0] == CLS
        assert first[-1] == SEP
        assert not len(second) or second[-1] == SEP
        found.append((first[1:-1], second[:-1], class_))
    return found


def test_layout_without_pairs():
    made = batches(pack([[3, 2], [4], [9]], 11, pairs=False))
    features, targets = made.make(0, np.array([2, 0]))
    first, second = texts_of(features, targets)
    assert first[0].tolist() == [CLS, *range(19, 28), SEP]
    assert second[0].tolist() == [CLS, *range(10, 15), SEP]
    assert features["input_word_ids"].shape == (2, 11)
    assert features["input_mask"].tolist() == [[1] * 11, [1] * 7 + [0] * 4]
    assert not features["input_word_ids"][1, 7:].any()
    assert not features["input_type_ids"].any()
    assert targets["next_sentence"].tolist() == [NO_PAIR, NO_PAIR]


def test_padding_is_the_vocabularys():
    made = batches(pack([[3], [30]], 32, pairs=False))
    object.__setattr__(made._vocabulary, "padding", 9)
    assert set(made.make(0, np.array([0, 1]))[0]["input_word_ids"][0, 5:]) == {9}


def test_positions_are_places_in_the_batch(either):
    features, targets = either.make(3, np.array([5, 0, 7, 7, 2]))
    places = features["masked_positions"]
    assert (np.diff(places) > 0).all()
    assert features["input_mask"].ravel()[places].all()
    assert len(places) == len(targets["masked_ids"])
    assert all(one.dtype == np.int32 for one in [*features.values(), *targets.values()])


def test_rows_do_not_depend_on_the_batch(either):
    rows = np.random.default_rng(0).permutation(len(either.sequences))[:40]
    features, targets = either.make(6, rows)

    def of_row(features, targets, row):
        width = features["input_word_ids"].shape[1]
        own = features["masked_positions"] // width == row
        length = features["input_mask"][row].sum()
        return [
            features["input_word_ids"][row, :length].tolist(),
            features["input_type_ids"][row, :length].tolist(),
            (features["masked_positions"][own] % width).tolist(),
            targets["masked_ids"][own].tolist(),
            targets["next_sentence"][row],
        ]

    together = [of_row(features, targets, place) for place in range(40)]
    for places in [np.arange(20, 40), np.arange(40)[::-1], np.array([3]), np.array([39, 3, 3])]:
        again = either.make(6, rows[places])
        assert [of_row(*again, one) for one in range(len(places))] == [
            together[place] for place in places
        ]


def test_another_step_or_seed_draws_anew(either):
    rows = np.arange(50)

    def words(made, step):
        return made.make(step, rows)[0]["input_word_ids"].tolist()

    first = words(either, 1)
    assert first == words(either, 1)
    assert first != words(either, 2)
    assert first != words(batches(either.sequences, seed=5), 1)


def test_pairs(paired):
    sequences = paired.sequences
    ids, lengths = sequences.read_flat(np.arange(len(sequences)))
    rows = np.split(ids & ~(1 << 30), np.cumsum(lengths)[:-1])
    starts = np.split(ids >> 30, np.cumsum(lengths)[:-1])
    classes = []
    for step in range(3):
        for row, start, (first, second, class_) in zip(
            rows, starts, pairs_of(paired, step), strict=True
        ):
            classes.append(class_)
            assert len(first) + len(second) <= 61
            if class_ == NO_PAIR:
                assert start.sum() == 1
                assert first.tolist() == row.tolist()
                assert not len(second)
                continue
            assert first.tolist() == row[: len(first)].tolist()
            assert start[len(first)]  # A ends where a sentence begins
            if class_ == FOLLOWS:
                assert second.tolist() == row[len(first) :].tolist()
            else:
                own = DOCUMENT_OF_TOKEN[first[0] - FIRST]
                others = set(DOCUMENT_OF_TOKEN[second - FIRST])
                assert len(others) == 1
                assert own not in others
                assert (np.diff(second) == 1).all()
    classes = np.array(classes)
    assert set(classes) == {FOLLOWS, RANDOM, NO_PAIR}
    number = (classes != NO_PAIR).sum()
    assert abs((classes == RANDOM).sum() / number - 0.5) < 4 * 0.5 / np.sqrt(number)


def test_lengths_do_not_tell_which_b_is_random(paired):
    found = [pair for step in range(5) for pair in pairs_of(paired, step)]
    totals = {
        kind: np.array([len(a) + len(b) for a, b, class_ in found if class_ == kind])
        for kind in (FOLLOWS, RANDOM)
    }
    assert abs(totals[FOLLOWS].mean() - totals[RANDOM].mean()) < 1
    best = max(
        abs((totals[FOLLOWS] > least).mean() - (totals[RANDOM] > least).mean())
        for least in range(62)
    )
    assert best < 0.1  # so 55% right; with a B of any length it would be 63% and more
    # Where the end of a row is the middle of a long sentence, any B may end in it.
    cut = {
        kind: np.mean([b[-1] not in ENDS_OF_SENTENCES for _, b, class_ in found if class_ == kind])
        for kind in (FOLLOWS, RANDOM)
    }
    assert abs(cut[FOLLOWS] - cut[RANDOM]) < 0.05


def test_every_split_and_every_other_document_is_drawn():
    made = batches(pack([[2, 2, 2, 2], [3, 3], [4, 4], [5]], 32, pairs=True))
    splits, others = set(), set()
    for step in range(300):
        first, second, class_ = pairs_of(made, step)[0]
        splits.add(len(first))
        if class_ == RANDOM:
            others.add(tuple(second))
    assert splits == {2, 4, 6}
    # A random B is the end of a row, and does not open a document.
    assert others == {(21, 22, 23), (28, 29, 30, 31)}


def test_a_random_b_that_never_fits_is_cut():
    made = batches(pack([[1, 60], [50, 11]], 64, pairs=True))
    seen = [pair for step in range(60) for pair in pairs_of(made, step)]
    random = [(len(a), len(b)) for a, b, class_ in seen if class_ == RANDOM]
    assert set(random) == {(1, 11), (50, 11)}


def test_the_same_in_a_graph(either):
    @tf.function(input_signature=[tf.TensorSpec([], tf.int64), tf.TensorSpec([None], tf.int32)])
    def load(step, rows):
        return either.load(step, rows)

    features, targets = load.get_concrete_function().structured_outputs
    assert [one.shape.rank for one in features.values()] == [2, 2, 2, 1]
    assert [one.shape.rank for one in targets.values()] == [1, 1]
    rows = np.array([4, 0, 9], np.int32)
    for step in (NO_STEP, 12):
        found = load(tf.constant(step, tf.int64), rows)
        for ours, expected in zip(found, either.make(step, rows), strict=True):
            assert list(ours) == list(expected)
            for name, values in expected.items():
                np.testing.assert_array_equal(ours[name], values)


def test_replicas_share_the_batches_of_one(paired):
    def texts(share):
        lengths = paired.sequences.lengths
        order = training_order(
            lengths, np.zeros(len(lengths), int), batch_size=8, seed=0, first_step=5
        )
        loaded = batches_of(share.of_batches(order.enumerate(5)), paired.load)
        made = loaded.take(4 * share.of).as_numpy_iterator()
        return [
            (ids.tolist(), next_sentence)
            for features, targets in made
            for (ids, _), next_sentence in zip(
                texts_of(features, targets), targets["next_sentence"], strict=True
            )
        ]

    alone = texts(Share())
    assert len(alone) == 32
    assert texts(Share(0, 2, 2)) == alone


def test_one_sentence_in_all():
    made = batches(pack([[1]], 16, pairs=False))
    features, targets = made.make(0, np.array([0]))
    assert targets["masked_ids"].tolist() == [FIRST]
    assert features["masked_positions"].tolist() == [1]


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([[5, 5, 5]], "there is only one document: separate documents by blank lines"),
        ([[9], [0], [3]], "each of the 2 documents has one: put the sentences"),
    ],
    ids=["one document", "single sentences"],
)
def test_corpora_without_pairs(documents, message):
    with pytest.raises(DataError, match=f"{message}.*--objective mlm"):
        batches(pack(documents, 32, pairs=True))
    assert len(batches(pack(documents, 32, pairs=False)).sequences)
