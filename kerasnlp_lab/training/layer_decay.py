"""Layer-wise decay of the learning rate: the lower a layer, the smaller its steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kerasnlp_lab.bert.encoder import layer_of
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.training.dense_updates import DenseAdamW

__all__ = ["learning_rate_shares", "use_layer_decay"]


def learning_rate_shares(variables: Sequence[Any], layer_decay: float) -> dict[str, float]:
    """Returns what share of the learning rate each variable has, by its name.

    The head and the pooler have all of it, the encoder's last layer has layer_decay,
    the layer below layer_decay squared, and so on down to the embeddings.

    Source: Howard and Ruder 2018, https://arxiv.org/abs/1801.06146; in this form
    Clark et al. 2020 (ELECTRA), https://arxiv.org/abs/2003.10555.
    """
    depths = {variable.name: layer_of(variable.name) for variable in variables}
    top = max((depth for depth in depths.values() if depth is not None), default=0)
    return {
        name: 1.0 if depth is None else layer_decay ** (top + 1 - depth)
        for name, depth in depths.items()
    }


def use_layer_decay(optimizer: DenseAdamW, variables: Sequence[Any], layer_decay: float) -> None:
    """Makes an AdamW of the Model Garden take steps of each variable's own size.

    Weight decay, a part of the step, shrinks along.

    Args:
        optimizer: The optimizer, before its first step.
        variables: What it trains.
        layer_decay: The rate of a layer by that of the layer above it.

    Raises:
        OptionError: There are no layers of a BERT among them.
    """
    if not any(layer_of(variable.name) for variable in variables):
        raise OptionError("layer_decay must be 1 for a model without a BERT, whose layers it is of")
    optimizer.__class__ = _LayerDecayAdamW  # it has no argument for this, and no other state
    optimizer.shares = learning_rate_shares(variables, layer_decay)


class _LayerDecayAdamW(DenseAdamW):
    shares: dict[str, float]

    def _resource_apply_dense(self, grad: Any, var: Any, apply_state: Any = None) -> Any:
        return super()._resource_apply_dense(grad, var, self._scaled(var, apply_state))

    def _resource_apply_sparse(
        self, grad: Any, var: Any, indices: Any, apply_state: Any = None
    ) -> Any:
        return super()._resource_apply_sparse(grad, var, indices, self._scaled(var, apply_state))

    def _scaled(self, variable: Any, apply_state: Any) -> dict[Any, Any]:
        """Returns Adam's coefficients with the variable's share of the learning rate."""
        place = (variable.device, variable.dtype.base_dtype)
        known = apply_state[place]
        share = self.shares[re.sub(r"/replica_\d+(?=:)", "", variable.name)]
        return {place: {**known, "lr_t": known["lr_t"] * share, "lr": known["lr"] * share}}
