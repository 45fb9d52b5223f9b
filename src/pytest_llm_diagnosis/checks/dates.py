"""Finding the dates a text states, in any written form (English).

`2024-05-03`, `20240503`, `3 May 2024`, `May 3rd, 2024`, `the third of May 2024`,
`Friday 3.5.2024`, `03/05/2024`, `May 2024`, `05/2024`, `3-5 May 2024` and bare
years.  Slashed dates are read in a stated order; without one, both readings of
an ambiguous date are given and marked.  A day before dots comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Literal, NamedTuple

from .denials import denial
from .normalise import same_shapes, without_emphasis
from .number_words import in_digits

Order = Literal["day_first", "month_first"]

# No answer states more dates on purpose.
MAX_DATES = 5_000
SEARCHED = 300_000
"""Characters of a text; searching a megabyte of digits takes over a second."""
CENTURY_BREAK = 70
"""Two digits from here on mean the 20th century, those below the 21st."""

_MONTH_NAMES = (
    "january february march april may june july august september october november "
    "december"
)
_MONTHS = {name: at for at, name in enumerate(_MONTH_NAMES.split(), start=1)}
_SHORT = {name[:3]: at for name, at in _MONTHS.items()} | {"sept": 9}
_GERMAN_MONTHS = {
    "januar": 1,
    "februar": 2,
    "m\u00e4rz": 3,
    "mai": 5,
    "juni": 6,
    "juli": 7,
    "oktober": 10,
    "dezember": 12,
}
_MONTH = rf"(?P<month>{'|'.join([*_MONTHS, *_SHORT])})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\b"
_TO = r"\s?(?:-|to|and|until|through)\s?"
_YEAR = r"(?P<year>\d{4}|'\d{2})\b(?![.,/-]?\d)"

_ORDINAL_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh "
    "twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth "
    "nineteenth"
)
_ORDINALS = {name: at for at, name in enumerate(_ORDINAL_WORDS.split(), start=1)}
_TENS = {"twentieth": 20, "thirtieth": 30}
_SUFFIXES = {1: "st", 2: "nd", 3: "rd"}
_ORDINAL = re.compile(
    rf"\b(?:(?P<tens>twenty|thirty)[ -])?(?P<ones>{'|'.join([*_ORDINALS, *_TENS])})\b",
    re.IGNORECASE,
)

_FULL = (
    # 2024-05-03, 2024/5/3; with a time behind a T
    r"(?<![\w./-])(?P<year>\d{4})(?P<gap>[-/.])(?P<month>\d{1,2})(?P=gap)"
    r"(?P<day>\d{1,2})(?![\d/-]|\.\d|[a-su-z])"
)
_COMPACT = (
    # 20240503
    r"(?<![\w.,/$-])(?P<year>1[5-9]\d\d|20\d\d)(?P<month>\d\d)(?P<day>\d\d)"
    r"(?![\w/-]|[.,]\d)"
)
# With the signs for year, month and day of Chinese and Japanese.
_SIGNED = (
    "(?P<year>\\d{4}) ?\u5e74 ?(?P<month>\\d{1,2}) ?\u6708 ?(?P<day>\\d{1,2}) ?\u65e5"
)
_DASHED = (
    # 3-May-24
    rf"(?<![\w.,/-])(?P<day>\d{{1,2}})(?P<gap>[-/.]){_MONTH}(?P=gap)"
    r"(?P<year>\d{4}|\d{2})(?![\w/-]|\.\d)"
)
_GERMAN = (
    # 3. Mai 2024; of names that are no English ones: a list may be numbered so
    rf"(?<![\w.,/])(?P<day>\d{{1,2}})\. ?(?P<month>{'|'.join(_GERMAN_MONTHS)})\b"
    r"(?: (?P<year>\d{4})\b)?"
)
_DAY_MONTH = (
    # 3 May 2024, 3-5 May 2024, 3rd of May
    rf"(?<![\w.,/])(?:(?P<from>\d{{1,2}})(?:st|nd|rd|th)?{_TO})?{_DAY},? ?(?:day )?"
    rf"(?:of )?{_MONTH}(?:,? (?:of |in )?{_YEAR})?"
)
_MONTH_DAY = (
    # May 3, 2024; May 3-5, 2024; May the 3rd
    rf"\b{_MONTH} (?:the )?(?:(?P<from>\d{{1,2}})(?:st|nd|rd|th)?{_TO})?{_DAY}"
    rf"(?![:.]\d)(?:,? (?:of |in )?{_YEAR})?"
)
_YEAR_MONTH_DAY = (
    # 2024, May 3rd; not the end of one date and the beginning of the next
    rf"(?<![\w./-])(?<!\d )(?<!\d, )(?P<year>\d{{4}}),? {_MONTH} {_DAY}(?!,? \d{{4}})"
)
_PARTIAL = (
    # 2024-05
    r"(?<![\w./-])(?P<year>\d{4})-(?P<month>\d{2})(?![\d/-])",
    # May 2024
    rf"\b{_MONTH},? (?:of |in )?{_YEAR}",
    # 2024 May
    rf"(?<![\w./-])(?P<year>\d{{4}}),? {_MONTH}",
    # 05/2024
    r"(?<![\w./-])(?P<month>\d{1,2})/(?P<year>\d{4})(?![\d/-])",
    # 2024; both of 1984-1990
    r"(?<![\w.,/$])(?<!(?<!\d{4})-)(?P<year>[12]\d{3})(?![\w/]|[.,]\d|-(?!\d{4}))",
)
# Only where a month must be meant: in May, but not "may" nor "march".
_MONTH_ALONE = re.compile(
    r"(?:\b(?P<month>(?!May\b|March\b)[A-Z][a-z]+)\b"
    r"|(?:^|\b(?:in|of|since|by|until|is|was|during|last|next|early|late|mid|from|to)"
    r"[ -])(?P<likely>May|March)\b(?! I\b))"
)
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        _FULL,
        _COMPACT,
        _SIGNED,
        _DASHED,
        _GERMAN,
        _DAY_MONTH,
        _YEAR_MONTH_DAY,
        _MONTH_DAY,
        *_PARTIAL,
    )
)
_NUMERIC = re.compile(
    r"(?<![\w./-])(?P<one>\d{1,2})(?P<gap>[-/.])(?P<two>\d{1,2})(?P=gap)"
    r"(?P<year>\d{4}|\d{2})(?![\w/-]|\.\d)"
)


class When(NamedTuple):
    """A date, or part of one; what is not said is None."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def says(self, wanted: When) -> bool:
        """Return whether it agrees in all that is wanted."""
        pairs = zip(wanted, self, strict=True)
        return all(one is None or one == other for one, other in pairs)

    def is_part_of(self, wanted: When) -> bool:
        """Return whether it agrees as far as it goes."""
        pairs = zip(wanted, self, strict=True)
        return all(None in pair or pair[0] == pair[1] for pair in pairs)

    def __str__(self) -> str:
        """Return the date after ISO 8601 as far as it goes."""
        year = "-" if self.year is None else f"{self.year:04}"
        rest = [f"{part:02}" for part in (self.month, self.day) if part is not None]
        return "-".join([year, *rest])


class Stated(NamedTuple):
    """A date in a text: what it means, how it is written, and if that is sure.

    One that is denied (`not on 3 May`) is written with what denies it.
    """

    when: When
    written: str
    is_sure: bool = True
    is_denied: bool = False


def dates(text: str, order: Order | None = None) -> list[Stated]:
    """Return the dates of a text, up to `MAX_DATES` a form, those in full first."""
    text = in_digits(_ORDINAL.sub(_digits, prepared(text[:SEARCHED])))
    taken: list[Stated] = []
    covered = bytearray(len(text))
    for found, stated in _all(text, order):
        start, end = found.span()
        if any(covered[start:end]):
            continue
        covered[start:end] = b"\1" * (end - start)
        denied = denial(text, start)
        taken += [_denied(each, denied) for each in stated] if denied else stated
    return taken


def _denied(stated: Stated, denied: str) -> Stated:
    return stated._replace(written=f"{denied}{stated.written}", is_denied=True)


def prepared(text: str) -> str:
    """Return a text with one shape of dashes, quotes and spaces, no emphasis."""
    return without_emphasis(same_shapes(text)).replace("\n", " ")


def _all(
    text: str, order: Order | None
) -> Iterator[tuple[re.Match[str], list[Stated]]]:
    full, *others = _FORMS
    for found in islice(full.finditer(text), MAX_DATES):
        yield found, list(_named(found))
    for found in islice(_NUMERIC.finditer(text), MAX_DATES):
        yield found, list(_numeric(found, order))
    for form in others:
        for found in islice(form.finditer(text), MAX_DATES):
            yield found, list(_named(found))
    for found in islice(_MONTH_ALONE.finditer(text), MAX_DATES):
        month = _MONTHS.get((found["month"] or found["likely"]).lower())
        if month:
            yield found, list(_valid(found, None, month, None))


def _named(found: re.Match[str]) -> Iterator[Stated]:
    """Yield what a form states; of a range, its beginning too."""
    parts = found.groupdict()
    month = _month(parts.get("month"))
    for day in filter(None, (parts.get("from"), parts.get("day"))):
        yield from _valid(found, _year(parts.get("year")), month, int(day))
    if not parts.get("day"):
        yield from _valid(found, _year(parts.get("year")), month, None)


def _numeric(found: re.Match[str], order: Order | None) -> Iterator[Stated]:
    one, two, year = int(found["one"]), int(found["two"]), _year(found["year"])
    if order is None and found["gap"] == ".":
        order = "day_first"
    readings = {"day_first": (two, one), "month_first": (one, two)}
    chosen = [readings[order]] if order else sorted(set(readings.values()))
    valid = [each for pair in chosen for each in _valid(found, year, *pair)]
    yield from (each._replace(is_sure=len(valid) == 1) for each in valid)


def _valid(
    found: re.Match[str], year: int | None, month: int | None, day: int | None
) -> Iterator[Stated]:
    try:
        # A leap year, so that 29 February holds where no year is said.
        date(year or 2024, month or 1, day or 1)
    except ValueError:
        return
    yield Stated(When(year, month, day), found.group())


def _month(written: str | None) -> int | None:
    if written is None or written.isdigit():
        return None if written is None else int(written)
    name = written.lower()
    return _MONTHS.get(name) or _SHORT.get(name) or _GERMAN_MONTHS[name]


def _year(written: str | None) -> int | None:
    if written is None:
        return None
    digits = written.lstrip("'")
    if len(digits) > 2:  # noqa: PLR2004 (a year in full)
        return int(digits)
    return int(digits) + (1900 if int(digits) >= CENTURY_BREAK else 2000)


def _digits(found: re.Match[str]) -> str:
    ones = found["ones"].lower()
    tens = {"twenty": 20, "thirty": 30}.get((found["tens"] or "").lower(), 0)
    number = tens + (_ORDINALS.get(ones) or _TENS[ones])
    teen = number // 10 == 1
    return f"{number}{'th' if teen else _SUFFIXES.get(number % 10, 'th')}"
