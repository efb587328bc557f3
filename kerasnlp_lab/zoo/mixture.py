"""`Mixture`: several classifiers that answer together, by a weighted mean of their logits."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.paths import sha256_of_files, whole_directory, write_whole
from kerasnlp_lab.zoo.classifier import DESCRIPTION_FILE, Classifier
from kerasnlp_lab.zoo.inside import Inside
from kerasnlp_lab.zoo.network import StringModel

__all__ = ["MEMBERS", "MIX", "Mixture", "mix_classifiers"]

MIX = "mix"  # stands for a model's name where a mixture is saved
MEMBERS = "members"  # the folder of the classifiers in a saved mixture


@dataclasses.dataclass(frozen=True, eq=False)
class Mixture(Classifier):
    """Classifiers of one task with the same classes, whose logits are averaged.

    Each one's logits are divided by the temperature of its decision before, so that the mean is
    one of calibrated log-probabilities, but for a constant a row. A mixture has no network of its
    own and is not trained. Make one by `mix_classifiers`.

    Args:
        members: The classifiers.
        weights: The share of each in the mean.
        made_from: What each was called, such as its run directory.
    """

    members: tuple[Classifier, ...] = ()
    weights: tuple[float, ...] = ()
    made_from: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return MIX

    @property
    def encoder(self) -> None:
        """None: its members may have encoders."""
        return None

    def mean(self, logits: Sequence[Any]) -> Any:
        """Returns the weighted mean of the logits of all members, arrays or tensors."""
        pairs = zip(self.weights, self.members, logits, strict=True)
        return sum(one * (weight / member.decision.temperature) for weight, member, one in pairs)

    @cached_property
    def model(self) -> keras.Model:
        """Strings [batch] to logits [batch, classes]: a plain Keras model on the same weights."""
        texts = keras.Input(shape=(), dtype=tf.string, name="text")
        logits = [
            # Two members may have networks of the same name, which one model may not.
            StringModel(texts, member.network(member.text(texts)), name=f"member_{number}")(texts)
            for number, member in enumerate(self.members)
        ]
        return StringModel(texts, self.mean(logits), name="strings_to_logits")

    def fused(self) -> Any:
        """Returns a graph for each member, for `predict_logits` and `logits_in_graph`."""
        return tuple(member.fused() for member in self.members)

    def logits_in_graph(self, fused: Any, texts: tf.Tensor) -> Any:
        pairs = zip(self.members, fused, strict=True)
        return self.mean([member.logits_in_graph(one, texts) for member, one in pairs])

    def owned_by_export(self, fused: Any) -> list[Any]:
        pairs = zip(self.members, fused, strict=True)
        return [part for member, one in pairs for part in member.owned_by_export(one)]

    def look_inside(self) -> Inside:
        """Raises OptionError."""
        raise OptionError(
            f"a mix has no attention of its own: explain {' or '.join(self.made_from)}"
        )

    def save(self, folder: str | Path) -> None:
        with whole_directory(folder) as target:
            for number, member in enumerate(self.members):
                member.save(target / MEMBERS / str(number))
            description = {
                "model": MIX,
                "weights": self.weights,
                "made_from": self.made_from,
                "task": self.task.to_json(),
                **({"pair": list(self.pair)} if self.pair else {}),
                "decision": dataclasses.asdict(self.decision),
                "sha256": sha256_of_files(target),
            }
            write_whole(target / DESCRIPTION_FILE, json.dumps(description, indent=2) + "\n")


def mix_classifiers(
    members: Sequence[Classifier],
    weights: Sequence[float],
    made_from: Sequence[str],
    decision: Any = None,
) -> Mixture:
    """Returns the mixture of classifiers.

    Args:
        members: Classifiers of one task, with the same classes in the same order.
        weights: The share of each.
        made_from: A name for each, for messages.
        decision: The rule that turns the mean into answers; None for the task's default.
    """
    first = members[0]
    # The precision that it reports is the one of a BERT, if there is one.
    options = next((one.options for one in members if one.encoder is not None), first.options)
    return Mixture(
        first.entry,
        options,
        first.task,
        first.text,
        None,  # nothing that a mixture inherits uses a network
        first.task.decision_type() if decision is None else decision,
        first.pair,
        members=tuple(members),
        weights=tuple(map(float, weights)),
        made_from=tuple(made_from),
    )
