"""Writes the list of the package's files into docs/architecture.md, from their docstrings.

python -m docs.files

Each file is described by the first line of its docstring, each folder by that of its
`__init__.py`. Nothing is imported.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN = "<!-- files: written by `python -m docs.files`, not by hand -->\n"
END = "<!-- end of the files -->\n"


def render(root: Path = ROOT) -> str:
    """Returns the list: a table a folder, in the order in which data flows through them.

    Args:
        root: The repository.
    """
    package = root / "kerasnlp_lab"
    folders = {path.parent for path in package.rglob("*.py")} - {package}
    order = _order(root)

    def place(folder: Path) -> tuple[int, str]:
        name = folder.relative_to(package).as_posix()
        top = name.split("/")[0]
        return (order.index(top) if top in order else len(order), name)

    parts = [_table("kerasnlp_lab", "what everything else uses", package)]
    for folder in sorted(folders, key=place):
        title = f"kerasnlp_lab/{folder.relative_to(package).as_posix()}"
        parts.append(_table(title, _summary(folder / "__init__.py"), folder))
    return "\n".join(parts)


def with_files(page: str, files: str) -> str:
    """Returns a page with its list of files replaced.

    Args:
        page: The page's Markdown, with the two comments that the list stands between.
        files: The list.
    """
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{files}\n{END}{after}"


def _order(root: Path) -> list[str]:
    """Returns the folders from the first that data passes through to the last."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    [contract] = settings["tool"]["importlinter"]["contracts"]
    names = re.findall(r"kerasnlp_lab\.(\w+)", " ".join(reversed(contract["layers"])))
    return list(names)


def _table(title: str, summary: str, folder: Path) -> str:
    rows = [
        f"| `{path.name}` | {_summary(path).replace('|', chr(92) + '|')} |"
        for path in sorted(folder.glob("*.py"))
        if path.name != "__init__.py"
    ]
    return "\n".join([f"**{title}/**: {summary}\n", "| file | |", "|---|---|", *rows, ""])


def _summary(path: Path) -> str:
    """Returns the first line of a module's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) if path.exists() else ""
    return (text or "").split("\n")[0].rstrip(".")


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_files(page, render()), encoding="utf-8")


if __name__ == "__main__":
    main()
