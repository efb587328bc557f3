"""Class names in tables and figures: one printable line each, short, and all different."""

import string

import pytest
from rich.cells import cell_len

from kerasnlp_lab.display import listed, printable, shortened, shown_names


@pytest.mark.parametrize(
    "name", [string.printable[:95].strip(), "财经", "संस्कृति", "می‌خواهم", "🤖", "[/]"]
)
def test_an_ordinary_name_is_shown_as_it_is(name):
    [shown] = shown_names([name], cells=200)
    assert shown == name


@pytest.mark.parametrize(
    "name, expected",
    [
        (" spam", "' spam'"),
        ("spam\t", "'spam\\t'"),
        ("", "''"),
        ("a\nb\r\x00", "a\\nb\\r\\x00"),
        ("a\nb", "a\\nb"),
        ("\ud83d", "\\ud83d"),
        ("a\u202eb", "a\\u202eb"),  # would turn round the rest of the line
    ],
)
def test_white_space_and_control_characters_can_be_seen(name, expected):
    assert shown_names([name]) == [expected]
    assert printable(expected) == expected


@pytest.mark.parametrize("name", ["x" * 200, "财" * 200, "हिन्दी" * 50, "👍🏽" * 100, "财a" * 100])
def test_a_long_name_is_shortened_by_its_width(name):
    found = shortened(name)
    assert 34 <= cell_len(found) <= 40
    start, end = found.split("…")
    assert name.startswith(start) and name.endswith(end)


def test_names_that_look_the_same_are_numbered():
    names = ["x" * 30 + "y" * i + "z" * 30 for i in range(3)]
    assert shown_names(["a", *names])[0] == "a"
    assert [name[:3] for name in shown_names(["a", *names])[1:]] == ["#1 ", "#2 ", "#3 "]
    assert len(set(shown_names([f"{i:01000}" for i in range(1000)]))) == 1000


def test_a_message_lists_a_few_names():
    assert listed(["b", "a"]) == "b, a"
    assert listed([f"{i:04}" for i in range(1000)]).endswith("0010, 0011, and 988 more")
