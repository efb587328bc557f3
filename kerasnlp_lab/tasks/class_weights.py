"""`class_weights`: computes the weight of each class in the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kerasnlp_lab.errors import OptionError, UnknownNameError, check_option

__all__ = ["class_weights"]

FORMS = "none, balanced or CLASS=WEIGHT,..."


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
    check_option("class_weight", spec, isinstance(spec, str), f"a string: {FORMS}")
    if spec == "none":
        return None
    if spec == "balanced":
        # sklearn.utils.class_weight.compute_class_weight would need the label of each row.
        return counts.sum() / (len(label_names) * counts)
    weights = np.ones(len(label_names))
    for name, weight in _assignments(spec, set(label_names)):
        weights[list(label_names).index(name)] = weight
    return weights


def _assignments(spec: str, label_names: set[str]) -> list[tuple[str, float]]:
    """Splits "name=weight,..." at the commas that are in no class name.

    Raises:
        OptionError: The spec has another form, or can be read in two ways.
        UnknownNameError: The spec names an unknown class.
    """
    parts = spec.split(",")
    longest = 1 + max(name.count(",") for name in label_names)
    # For each number of parts, the ways to read them: none, one, or two that stand for more.
    ways: list[list[list[tuple[str, float]]]] = [[[]]]
    for end in range(1, len(parts) + 1):
        ways.append([])
        for start in range(max(0, end - longest), end):
            name, weight = _assignment(",".join(parts[start:end]))
            name = name if name in label_names else name.strip()
            if weight and name in label_names:
                ways[end] += [[*before, (name, weight)] for before in ways[start]]
        ways[end] = ways[end][:2]
    if len(ways[-1]) == 2:
        readings = " or ".join(str(dict(way)) for way in ways[-1])
        raise OptionError(
            f"class_weight {spec!r} can be read in two ways: {readings}; rename a class in the data"
        )
    if ways[-1]:
        return ways[-1][0]
    readable = max(end for end in range(len(ways)) if ways[end])
    for name, weight in map(_assignment, parts[readable:]):
        if not weight:
            raise OptionError(f"class_weight must be {FORMS}, got {spec!r}")
        if name.strip() not in label_names:
            break
    raise UnknownNameError("class", name.strip(), label_names)


def _assignment(part: str) -> tuple[str, float]:
    """Returns the name and the weight of "name=weight"; the weight is 0 if there is none."""
    name, equals, number = part.rpartition("=")
    try:
        weight = float(number) if equals else 0.0
    except ValueError:
        weight = 0.0
    return name, weight if 0 < weight < float("inf") else 0.0
