"""Findings in single texts: encoding damage, and scripts."""

from __future__ import annotations

from collections import Counter

import numpy as np

from kerasnlp_lab.data.inspection.encoding import damage, mend, shown_change
from kerasnlp_lab.data.inspection.finding import Finding, printable
from kerasnlp_lab.data.inspection.rows import Rows
from kerasnlp_lab.data.inspection.scripts import SCRIPTS, mixed_words, script_counts

__all__ = ["find_damage", "find_scripts"]


def find_damage(rows: Rows) -> list[Finding]:
    """Returns each kind of damage of each text, and the text after mending."""
    found = []
    for row, text in enumerate(rows.texts()):
        kinds = damage(text)
        if kinds:
            mended = mend(text)
            left = damage(mended)
            for kind, what in kinds.items():
                change = f"would become {shown_change(text, mended)}"
                advice = "cannot be mended" if kind in left else change
                found.append(rows.finding(kind, row, f"{what}; {advice}", text))
    return found


def find_scripts(rows: Rows) -> tuple[dict[str, float], list[Finding]]:
    """Returns the share of letters in each script, largest first, and the texts that stand out."""
    total: Counter[str] = Counter()
    names = (*SCRIPTS, "Other")
    main = np.full(len(rows), -1)
    found = []
    for row, text in enumerate(rows.texts()):
        counts = script_counts(text)
        total.update(counts)
        if counts:
            main[row] = names.index(max(counts, key=lambda name: (counts[name], name)))
        for word, scripts in list(mixed_words(text).items())[:1]:
            detail = f'"{printable(word)}" is written in {scripts}'
            found.append(rows.finding("mixed_scripts", row, detail, text))
    if not total:
        return {}, found
    most = total.most_common(1)[0][0]
    for row in np.flatnonzero((main >= 0) & (main != names.index(most))).tolist():
        detail = f"mostly {names[main[row]]}; the table is mostly {most}"
        found.append(rows.finding("other_script", row, detail))
    letters = sum(total.values())
    return {name: count / letters for name, count in total.most_common()}, found
