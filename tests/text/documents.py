"""Documents for tests of pre-training: sentences of given lengths, with a token for each place."""

from collections.abc import Sequence

import numpy as np

from kerasnlp_lab.text.masking import MaskingVocabulary
from kerasnlp_lab.text.sequences import TokenSequences, pack_sequences

PAD, UNK, CLS, SEP, MASK = SPECIAL = range(5)
FIRST = 10  # the id of the corpus' first token
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]"]


def vocabulary(size: int) -> MaskingVocabulary:
    """Returns facts about six special pieces and others, every third of which continues a word."""
    others = [("##" if number % 3 == 2 else "") + f"p{number}" for number in range(6, size)]
    return MaskingVocabulary.of_pieces([*PIECES, *others])


class Numbering:
    """Reads a sentence as a number of tokens, whose ids count on from `FIRST`."""

    def __init__(self):
        self.next = FIRST

    def __call__(self, sentences: list[str]) -> tuple[np.ndarray, np.ndarray]:
        lengths = np.array([int(sentence) for sentence in sentences], np.int64)
        self.next += lengths.sum()
        return np.arange(self.next - lengths.sum(), self.next, dtype=np.int32), lengths


def pack(documents: Sequence[Sequence[int]], max_tokens: int, *, pairs: bool) -> TokenSequences:
    """Packs documents, given as the lengths of their sentences."""
    texts = ([str(length) for length in document] for document in documents)
    return pack_sequences(Numbering(), texts, max_tokens=max_tokens, pairs=pairs, separator=SEP)


def random_documents(count: int, most_sentences: int, seed: int = 0) -> list[list[int]]:
    """Returns the lengths of sentences: 20 tokens or so, some of more than 100."""
    rng = np.random.default_rng(seed)
    return [
        rng.lognormal(3, 0.6, rng.integers(1, most_sentences + 1)).astype(int).tolist()
        for _ in range(count)
    ]
