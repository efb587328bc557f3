"""`fit_entity_temperature`: calibrates the scores of entities on validation rows."""

from __future__ import annotations

import numpy as np
import scipy.optimize
import scipy.special

from kerasnlp_lab.tasks.tagging import TokenLogits

__all__ = ["fit_entity_temperature"]

LOG_TEMPERATURES = (-3.0, 3.0)


def fit_entity_temperature(
    logits: TokenLogits, tags: np.ndarray, gold: np.ndarray, follows: np.ndarray
) -> float:
    """Finds the temperature with the lowest log loss of the scores of entities.

    A score is the lowest probability of a tag of its words, as in
    `kerasnlp_lab.tasks.tagging.entities_of_tags`. An entity is right if all its tags are, and if
    it ends where the true one does. One of each kind is added in equal shares, as Platt does, so
    that a few entities that are all right do not push every score to 1.

    Args:
        logits: The logits of the validation rows, as NumPy arrays.
        tags: The best tag of each token, int32 [tokens].
        gold: The true tag of each token, int32 [tokens].
        follows: Whether a token follows its word, bool [tokens].

    Returns:
        The temperature; 1 if no entity was found.

    Source: Platt 1999, "Probabilistic outputs for support vector machines".
    """
    within = np.flatnonzero(tags)
    first = np.flatnonzero(tags[within] % 2 == 1)  # the entities among these
    if not len(first):
        return 1.0
    after = within[np.append(first[1:], len(within)) - 1] + 1  # the token after each entity
    beyond = np.append(gold, 0)[after]
    ends = np.isin(after, np.cumsum(logits.tokens.lengths)) | (beyond == 0) | (beyond % 2 == 1)
    right = np.logical_and.reduceat((tags == gold)[within], first) & ends
    chosen, values, yes = tags[within], logits.values[within], right.sum()
    target = np.where(right, (yes + 1) / (yes + 2), 1 / (len(right) - yes + 2))

    def loss(log_temperature: float) -> float:
        shares = scipy.special.softmax(values / np.exp(log_temperature), axis=1)
        of_tag = np.where(follows[within], 1.0, shares[np.arange(len(chosen)), chosen])
        score = np.minimum.reduceat(of_tag, first)
        score = np.clip(score, 1e-7, 1 - 1e-7)
        return -float(np.mean(target * np.log(score) + (1 - target) * np.log(1 - score)))

    found = scipy.optimize.minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded")
    return float(np.exp(found.x))
