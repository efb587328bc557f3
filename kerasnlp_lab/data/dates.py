"""`dates`: dates as people write them in four languages, and their ISO form, made by code.

Each date from 1940 to 2039 occurs at most once, so that no date is both trained and tested on. All
styles have one reading. 03/04/87 has three, so it is not among them: numbers alone begin with the
year, or a weekday shows whose order they have. Weekdays and eras are those of the date.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TypeVar

from kerasnlp_lab.data.dataset import Split

__all__ = ["read_dates", "written_forms"]

Choice = TypeVar("Choice")
TRAIN_ROWS, TEST_ROWS = 20_000, 2_000
SEED = 1987
FIRST, LAST = date(1940, 1, 1), date(2039, 12, 31)

_ENGLISH = (
    "January February March April May June July August September October November December".split(),
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
)
_GERMAN = (
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
    "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag".split(),
)
_GERMAN_SHORT = "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.".split()
_FRENCH = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
)
_FRENCH_SHORT = "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.".split()
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first "
    "twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth twenty-seventh "
    "twenty-eighth twenty-ninth thirtieth thirty-first"
).split()
_WEEKDAY_SIGNS = "月火水木金土日"
_DIGIT_SIGNS = "〇一二三四五六七八九"
# The first day of each era, its name and its letter. An era begins in its year 1.
_ERAS = (
    (date(2019, 5, 1), "令和", "R"),
    (date(1989, 1, 8), "平成", "H"),
    (date(1926, 12, 25), "昭和", "S"),
)
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def read_dates() -> tuple[Split, Split, str]:
    """Returns the training rows, the test rows, and "built in"."""
    # Python promises the same numbers of random() alone in every version.
    draw = random.Random(SEED).random
    days = [FIRST + timedelta(number) for number in range((LAST - FIRST).days + 1)]
    days = sorted(days, key=lambda _: draw())[: TRAIN_ROWS + TEST_ROWS]
    languages = list(_LANGUAGES.values())

    def written(day: date) -> str:
        return _drawn(_drawn(languages, draw)(day), draw)

    texts, targets = [written(day) for day in days], [day.isoformat() for day in days]
    parts = slice(TRAIN_ROWS), slice(TRAIN_ROWS, None)
    train, test = (Split(texts[part], target_texts=targets[part]) for part in parts)
    return train, test, "built in"


def written_forms(day: date) -> dict[str, list[str]]:
    """Returns all forms of a date, by the name of the language; dates from 1926-12-25 on."""
    return {language: forms(day) for language, forms in _LANGUAGES.items()}


def _drawn(choices: Sequence[Choice], draw: Callable[[], float]) -> Choice:
    return choices[int(draw() * len(choices))]


def _english(day: date) -> list[str]:
    month, weekday = _ENGLISH[0][day.month - 1], _ENGLISH[1][day.weekday()]
    number, year = day.day, day.year
    ordinal = f"{number}{_english_ending(number)}"
    return [
        f"{month} {number}, {year}",
        f"{month[:3]} {number}, {year}",
        f"{month.upper()} {number} {year}",
        f"{month} {ordinal}, {year}",
        f"{number} {month} {year}",
        f"{number}-{month[:3]}-{year}",
        f"{ordinal} {month} {year}",
        f"the {ordinal} of {month}, {year}",
        f"the {_ORDINALS[number - 1]} of {month}, {year}",
        f"{weekday}, {month} {number}, {year}",
        f"{weekday[:3]} {number} {month[:3]} {year}",
        f"{weekday}, the {ordinal} of {month}, {year}",
        f"{month} {number}, {year} ({weekday})",
        f"{year}, {month} {number}",
    ]


def _english_ending(number: int) -> str:
    return "th" if 10 < number < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _german(day: date) -> list[str]:
    month, weekday = _GERMAN[0][day.month - 1], _GERMAN[1][day.weekday()]
    short, number, year = _GERMAN_SHORT[day.month - 1], day.day, day.year
    return [
        f"{number}. {month} {year}",
        f"{number:02}. {month} {year}",
        f"{number}. {short} {year}",
        f"am {number}. {month} {year}",
        f"der {number}. {month} {year}",
        f"{weekday}, {number}. {month} {year}",
        f"{weekday}, den {number}. {month} {year}",
        f"{weekday[:2]}, {number}. {short} {year}",
        f"{weekday[:2]}., {number:02}.{day.month:02}.{year}",
        f"{weekday}, {number}.{day.month}.{year}",
        f"{number}. {month} {year} ({weekday})",
        f"{number}. {'Jänner' if day.month == 1 else month} {year}",
    ]


def _french(day: date) -> list[str]:
    month, weekday = _FRENCH[0][day.month - 1], _FRENCH[1][day.weekday()]
    short, year = _FRENCH_SHORT[day.month - 1], day.year
    number = "1er" if day.day == 1 else str(day.day)
    return [
        f"{number} {month} {year}",
        f"le {number} {month} {year}",
        f"{number} {short} {year}",
        f"{weekday} {number} {month} {year}",
        f"le {weekday} {number} {month} {year}",
        f"{weekday[:3]}. {number} {short} {year}",
        f"{weekday} {day.day:02}/{day.month:02}/{year}",
        f"{number} {month.upper()} {year}",
        f"en l'an {year}, le {number} {month}",
        f"le {number} {month} de l'an {year}",
    ]


def _japanese(day: date) -> list[str]:
    year, month, number = day.year, day.month, day.day
    sign = _WEEKDAY_SIGNS[day.weekday()]
    plain = f"{year}年{month}月{number}日"
    begins, era, letter = next(one for one in _ERAS if one[0] <= day)
    of_era = year - begins.year + 1
    in_era = f"{era}{'元' if of_era == 1 else of_era}年{month}月{number}日"
    signs = f"{_kanji(month)}月{_kanji(number)}日"
    return [
        plain,
        f"{year}年{month:02}月{number:02}日",
        plain.translate(_FULL_WIDTH),
        f"{plain}({sign})",
        f"{plain} {sign}曜日",
        f"{''.join(_DIGIT_SIGNS[int(one)] for one in str(year))}年{signs}",
        f"{year}/{month:02}/{number:02}",
        f"{year}.{month}.{number}",
        in_era,
        in_era.translate(_FULL_WIDTH),
        f"{in_era}({sign})",
        f"{era}{'元' if of_era == 1 else _kanji(of_era)}年{signs}",
        f"{letter}{of_era}.{month}.{number}",
    ]


def _kanji(number: int) -> str:
    """Returns a number from 1 to 99 in Chinese numerals, as in 二十三."""
    tens, ones = divmod(number, 10)
    return (
        (_DIGIT_SIGNS[tens] if tens > 1 else "")
        + ("十" if tens else "")
        + (_DIGIT_SIGNS[ones] if ones else "")
    )


_LANGUAGES: dict[str, Callable[[date], list[str]]] = {
    "English": _english,
    "French": _french,
    "German": _german,
    "Japanese": _japanese,
}
