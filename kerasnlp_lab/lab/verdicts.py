"""`verdict`: a sentence on whether two models differ by more than chance on the same rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kerasnlp_lab.evaluation import Evaluation
from kerasnlp_lab.evaluation.paired_tests import (
    mcnemar_exact,
    paired_bootstrap_f1,
    paired_permutation,
)

__all__ = ["verdict"]

SIGNIFICANCE = 0.05


def verdict(
    names: tuple[str, str], better: Sequence[Evaluation], worse: Sequence[Evaluation]
) -> str:
    """Returns a sentence with the difference and its p-value.

    Args:
        names: What the sentence calls the two models.
        better: The results of the model with the higher headline, one for each seed.
        worse: The results of the other model on the same rows.
    """
    if better[0].f1_counts is not None:
        return _verdict_on_f1(names, better, worse)
    right = [np.array([run.right for run in runs]) for runs in (better, worse)]  # [seeds, rows]
    difference = 100 * float(right[0].mean() - right[1].mean())
    yes_or_no = all(np.isin(one, (0, 1)).all() for one in right)
    if len(better) == 1 and yes_or_no:
        p, ahead = mcnemar_exact(right[0][0] == 1, right[1][0] == 1), ""
    else:
        p = paired_permutation(right[0].mean(axis=0), right[1].mean(axis=0))
        wins = int(np.sum(right[0].mean(axis=1) > right[1].mean(axis=1)))
        ahead = f", ahead with {wins} of {len(better)} seeds"
    if p < SIGNIFICANCE:
        return (
            f"{names[0]} is better than {names[1]} by {difference:.2f} points (p = {p:.2g}{ahead})"
        )
    return (
        f"{names[0]} and {names[1]}: a difference of {difference:.2f} points is within noise "
        f"(p = {p:.2g}{ahead})"
    )


def _verdict_on_f1(
    names: tuple[str, str], better: Sequence[Evaluation], worse: Sequence[Evaluation]
) -> str:
    counts = [[run.f1_counts for run in runs] for runs in (better, worse)]
    low, high, p = paired_bootstrap_f1(*counts)
    means = [np.mean([run.headline[1] for run in runs]) for runs in (better, worse)]
    difference = 100 * float(means[0] - means[1])
    name = "macro-F1" if better[0].headline[0] == "macro_f1" else "F1"
    of = f"{difference:.2f} points of {name} (95% {100 * low:.2f} to {100 * high:.2f}, p = {p:.2g})"
    if p < SIGNIFICANCE:
        return f"{names[0]} is better than {names[1]} by {of}"
    return f"{names[0]} and {names[1]}: a difference of {of} is within noise"
