"""Layer-wise decay of the learning rate: the lower a layer, the smaller its steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerasnlp_lab.bert.encoder import layer_of
from kerasnlp_lab.errors import OptionError

__all__ = ["learning_rate_shares"]


def learning_rate_shares(variables: Sequence[Any], layer_decay: float) -> dict[str, float]:
    """Returns the share of the learning rate that each variable has, by its name.

    The head and the pooler have all of it, the encoder's last layer has layer_decay,
    the layer below layer_decay squared, and so on down to the embeddings.

    Args:
        variables: Those of the network that is trained.
        layer_decay: The learning rate of a layer, divided by that of the layer above it.

    Raises:
        OptionError: None of the variables belongs to a layer of a BERT.

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
