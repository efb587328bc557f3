"""Corpora: documents of sentences to pre-train on, out of texts of any form and size."""

from kerasnlp_lab.data.corpus.corpus import Corpus, open_corpus
from kerasnlp_lab.data.corpus.held_out import HeldOut, hold_out
from kerasnlp_lab.data.corpus.source import CorpusSource

__all__ = ["Corpus", "CorpusSource", "HeldOut", "hold_out", "open_corpus"]
