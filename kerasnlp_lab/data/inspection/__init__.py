"""Inspection: problems in a table of texts and labels, and a cleaned copy of it."""

from kerasnlp_lab.data.inspection.entities import inspect_entities
from kerasnlp_lab.data.inspection.finding import KINDS, Finding
from kerasnlp_lab.data.inspection.fixing import Change, Cleaned, clean
from kerasnlp_lab.data.inspection.inspection import Inspection, inspect_table
from kerasnlp_lab.data.inspection.lengths import Lengths
from kerasnlp_lab.data.inspection.results import write_inspection
from kerasnlp_lab.data.inspection.summary import print_summary

__all__ = [
    "KINDS",
    "Change",
    "Cleaned",
    "Finding",
    "Inspection",
    "Lengths",
    "clean",
    "inspect_entities",
    "inspect_table",
    "print_summary",
    "write_inspection",
]
