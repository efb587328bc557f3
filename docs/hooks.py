"""What the documentation site takes from elsewhere when it is built.

Tables of commands from the command line itself, a page of the reference for each folder of
the package, and pages from files that lie outside docs/.
"""

from __future__ import annotations

import importlib
import posixpath
import re
from collections.abc import Iterator
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import griffe
import typer

import kerasnlp_lab
from kerasnlp_lab.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "kerasnlp_lab"
# Files outside docs/ and the pages that they become.
OUTSIDE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/RESULTS.md": "results.md",
}


class PublicNames(griffe.Extension):
    """Shows griffe, which reads the source, what it cannot see there."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Adds names that a package imports on first use, or from a module of the same name."""
        griffe.DataclassesExtension().on_package(pkg=pkg)  # before names hide modules
        for module in (pkg, *pkg.modules.values()):
            for name, inner in list(module.modules.items()):
                if name in inner.functions and name in map(str, module.exports or ()):
                    module.set_member(name, griffe.Alias(name, inner[name], parent=module))
            if "_HOMES" not in module.members:
                continue
            homes = importlib.import_module(module.path)._HOMES
            for name, home in homes.items():
                target = home if home.startswith(pkg.path) else f"{module.path}.{home}"
                module.set_member(name, griffe.Alias(name, f"{target}.{name}"))
            module.exports = list(homes)

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Names sections of docstrings as griffe knows them."""
        if obj.docstring:
            text = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.M)
            known = r"Other Args: \1"
            text = re.sub(r"^(Call arguments|Features):$", known, text, flags=re.M)
            if obj.is_class:  # a call's: griffe would look for its type in the signature
                text = re.sub(r"^Returns:\n +", "**Returns:** ", text, flags=re.M)
            obj.docstring.value = text


def on_config(config: Any) -> Any:
    """Puts the pages of the reference into the navigation."""
    [reference] = [part["Reference"] for part in config.nav if "Reference" in part]
    reference += [{name: f"reference/{name}.md"} for name in _documented()]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages that are not in docs/."""
    from properdocs.structure.files import File

    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    for name in _documented():
        content = f"::: kerasnlp_lab.{name}\n"
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **kwargs: Any) -> str:
    """Fills in tables, and lets links that work in the repository work on the site."""
    sources = {target: source for source, target in OUTSIDE.items()}
    source = sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    markdown = re.sub(r"(?<=\]\()([^()#\s:]+)(?=[)#])", partial(_link, source), markdown)
    if page.file.src_uri == "commands.md":
        return _with_commands(markdown)
    return markdown.replace("<!-- names of the package -->", _names_of_the_package())


def _link(source: str, found: re.Match[str]) -> str:
    """Returns a link of a repository's file as the link of the page that it becomes.

    Args:
        source: The file's path in the repository.
        found: The link, relative to that file.
    """
    goal = posixpath.normpath(posixpath.join(posixpath.dirname(source), found[1]))
    page = OUTSIDE.get(source, source.removeprefix("docs/"))
    target = OUTSIDE.get(goal, goal.removeprefix("docs/"))
    return posixpath.relpath(target, posixpath.dirname(page) or ".")


def _documented() -> list[str]:
    folders = sorted(
        path.parent.relative_to(PACKAGE).as_posix().replace("/", ".")
        for path in PACKAGE.rglob("*/__init__.py")
        if "__all__" in path.read_text(encoding="utf-8")
    )
    homes = {home.removeprefix("kerasnlp_lab.") for home in kerasnlp_lab._HOMES.values()}
    return [*folders, *sorted({"errors", *homes} - set(folders))]


def _names_of_the_package() -> str:
    rows = [
        f"| [`{name}`][{home}.{name}] | `{home}` |" for name, home in kerasnlp_lab._HOMES.items()
    ]
    return "\n".join(["| name | from |", "|---|---|", *rows])


def _with_commands(markdown: str) -> str:
    """Puts usage and options where a page says so, and at its end what it says nothing of."""
    commands = dict(_commands(typer.main.get_command(app)))
    for name in re.findall(r"^<!-- options: (.*) -->$", markdown, flags=re.M):
        section = _options(*commands.pop(name))
        markdown = markdown.replace(f"<!-- options: {name} -->", section)
    for name, (command, context) in commands.items():
        markdown += f"\n## {name}\n\n{command.help}\n\n{_options(command, context)}\n"
    return markdown


def _commands(group: Any, path: str = "", parent: Any = None) -> Iterator[tuple[str, Any]]:
    name = path.split()[-1] if path else "kerasnlp-lab"
    context = typer.Context(group, info_name=name, parent=parent)
    for name, command in group.commands.items():
        whole = f"{path} {name}".strip()
        if hasattr(command, "commands"):
            yield from _commands(command, whole, context)
        elif not command.hidden:
            yield whole, (command, typer.Context(command, info_name=name, parent=context))


def _options(command: Any, context: Any) -> str:
    usage = command.get_usage(context).removeprefix("Usage: ")
    rows = []
    for parameter in command.params:
        record = None if parameter.hidden else parameter.get_help_record(context)
        if record is not None:
            anchor = f"{context.command_path} {parameter.opts[0]}".partition(" ")[2]
            names, text = map(escape, record)
            rows.append(
                f'<tr><td><code id="{anchor.replace(" ", "-")}">{names}</code></td>'
                f"<td>{text}</td></tr>"
            )
    table = f'<table class="options">\n{"".join(rows)}\n</table>' if rows else ""
    return f"    {usage}\n\n{table}"
