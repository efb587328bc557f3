"""The site is complete, needs no network, and covers every command and public name."""

import importlib
import pkgutil
import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

import kerasnlp_lab
from tests.docs.pages import commands

pytestmark = pytest.mark.slow  # it builds the site

PUBLIC = [
    module.name
    for module in pkgutil.walk_packages(kerasnlp_lab.__path__, "kerasnlp_lab.")
    if module.ispkg and module.name != "kerasnlp_lab.cli"
]


class Page(HTMLParser):
    """A page's anchors, links, the files that a browser loads, and its elements' text."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loads = set(), set(), set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.add(given["href"])
        elif tag != "a":
            self.loads |= {given[name] for name in ("src", "href", "data") if given.get(name)}


@pytest.fixture(scope="session")
def pages(site):
    return {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}


def test_nothing_is_fetched_from_elsewhere(site, pages):
    for path, page in pages.items():
        assert page.loads, path
        for address in page.loads:
            parts = urlsplit(address)
            assert not parts.scheme and not parts.netloc, (path.name, address)
            assert (path.parent / unquote(parts.path)).exists(), (path.name, address)
    for path in site.rglob("*.css"):
        style = path.read_text(encoding="utf-8")
        for address in re.findall(r"url\(['\"]?([^'\")]*)|@import\s+['\"]([^'\"]*)", style):
            assert not "".join(address).startswith(("http:", "https:", "//")), (path.name, address)
    for path in site.rglob("*.svg"):
        assert not re.search(r"(href|src)=[\"']|url\((?!#)|@import", path.read_text()), path.name


def test_links_within_the_site_lead_somewhere(site, pages):
    followed = 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or link == "#":
                continue
            target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            assert target.is_file(), (path.name, link)
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].anchors, (path.name, link)
            followed += 1
    assert followed > 500


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_on_the_page_of_commands(name, site, pages):
    path = site / "commands.html"
    text = unescape(re.sub(r"<[^>]*>", "", path.read_text(encoding="utf-8")))
    page = " ".join(text.split())
    command = commands()[name]
    assert command.help, "the command says nothing of itself"
    assert name.replace(" ", "-") in pages[path].anchors
    assert f"kerasnlp-lab {name} " in page
    for parameter in command.params:
        assert parameter.help, f"{parameter.opts[0]} has no help"
        assert f"{name} {parameter.opts[0]}".replace(" ", "-") in pages[path].anchors
        assert " ".join(parameter.help.split()) in page
        for spelling in (*parameter.opts, *parameter.secondary_opts):
            assert spelling in page


@pytest.mark.parametrize("package", PUBLIC)
def test_every_public_name_is_in_the_reference(package, site, pages):
    name = package.removeprefix("kerasnlp_lab.")
    anchors = pages[site / "reference" / f"{name}.html"].anchors
    for public in importlib.import_module(package).__all__:
        assert f"{package}.{public}" in anchors


def test_every_name_of_the_package_itself_leads_to_the_reference(site, pages):
    links = {urlsplit(link).fragment for link in pages[site / "reference" / "index.html"].links}
    for name, home in kerasnlp_lab._HOMES.items():
        assert f"{home}.{name}" in links


def test_every_error_is_in_the_reference(site, pages):
    from kerasnlp_lab import errors

    anchors = pages[site / "reference" / "errors.html"].anchors
    assert {f"kerasnlp_lab.errors.{name}" for name in errors.__all__} <= anchors
