"""Packing: every token in one row, whole sentences, rows of pairs out of one document."""

import numpy as np
import pytest

from kerasnlp_lab.errors import DataError, OptionError
from kerasnlp_lab.text import sequences as module
from kerasnlp_lab.text.sequences import SENTENCE_START, pack_sequences
from tests.text.documents import FIRST, SEP, Numbering, pack, random_documents

CORPORA = {
    "one token": [[1]],
    "one sentence": [[9]],
    "one document": [[5, 3, 8, 20, 1, 1, 1, 40, 2]],
    "empty sentences and documents": [[], [0, 0], [4, 0, 3, 0], [0], [0, 2, 0, 0, 7], []],
    "sentences of thousands": [[3, 5000, 2], [4999], [1, 1, 3001]],
    "single tokens": [[1] * 100, [1], [1] * 7],
    "just a row": [[4, 10], [7, 7], [14], [13], [15], [13, 1]],
    "random": random_documents(60, 30),
}
both = pytest.mark.parametrize("pairs", [False, True], ids=["across", "pairs"])
every_corpus = pytest.mark.parametrize("corpus", CORPORA)
every_length = pytest.mark.parametrize("max_tokens", [7, 16, 17, 128])


def rows_of(sequences):
    """Returns the rows as lists of sentences, which are lists of ids."""
    ids, lengths = sequences.read_flat(np.arange(len(sequences)))
    rows = np.split(ids, np.cumsum(lengths)[:-1])
    return [
        [
            (part & ~SENTENCE_START).tolist()
            for part in np.split(row, np.flatnonzero(row >= SENTENCE_START))
            if len(part)
        ]
        for row in rows
    ]


def lengths_of(sequences):
    return [[len(part) for part in row] for row in rows_of(sequences)]


@both
@every_corpus
@every_length
def test_every_token_is_in_one_row_in_order(corpus, max_tokens, pairs):
    documents = CORPORA[corpus]
    sequences = pack(documents, max_tokens, pairs=pairs)
    ids = np.concatenate([part for row in rows_of(sequences) for part in row])
    found = ids if pairs else ids[ids != SEP]
    np.testing.assert_array_equal(found, FIRST + np.arange(sum(map(sum, documents))))
    assert sequences.lengths.min() > 0
    assert sequences.lengths.max() <= max_tokens - (3 if pairs else 2)


@both
@every_corpus
def test_rows_do_not_depend_on_how_many_sentences_are_tokenized_at_a_time(
    corpus, pairs, monkeypatch
):
    expected = pack(CORPORA[corpus], 20, pairs=pairs)
    monkeypatch.setattr(module, "SENTENCES_IN_MEMORY", 1)
    found = pack(CORPORA[corpus], 20, pairs=pairs)
    assert rows_of(found) == rows_of(expected)
    np.testing.assert_array_equal(found.documents, expected.documents)


@every_corpus
@every_length
def test_pairs_have_one_document_and_two_sentences(corpus, max_tokens):
    documents = CORPORA[corpus]
    sequences = pack(documents, max_tokens, pairs=True)
    document_of_token = np.repeat(np.arange(len(documents)), [*map(sum, documents)])
    rows = rows_of(sequences)
    for row, document in zip(rows, sequences.documents, strict=True):
        ids = np.concatenate(row) - FIRST
        assert set(document_of_token[ids]) == {document}
        if sum(map(bool, documents[document])) > 1:
            assert len(row) > 1
    assert sequences.paired_rows == sum(len(row) > 1 for row in rows)


BY_EXAMPLE = {
    "a short document is whole": ([10, 3], [[10, 3]]),
    "as many as fit": ([4, 4, 4, 4, 4], [[4, 4, 4], [4, 4]]),
    "the last takes one of three": ([4, 4, 4, 6], [[4, 4], [4, 6]]),
    "the last is cut": ([4, 5, 6], [[4, 5], [3, 3]]),
    "the one before the last is cut": ([5, 6, 4], [[5, 3], [3, 4]]),
    "a long sentence is cut into equal parts": ([2, 10, 3], [[2, 5], [5, 3]]),
}


@pytest.mark.parametrize("example", BY_EXAMPLE)
def test_pairs_by_example(example):
    document, expected = BY_EXAMPLE[example]
    assert lengths_of(pack([document], 16, pairs=True)) == expected


def test_full_rows_by_example():
    sequences = pack([[4, 4], [2], [12], [3, 30, 5]], 14, pairs=False)
    sep = [SEP]
    count = iter(range(FIRST, 1000))

    def some(number):
        return [next(count) for _ in range(number)]

    rows = rows_of(sequences)
    assert rows == [
        [some(4), some(4) + sep, some(2)],
        [some(12)],
        [some(3), some(9)],
        [some(12)],
        [some(9)],
        [some(5)],
    ]
    assert sequences.documents.tolist() == [0, 2, 3, 3, 3, 3]


@both
def test_too_few_tokens_for_a_row(pairs):
    least = 7 if pairs else 3
    assert len(pack([[3, 2], [1]], least, pairs=pairs)) > 0
    with pytest.raises(OptionError, match=f"at most {least - 1} tokens.* allow at least {least}"):
        pack([[3, 2], [1]], least - 1, pairs=pairs)


@both
@pytest.mark.parametrize("documents", [[], [[]], [["0", "0"], []]], ids=["no", "empty", "blank"])
def test_no_tokens_at_all(pairs, documents):
    with pytest.raises(DataError, match="the corpus has no tokens at all"):
        pack_sequences(Numbering(), documents, max_tokens=128, pairs=pairs, separator=SEP)
