"""Data: where texts and labels come from, and how they are split."""

from kerasnlp_lab.data.dataset import Split, TextDataset
from kerasnlp_lab.data.leaks import without_leaks
from kerasnlp_lab.data.registry import dataset_cards, load_dataset
from kerasnlp_lab.data.table import load_labelled_rows, load_table

__all__ = [
    "Split",
    "TextDataset",
    "dataset_cards",
    "load_dataset",
    "load_labelled_rows",
    "load_table",
    "without_leaks",
]
