"""`note_on_unspaced`: finds texts that a model of words cannot split, for lack of spaces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice

from kerasnlp_lab.data.inspection.scripts import script_counts
from kerasnlp_lab.data.words import UNSPACED

__all__ = ["note_on_unspaced"]

SAMPLE = 1000  # texts
LONG_WORD = 5  # letters; a Chinese or Thai word has about 2 or 4
ADVICE = "put spaces between the words, or use a BERT that knows the script: see 'hub list'"


def note_on_unspaced(texts: Iterable[str | bytes], advice: str = ADVICE) -> str:
    """Returns a sentence on texts whose words have no spaces between them; "" for others.

    Args:
        texts: Training texts, the first of which are looked at.
        advice: What to do, with which the sentence ends.
    """
    first = islice(texts, SAMPLE)
    sample = [text if isinstance(text, str) else text.decode("utf-8", "replace") for text in first]
    letters: Counter[str] = sum(map(script_counts, sample), Counter())
    unspaced = Counter({script: letters[script] for script in letters if script in UNSPACED})
    words = sum(len(text.split()) for text in sample)
    if 2 * unspaced.total() <= letters.total():
        return ""
    length = letters.total() / words
    one_a_text = words < 1.5 * len(sample) and length >= 2
    if length < LONG_WORD and not one_a_text:
        return ""
    [(script, _)] = unspaced.most_common(1)
    return (
        f"this model splits texts at spaces, and {script} is written without: a text has "
        f"{words / len(sample):.1f} words of {length:.1f} letters; {advice}"
    )
