"""Reads the documentation's pages, their code, and the commands of the command line."""

import re
from dataclasses import dataclass
from pathlib import Path

import typer

from kerasnlp_lab.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    ["README.md", "CONTRIBUTING.md", *(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))]
)


@dataclass(frozen=True)
class Block:
    """A fenced block of code: its language, the file name in its title, and its text."""

    language: str
    title: str
    text: str


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(markdown):
    """Returns the fenced blocks of a page or a section, in their order."""
    found = re.findall(r'^```(\w+)(?: title="([^"\n]*)")?\n(.*?)^```$', markdown, re.M | re.S)
    return [Block(*one) for one in found]


def commands():
    """Returns all commands by name, such as "train" or "data inspect"."""
    return dict(_walk(typer.main.get_command(app), ()))


def _walk(group, path):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _walk(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def options(command):
    """Returns all spellings of a command's options."""
    return {
        spelling
        for parameter in command.params
        for spelling in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help"}
