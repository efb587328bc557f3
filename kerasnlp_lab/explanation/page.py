"""`explanation_page`: renders an explanation as one interactive HTML page."""

from __future__ import annotations

import base64
import json

import jinja2
import numpy as np

from kerasnlp_lab.data.inspection.scripts import script_counts
from kerasnlp_lab.evaluation.report import render_page
from kerasnlp_lab.explanation.explanation import Explanation

__all__ = ["explanation_page"]

# Browsers draw the same Chinese character differently in these languages.
LANGUAGES = {"Hiragana": "ja", "Katakana": "ja", "Hangul": "ko", "Han": "zh"}
FULL = 65535  # encodes a share of 1 in the page's data


def explanation_page(explanation: Explanation) -> str:
    """Returns a page with selectors for layer and head. It needs only a browser, no network.

    The attention of a pool is one row. Without attention, the page has the contributions alone.

    The page stores attention with 16 bits per number.
    """
    data = {
        "text": explanation.text,
        "pair": explanation.pair,
        "secondStart": explanation.second_start,
        "label": explanation.label,
        "probabilities": explanation.probabilities,
        "tokens": [token.text for token in explanation.tokens],
        "wordOf": [token.word for token in explanation.tokens],
        "words": [[word.text, word.start, word.end, word.tokens] for word in explanation.words],
        "contributions": explanation.contributions.tolist(),
        "wordContributions": explanation.word_contributions.tolist(),
        "layers": explanation.attention.shape[0],
        "heads": explanation.attention.shape[1],
        "pools": explanation.pools,
        "attention": _pack(explanation.attention),
        "rollout": _pack(explanation.rollout),
    }
    # A "<" could end the script element that holds the data.
    encoded = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return render_page(
        "kerasnlp_lab.explanation",
        "explanation.html.j2",
        explanation=explanation,
        language=_language(explanation.text),
        data=jinja2.filters.Markup(encoded),
    )


def _language(text: str) -> str:
    """Returns the language of a text in HTML's code; "" if the characters do not tell."""
    letters = script_counts(text)
    found = [code for script, code in LANGUAGES.items() if letters[script]]
    east_asian = sum(letters[script] for script in LANGUAGES)
    return found[0] if 2 * east_asian > letters.total() else ""


def _pack(shares: np.ndarray) -> str:
    """Returns numbers from 0 to 1 as base64 of unsigned 16-bit integers, lowest byte first."""
    whole = np.round(np.clip(shares, 0, 1) * FULL).astype("<u2")
    return base64.b64encode(whole.tobytes()).decode()
