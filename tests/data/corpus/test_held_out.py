"""Held-out documents: a share of at least one, by seed and number alone."""

import numpy as np
import pytest

from kerasnlp_lab.data.corpus import hold_out
from kerasnlp_lab.errors import OptionError
from tests.data.corpus.opening import opened, written


@pytest.fixture
def corpus(tmp_path):
    def of(documents, **options):
        text = "".join(f"Document {n} is here. And more.\n" for n in range(documents))
        return opened(written(tmp_path / "a.txt", text), **options)

    return of


@pytest.mark.parametrize(
    ("size", "share", "count"), [(2, 0.01, 1), (2, 0.99, 1), (10, 0.25, 2), (300, 0.05, 15)]
)
def test_a_share_of_the_documents_is_held_out(size, share, count, corpus):
    found = corpus(size)
    parts = hold_out(found, share, seed=3)
    training, validation = list(parts.training()), list(parts.validation())
    assert len(validation) == parts.held.sum() == count
    every = list(found.documents())
    assert training == [every[n] for n in range(size) if not parts.held[n]]
    assert validation == [every[n] for n in range(size) if parts.held[n]]


@pytest.mark.parametrize(("size", "count"), [(4, 2), (10, 5), (100, 8)])
def test_some_are_held_out_at_least_unless_they_are_more_than_half(size, count, corpus):
    assert hold_out(corpus(size), 0.01, 0, least=8).held.sum() == count


def test_the_seed_and_a_documents_number_decide(corpus):
    held = [hold_out(corpus(200), 0.1, seed).held for seed in (0, 0, 1)]
    np.testing.assert_array_equal(held[0], held[1])
    assert 0 < (held[0] & held[2]).sum() < 20
    # The order of the documents' random numbers stays when documents are added.
    more = np.flatnonzero(hold_out(corpus(220), 20 / 220, 0).held)
    assert set(more[more < 200]) <= set(np.flatnonzero(held[0]))


@pytest.mark.parametrize("sentences_needed", [True, False])
@pytest.mark.parametrize(("share", "count"), [(0.01, 1), (0.2, 2), (0.99, 9)])
def test_of_one_document_the_last_sentences_are_held_out(share, count, sentences_needed, tmp_path):
    sentences = [f"Sentence {n} is here." for n in range(10)]
    path = written(tmp_path / "a.txt", " ".join(sentences))
    parts = hold_out(opened(path, sentences_needed=sentences_needed), share, 0)
    assert list(parts.training()) == [sentences[: 10 - count]]
    assert list(parts.validation()) == [sentences[10 - count :]]


def test_sentences_of_one_document_are_not_cut_again(tmp_path):
    path = written(tmp_path / "a.txt", "One dog. Two dogs.\nThree dogs. Four dogs.\n")
    parts = hold_out(opened(path, lines="sentences"), 0.5, 0)
    assert list(parts.training()) == [["One dog. Two dogs."]]
    assert list(parts.validation()) == [["Three dogs. Four dogs."]]


@pytest.mark.parametrize(("share", "seed"), [(0, 0), (1, 0), (0.1, -1), (0.1, 2**32)])
def test_options(share, seed, corpus):
    with pytest.raises(OptionError, match="must be|from 0|between"):
        hold_out(corpus(3), share, seed)
