"""From strings to batches of features."""

from kerasnlp_lab.text.character_vectorizer import CharacterVectorizer
from kerasnlp_lab.text.piece_vectorizer import PieceVectorizer
from kerasnlp_lab.text.pipeline import (
    Share,
    TokenizedTexts,
    evaluation_batches,
    tokenize,
    training_batches,
)
from kerasnlp_lab.text.tfidf_vectorizer import TfidfVectorizer
from kerasnlp_lab.text.vectorizer import TextVectorizer
from kerasnlp_lab.text.word_vectorizer import WordVectorizer

__all__ = [
    "CharacterVectorizer",
    "PieceVectorizer",
    "Share",
    "TextVectorizer",
    "TfidfVectorizer",
    "TokenizedTexts",
    "WordVectorizer",
    "evaluation_batches",
    "tokenize",
    "training_batches",
]
