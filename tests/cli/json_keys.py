"""Compares the output of --json with the keys that docs/json.md lists."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
ONLY_WHERE_ASKED = {"recall_at_fpr", "file", "line", "columns", "confusion_pairs"}
ONLY_WHERE_ASKED |= {"second_text", "of"}  # of a model of pairs


def documented_commands():
    return re.findall(r"^## (.+)$", PAGE, re.MULTILINE)


def assert_documented(document, command):
    """Checks that a document, or each one in a list, has exactly the keys on the page."""
    (section,) = re.findall(rf"^##+ {command}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    paths = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert paths, command
    is_list = "A list" in section
    assert isinstance(document, list) == is_list
    for one in document if is_list else [document]:
        _compare(one, paths)


def _compare(document, paths):
    nested = {}
    for path in paths:
        key, _, rest = path.partition(".")
        nested.setdefault(key, []).extend([rest] if rest else [])
    names = {key.removesuffix("[]") for key in nested}
    assert document.keys() - ONLY_WHERE_ASKED == names - ONLY_WHERE_ASKED
    for key, inner in nested.items():
        if inner:
            items = document[key.removesuffix("[]")] if key.endswith("[]") else [document[key]]
            assert items
            for item in items:
                _compare(item, inner)
