"""Data: texts and labels from datasets, tables and shards, split in three."""

from kerasnlp_lab.data.dataset import Annotation, Split, TextDataset
from kerasnlp_lab.data.description import describe_dataset, load_again
from kerasnlp_lab.data.entities import load_entities, load_entity_rows
from kerasnlp_lab.data.file_source import EntityFiles, TableFiles
from kerasnlp_lab.data.leaks import without_leaks
from kerasnlp_lab.data.registry import dataset_cards, load_dataset
from kerasnlp_lab.data.sharded_split import ShardedSplit
from kerasnlp_lab.data.shards import load_shards, write_shards
from kerasnlp_lab.data.source import (
    LeaksLeftOut,
    NamedDataset,
    PythonRows,
    Shards,
    Source,
)
from kerasnlp_lab.data.spans import Span
from kerasnlp_lab.data.table import load_labelled_rows, load_table

__all__ = [
    "Annotation",
    "EntityFiles",
    "LeaksLeftOut",
    "NamedDataset",
    "PythonRows",
    "ShardedSplit",
    "Shards",
    "Source",
    "Span",
    "Split",
    "TableFiles",
    "TextDataset",
    "dataset_cards",
    "describe_dataset",
    "load_again",
    "load_dataset",
    "load_entities",
    "load_entity_rows",
    "load_labelled_rows",
    "load_shards",
    "load_table",
    "without_leaks",
    "write_shards",
]
