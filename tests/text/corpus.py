"""Small texts with everything that is hard for tokenizers."""

import csv
from importlib import resources

import numpy as np

ODD_TEXTS = [
    "Élan vital, ÉLAN VITAL; naïve café — déjà vu. Élan naïve",
    "Der Fußgänger überquert die STRASSE, die Straße, die Strasse; überquert die Straße",
    "ΟΔΥΣΣΕΥΣ και Οδυσσεύς, οδυσσευς και ΟΔΥΣΣΕΥΣ και",
    "Привет, мир! привет МИР и мир",
    "日本語の文章 日本語の文章 東京 東京 大阪",
    "emoji 🙂🙂 and 👩‍👩‍👧 family emoji and 🙂",
    "İstanbul ISTANBUL ıstanbul istanbul İstanbul",
    "e\u0301lan (decomposed) e\u0301lan nai\u0308ve",
    "under_score under_score 3.14 3.14 1,000 1,000 ½ ½½ ²³ ²³ x² x²",
    "a b c I'm you're O'Neill O'Neill don't don't rock'n'roll",
    "مرحبا بالعالم مرحبا بالعالم नमस्ते दुनिया नमस्ते दुनिया",
    "tabs\tand\nnew lines\r\nand\u00a0no-break\u2028separators tabs and new lines and",
    "zero\u200bwidth zero\u200bwidth \x1cseparator\x1f separator",
    "http://example.com/?q=1&amp;r=2 http://example.com/?q=1&amp;r=2 #39;s quot;",
    "",
    "   ",
    "!?!",
    "x",
]


def news_texts():
    """Returns the descriptions in the built-in corpus, without the package's reader."""
    path = resources.files("kerasnlp_lab.data") / "news_sample" / "train.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [row["description"] for row in csv.DictReader(file)]


def texts_of_lengths(lengths, seed=0):
    """Returns texts with these numbers of words. Each begins with a unique word."""
    rng = np.random.default_rng(seed)
    return [
        " ".join([f"t{row}", *(f"w{word}" for word in rng.integers(0, 30, length - 1))])
        for row, length in enumerate(lengths)
    ]
