"""`write_inspection`: the files of an inspection in a folder."""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path

from kerasnlp_lab.data.inspection.fixing import Cleaned
from kerasnlp_lab.data.inspection.inspection import Inspection
from kerasnlp_lab.data.inspection.lengths import lengths_png
from kerasnlp_lab.data.tables import csv_content
from kerasnlp_lab.paths import check_new, user_path, write_whole

__all__ = ["write_inspection"]

FINDING_COLUMNS = ("kind", "path", "line", "label", "text", "detail")
CHANGE_COLUMNS = ("path", "line", "action", "reason", "before", "after")


def write_inspection(
    inspection: Inspection, folder: str | Path, cleaned: Cleaned | None = None
) -> None:
    """Writes findings.csv, lengths.png, a cleaned copy with changes.csv, and inspection.json.

    Args:
        inspection: The findings.
        folder: A folder that is new or empty. inspection.json is written last: if it is
            missing, the others are incomplete.
        cleaned: The result of `clean`, to be written too.

    Raises:
        RunError: There is something in the folder already.
        StorageError: It cannot be written.
    """
    folder = user_path(folder)
    check_new(folder, "name another --output")
    findings = (astuple(finding) for finding in inspection.findings)
    write_whole(folder / "findings.csv", csv_content(FINDING_COLUMNS, findings))
    if inspection.lengths:
        write_whole(folder / "lengths.png", lengths_png(inspection.lengths))
    if cleaned is not None:
        for name, content in cleaned.files.items():
            write_whole(folder / name, content)
        changes = (astuple(change) for change in cleaned.changes)
        write_whole(folder / "changes.csv", csv_content(CHANGE_COLUMNS, changes))
    everything = json.dumps(inspection.as_dict(), indent=2, ensure_ascii=False)
    write_whole(folder / "inspection.json", everything + "\n")
