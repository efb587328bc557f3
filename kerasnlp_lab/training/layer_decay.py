"""`learning_rate_shares`: gives lower layers smaller learning rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerasnlp_lab.bert.encoder import layer_of
from kerasnlp_lab.errors import OptionError

__all__ = ["learning_rate_shares"]


def learning_rate_shares(variables: Sequence[Any], layer_decay: float) -> dict[str, float]:
    """Returns the factor of the learning rate for each variable, by name.

    The factor is 1 for the head and the pooler, layer_decay for the encoder's last layer,
    layer_decay squared for the layer below, and so on down to the embeddings.

    Args:
        variables: The variables of the network.
        layer_decay: The learning rate of a layer, divided by that of the layer above it.

    Raises:
        OptionError: No variable belongs to a layer of a BERT.

    Source: Howard and Ruder 2018, https://arxiv.org/abs/1801.06146; in this form
    Clark et al. 2020 (ELECTRA), https://arxiv.org/abs/2003.10555.
    """
    depths = {variable.name: layer_of(variable.name) for variable in variables}
    top = max((depth for depth in depths.values() if depth is not None), default=0)
    if not top:
        raise OptionError("layer_decay must be 1 for a model without a BERT: it has no such layers")
    return {
        name: 1.0 if depth is None else layer_decay ** (top + 1 - depth)
        for name, depth in depths.items()
    }
