"""Reads annotation files: texts with entities, in the formats that people have."""

from kerasnlp_lab.data.entities.fitting import REMARKS, Remark, shown_span
from kerasnlp_lab.data.entities.loading import load_entities, load_entity_rows
from kerasnlp_lab.data.entities.tokens import is_unspaced

__all__ = [
    "REMARKS",
    "Remark",
    "is_unspaced",
    "load_entities",
    "load_entity_rows",
    "shown_span",
]
