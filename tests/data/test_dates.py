"""The built-in dates: real dates, one reading each, none on both sides of a split."""

import re
from datetime import date, timedelta

import pytest

from kerasnlp_lab.data import load_dataset
from kerasnlp_lab.data.dates import FIRST, LAST, written_forms

DAY = date(1987, 5, 3)


@pytest.fixture(scope="module")
def data():
    return load_dataset("dates")


def some_days(step):
    return [FIRST + timedelta(n) for n in range(0, (LAST - FIRST).days + 1, step)]


def test_each_date_is_in_one_part_and_once(data):
    parts = [data.train, data.validation, data.test]
    assert [len(part) for part in parts] == [19_000, 1000, 2000]
    targets = [target for part in parts for target in part.target_texts]
    assert len(set(targets)) == len(targets)
    assert {date.fromisoformat(one).isoformat() for one in targets} == set(targets)


def test_the_rows_are_the_same_on_every_machine(data):
    assert data.fingerprint == load_dataset("dates").fingerprint
    assert data.fingerprint.startswith("8f088cd51301eb59")


def test_no_split_has_a_character_of_its_own(data):
    known = set("".join(data.train.texts))
    assert set("".join(data.test.texts)) <= known
    assert set("".join(data.validation.texts)) <= known


@pytest.mark.parametrize(
    ("language", "form"),
    [
        ("English", "the 3rd of May, 1987"),
        ("English", "Sunday, May 3, 1987"),
        ("English", "the third of May, 1987"),
        ("German", "3. Mai 1987"),
        ("German", "So., 03.05.1987"),
        ("French", "le 3 mai 1987"),
        ("French", "dim. 3 mai 1987"),
        ("Japanese", "1987年5月3日(日)"),
        ("Japanese", "１９８７年５月３日"),
        ("Japanese", "一九八七年五月三日"),
        ("Japanese", "昭和62年5月3日"),
        ("Japanese", "昭和六十二年五月三日"),
        ("Japanese", "S62.5.3"),
    ],
)
def test_forms(language, form):
    assert form in written_forms(DAY)[language]


@pytest.mark.parametrize(
    ("day", "form"),
    [
        (date(1989, 1, 7), "昭和64年1月7日"),
        (date(1989, 1, 8), "平成元年1月8日"),
        (date(2019, 4, 30), "平成31年4月30日"),
        (date(2019, 5, 1), "令和元年五月一日"),
        (date(2039, 12, 31), "令和二十一年十二月三十一日"),
    ],
)
def test_an_era_begins_on_its_day(day, form):
    assert form in written_forms(day)["Japanese"]


@pytest.mark.parametrize(
    ("number", "ordinal"), [(1, "1st"), (11, "11th"), (12, "12th"), (22, "22nd"), (23, "23rd")]
)
def test_english_ordinals(number, ordinal):
    forms = written_forms(date(2001, 7, number))["English"]
    assert f"the {ordinal} of July, 2001" in forms


def test_numbers_alone_begin_with_the_year_or_show_whose_they_are():
    for forms in written_forms(DAY).values():
        for form in forms:
            if re.fullmatch(r"[\d./-]+", form):
                assert form.startswith("1987")
            assert "1987" in form or re.search("[年S１]", form)  # never two digits of a year


@pytest.mark.parametrize("step", [97, pytest.param(1, marks=pytest.mark.slow)])
def test_a_form_has_one_reading(step):
    days = {}
    for day in some_days(step):
        for forms in written_forms(day).values():
            for form in forms:
                assert days.setdefault(form, day) == day
