"""Reads annotation files: texts with entities, in the formats that people have."""

from kerasnlp_lab.data.entities.fitting import Remark
from kerasnlp_lab.data.entities.loading import load_entities, load_entity_rows

__all__ = ["Remark", "load_entities", "load_entity_rows"]
