"""The list of files in docs/architecture.md is current."""

from docs import files


def test_the_list_of_files_is_up_to_date():
    page = files.PAGE.read_text(encoding="utf-8")
    current = files.with_files(page, files.render())
    assert page == current, "a file's name or first docstring line changed: python -m docs.files"


def test_every_file_of_the_package_is_described():
    listed = files.render()
    for path in (files.ROOT / "kerasnlp_lab").rglob("*.py"):
        if path.name != "__init__.py":
            assert f"| `{path.name}` | " in listed, path
    undescribed = [row for row in listed.splitlines() if row.startswith("| `") and "|  |" in row]
    assert not undescribed, "these need a docstring"
