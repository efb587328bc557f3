"""The pages are correct: their Python runs, and their commands, options and links exist."""

import functools
import re
import tomllib

import pytest
import tensorflow_text  # noqa: F401  # a page that imports it first would register its ops twice

from tests.docs.pages import PAGES, ROOT, blocks, commands, options, read

RUN_ELSEWHERE = {
    "docs/extending.md": "tests/docs/test_extending.py, in a copy of the package",
    "docs/guides/pretraining.md": "tests/docs/test_pretraining_guide.py, which is slow",
    "docs/guides/languages.md": "tests/docs/test_languages.py, which compares the answers",
}
OF_THEIR_DAY = {"docs/LOG.md"}  # a log keeps old commands


def with_python(page):
    return any(block.language == "python" for block in blocks(read(page)))


@pytest.mark.parametrize("page", [p for p in PAGES if with_python(p) and p not in RUN_ELSEWHERE])
def test_python_on_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for block in blocks(read(page)):
        if block.language == "python":
            code = re.sub(r"epochs=[14]0\b", "epochs=1", block.text)  # enough to see it work
            exec(compile(code, page, "exec"), names)


@pytest.mark.parametrize("page", PAGES)
def test_no_placeholder_is_left(page):
    """Such as a word in capitals that stands where figures were to follow."""
    prose = re.sub(r"```.*?```", "", read(page), flags=re.DOTALL)
    assert not re.findall(r"^(?:[A-Z]{3,}|.*\b(?:TODO|TBD|FIXME|XXX)\b.*)$", prose, re.MULTILINE)


@pytest.mark.parametrize("page", [p for p in PAGES if p not in OF_THEIR_DAY])
def test_commands_that_are_shown_exist(page):
    known = commands()
    groups = {name.split()[0] for name in known if " " in name}
    text = re.sub(r"\\\n\s*", " ", read(page))  # a command over several lines
    for shown in re.findall(r"\bkerasnlp-lab ([a-z][^\n`#]*)", text):
        words = shown.split()
        count = 2 if words[0] in groups else 1
        name = " ".join(words[:count]).rstrip(".,;:)")
        if name in groups:  # prose about a group of commands
            continue
        assert name in known, shown
        for option in re.findall(r"(?<= )(--[a-z-]+)", shown):
            assert option in options(known[name]), shown


@pytest.mark.parametrize("page", [p for p in PAGES if p not in OF_THEIR_DAY])
def test_files_that_are_named_exist(page):
    """Pages name files by a path from the repository, the package or the page's subject."""
    if page == "docs/extending.md":  # its readers create files
        return
    for named in re.findall(r"`([\w./]+\.py)`", read(page)):
        assert any(one == named or one.endswith(f"/{named}") for one in python_files()), named


@functools.cache
def python_files():
    """Returns the paths of the repository's Python files, without those of .venv."""
    folders = ("kerasnlp_lab", "tests", "benchmarks", "examples", "docs")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return [path.relative_to(ROOT).as_posix() for path in found]


@pytest.mark.parametrize("page", [*PAGES, "benchmarks/README.md", "CHANGELOG.md"])
def test_links_lead_to_files_and_headings_of_the_repository(page):
    """test_site.py follows the links of the site; this test follows those between the files."""
    for target, heading in re.findall(r"\]\(([^()#\s:]*)(?:#([\w-]+))?\)", read(page)):
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)
            found = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in titles}
            assert heading in found, f"{target}#{heading}"


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_the_way_through_the_folders_is_the_one_that_is_checked(page):
    """The order of folders on a page is import-linter's contract."""
    settings = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]
    [contract] = settings["contracts"]
    way = " > ".join(contract["layers"]).replace("kerasnlp_lab.", "")
    assert f"\n    {way}\n" in read(page)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/getting-started.md"])
def test_the_python_versions_are_those_of_setup_cfg(page):
    named = re.findall(r"Python :: (3\.\d+)$", read("setup.cfg"), re.M)
    assert f"Python {', '.join(named[:-1])} or {named[-1]}" in read(page)


def test_commands_are_found_on_the_pages_that_have_them():
    """Otherwise the test above could pass without finding any command."""
    assert "kerasnlp-lab train --model" in read("README.md")
    shown = re.findall(r"\bkerasnlp-lab ([a-z][a-z-]*)", read("docs/commands.md"))
    assert {name.split()[0] for name in commands()} >= set(shown) >= {"train", "compare", "data"}
