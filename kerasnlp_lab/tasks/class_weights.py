"""`class_weights`: computes the weight of each class in the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kerasnlp_lab.errors import OptionError, UnknownNameError, check_option

__all__ = ["class_weights"]


def class_weights(spec: str, counts: np.ndarray, label_names: Sequence[str]) -> np.ndarray | None:
    """Returns the weight of each class, float64 [classes]; None if all weigh the same.

    Args:
        spec: "none", "balanced" or "name=weight,..."; see `Recipe`.
        counts: The number of training rows of each class, never 0, int64 [classes].
        label_names: The classes, in the order of their label ids.

    Raises:
        OptionError: The spec has none of these forms.
        UnknownNameError: The spec names an unknown class.

    Example:
        >>> class_weights("balanced", np.array([3, 1]), ["ham", "spam"]).round(3).tolist()
        [0.667, 2.0]
    """
    forms = "none, balanced or CLASS=WEIGHT,..."
    check_option("class_weight", spec, isinstance(spec, str), f"a string: {forms}")
    if spec == "none":
        return None
    if spec == "balanced":
        # sklearn.utils.class_weight.compute_class_weight would need the label of each row.
        return counts.sum() / (len(label_names) * counts)
    weights = np.ones(len(label_names))
    for part in spec.split(","):
        name, equals, number = part.rpartition("=")
        try:
            weight = float(number) if equals else 0.0
        except ValueError:
            weight = 0.0
        if not 0 < weight < float("inf"):
            raise OptionError(f"class_weight must be {forms}, got {spec!r}")
        if name.strip() not in label_names:
            raise UnknownNameError("class", name.strip(), label_names)
        weights[list(label_names).index(name.strip())] = weight
    return weights
