"""Errors name the value, the expectation and the place, and extend a suitable built-in error."""

import pytest

from kerasnlp_lab import errors
from kerasnlp_lab.errors import DataError, KerasnlpLabError, UnknownNameError

NAMES = ["transformer", "seed_transformer", "tfidf_linear"]


def test_every_error_extends_the_base_class():
    classes = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    assert len(classes) > 5
    assert all(issubclass(one, KerasnlpLabError) for one in classes)


@pytest.mark.parametrize(
    "name, builtin",
    [
        ("DataError", ValueError),
        ("OptionError", ValueError),
        ("SequenceTooLongError", ValueError),
        ("StorageError", OSError),
        ("UnknownNameError", LookupError),
        ("IntegrityError", errors.HubError),
    ],
)
def test_errors_extend_built_in_errors(name, builtin):
    assert issubclass(getattr(errors, name), builtin)


def test_an_unknown_name_lists_the_closest_and_all_known():
    error = UnknownNameError("model", "transfomer", NAMES, hint="see zoo list")
    assert str(error) == (
        "no model is called 'transfomer'; did you mean 'transformer'?; "
        "known: seed_transformer, tfidf_linear, transformer; see zoo list"
    )
    assert (error.name, error.known) == ("transfomer", sorted(NAMES))


def test_an_unlike_name_gets_no_suggestion():
    assert str(UnknownNameError("model", "zzz", iter(NAMES))) == (
        "no model is called 'zzz'; known: seed_transformer, tfidf_linear, transformer"
    )
    assert str(UnknownNameError("model", "zzz", [])) == "no model is called 'zzz'; known: none"


@pytest.mark.parametrize(
    "place, expected",
    [
        ({}, "no rows"),
        ({"path": "a.csv"}, "a.csv: no rows"),
        ({"path": "a.csv", "line": 3}, "a.csv, line 3: no rows"),
        ({"path": "a.csv", "line": 3, "column": "label"}, "a.csv, line 3, column label: no rows"),
        ({"path": "a.csv", "line": 0, "column": 0}, "a.csv, line 0, column 0: no rows"),
    ],
)
def test_a_data_error_says_where_it_is(place, expected):
    error = DataError("no rows", **place)
    assert str(error) == expected
    assert (error.path, error.line, error.column) == tuple(
        place.get(key) for key in ("path", "line", "column")
    )


@pytest.mark.parametrize(
    "error, expected",
    [
        (OSError("no route\nto host"), "OSError: no route"),
        (ValueError("\n  much more\n"), "ValueError: much more"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_another_error_is_quoted_in_one_line(error, expected):
    assert errors.first_line(error) == expected
