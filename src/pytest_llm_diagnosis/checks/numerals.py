"""Finding the numbers a text states, in digits or in words.

Digits are read the English way (`1,234.5`), besides the forms of other
languages that cannot mean anything else (`1.234.567`, `1.234,50`, `3,5`,
`1 234`, `1'234`, `1,00,000`), or, if asked, with a decimal comma throughout.  A
number inside a longer one or inside a name
(`1945`, `3.45`, `A45`, `1.2.3`) is none, nor is the marker of a numbered list.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from .normalise import same_shapes, without_emphasis
from .number_words import SCALES, spelled_numbers

# No answer states more numbers on purpose.
MAX_NUMERALS = 5_000
MAX_LENGTH = 100

_SPACES = "\u00a0\u2007\u2009\u202f"
_GROUP_MARK = re.compile(rf"(?<=\d)[{_SPACES}'\u2019_](?=\d{{3}}(?!\d))")
_VULGAR = re.compile("(?P<whole>\\d+)?[ ]?(?P<part>[\u00bc-\u00be\u2150-\u215e])")
# `2h30` and `2h 30m`, where an m alone would be metres.
_HOURS = re.compile(
    r"(?<![\w.,])(\d{1,3})(?:h(?=\d\d(?!\w))|[ ]?h[ ]?(?=\d{1,2}[ ]?m(?:in)?(?!\w)))"
    r"(\d{1,2})(?:[ ]?m(?:in)?(?!\w))?"
)
_AND_A_HALF = re.compile(r"(?<![\d.,])(\d+) and a half\b", re.IGNORECASE)
_SUPERSCRIPT = re.compile(
    "(?<=[^\u00b2\u00b3\u00b9\u2070\u2074-\u2079])(?=[\u00b2\u00b3\u00b9\u2070\u2074-\u2079])"
)
_LATEX = (
    (re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}"), r"\1/\2"),
    (re.compile(r"\\(?:text\w*|mathrm|mbox)\s*\{"), " "),
    (re.compile(r"(?<=\d)(?:\{,\}|\\,)(?=\d{3})"), ","),
    (re.compile(r"\\(?=[%$])"), ""),
)
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[.,](?=\d)")
_DOTTED_DATE = re.compile(r"(?<![\d.])\d{1,2}\.\d{1,2}\.\d{4}(?![\d.])")
_OTHER_MARK = {".": ",", ",": "."}
_POWER = re.compile(
    r"(?<![\w.,^])(?<![x*\u00d7] )(?<![*\u00d7])(10)\^[({]?(-?\d{1,2})(?!\d)"
)
_LIST_MARKER = re.compile(r"^[ \t]*(\d{1,3})[.)](?=[ \t]+\S)", re.MULTILINE)

_SIGNS = "$\u20ac\u00a3\u00a5\u20b9\u20a9"
_CODES = "USD|EUR|GBP|CHF|JPY|CNY|INR|KRW"
_SCALE_WORDS = "|".join([*SCALES, "hundred", "dozen", "mn", "bn", "tn"])
_PREFIX = re.compile(
    rf"""
    (?P<minus>(?<![\w)\]%.-])-|\b(?:minus|negative)\s)?
    (?P<currency>(?:\b(?:US|CA|AU|NZ|HK))?[{_SIGNS}]|\b(?:{_CODES}|Rs\.?))?[ ]?
    (?P<inner_minus>(?<=[{_SIGNS}])-)?$
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PREFIX_LENGTH = 20
# It begins with a set of characters so that a megabyte of prose is skimmed fast.
_NUMERAL = re.compile(
    rf"""
    (?=[\d.])
    (?:
        (?P<dotted>\d+(?:\.\d+){{2,}})
      | (?P<comma>[1-9]\d{{0,2}}(?:\.\d{{3}})+,\d+
                |(?<!\d,)\d+,\d{{1,2}}(?![\d,]|\.\d)|0,\d+)
      | (?P<point>[1-9]\d{{0,2}}(?:,\d{{2,3}})*,\d{{3}}(?!\d|,\d)(?:\.\d+)?
                |\d+(?:\.\d+)?|(?<![\w.])\.\d+)
    )
    (?P<exponent>e[+-]?\d{{1,3}}(?!\w)|[ ]?[x*\u00d7][ ]?10\^[({{]?-?\d{{1,2}})?
    (?:[ -]?(?P<scale>{_SCALE_WORDS})\b|(?P<letter>[kmb])(?!\w))?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SPACED = re.compile(r"(?<![\w.,])\d{1,3}(?: \d{3})+(?:\.\d+)?(?![\w,.]*\d)")
_FRACTION = re.compile(
    r"(?<![\w/.,])(?:(\d{1,4})[ -])?(\d{1,4})/(\d{1,4})(?![\w/]|\.\d)"
)
_DATE = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3}){2,}")
_MULTIPLES = {**SCALES, "hundred": 100, "dozen": 12, "k": 10**3} | {
    "mn": 10**6,
    "m": 10**6,
    "bn": 10**9,
    "b": 10**9,
    "tn": 10**12,
}


class Numeral(NamedTuple):
    """A stated number: its value and where it stands in the prepared text.

    `currency` is the sign or code before it, if any.
    """

    value: Decimal
    start: int
    end: int
    currency: str = ""


def prepared(text: str) -> str:
    """Return a text with its ways of writing numbers evened out.

    Fraction characters become decimals, raised digits stand behind `^`, group
    marks, emphasis, LaTeX and the markers of a numbered list go.
    """
    text = _AND_A_HALF.sub(r"\1.5", _GROUP_MARK.sub("", text))
    if not text.isascii():
        text = _VULGAR.sub(_decimal_fraction, text)
        text = same_shapes(_SUPERSCRIPT.sub("^", text))
    if "\\" in text or "{,}" in text:
        for pattern, plain in _LATEX:
            text = pattern.sub(plain, text)
    text = _HOURS.sub(r"\1 h \2 min", text)
    return _without_list_markers(without_emphasis(text))


def with_points(text: str) -> str:
    """Return a text that writes `1.234,5` as one that writes `1,234.5`."""
    parts: list[str] = []
    end = 0
    for found in _DOTTED_DATE.finditer(text):
        parts += [_marks_swapped(text[end : found.start()]), found.group()]
        end = found.end()
    return "".join([*parts, _marks_swapped(text[end:])])


def numerals(text: str) -> list[Numeral]:
    """Return the numbers in a prepared text, in order, up to `MAX_NUMERALS` a kind.

    An ambiguous spelling gives each of its readings: `3/4` is also 3 and 4.
    """
    kinds = (
        _in_digits(text),
        _in_groups(text),
        _in_fractions(text),
        _in_powers(text),
        _in_words(text),
    )
    found = [numeral for kind in kinds for numeral in islice(kind, MAX_NUMERALS)]
    return sorted(found, key=lambda numeral: (numeral.start, numeral.end))


def _in_digits(text: str) -> Iterator[Numeral]:
    for found in islice(_NUMERAL.finditer(text), MAX_NUMERALS):
        start, end = found.span()
        prefix = _PREFIX.search(text[max(0, start - _PREFIX_LENGTH) : start])
        currency = (prefix and prefix["currency"]) or ""
        if end - start > MAX_LENGTH or (not currency and _goes_on(text, start)):
            continue
        if found["dotted"]:
            yield from _in_dotted(found["dotted"], start)
            continue
        scale = _scale(found, currency)
        if found["letter"] and scale == 1:
            end = found.start("letter")
        negative = bool(prefix and (prefix["minus"] or prefix["inner_minus"]))
        value = _value(found) * (-scale if negative else scale)
        start -= len(prefix[0].lstrip()) if prefix else 0
        yield Numeral(value, start, end, currency.casefold())
        if found["letter"] in ("M", "B") and scale == 1:
            # 5M without a currency is five million as well.
            large = value * _MULTIPLES[found["letter"].lower()]
            yield Numeral(large, start, found.end(), currency.casefold())


def _goes_on(text: str, start: int) -> bool:
    """Whether a match begins in the middle of a word or a number."""
    return start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_")


def _scale(found: re.Match[str], currency: str) -> int:
    name = (found["scale"] or found["letter"] or "").lower()
    # 5m is more often metres than millions; $5m is not.
    if name in ("m", "b") and not currency:
        return 1
    return _MULTIPLES[name] if name else 1


def _value(found: re.Match[str]) -> Decimal:
    if found["comma"]:
        digits = found["comma"].replace(".", "").replace(",", ".")
    else:
        digits = found["point"].replace(",", "")
    power = re.search(r"[+-]?\d+$", found["exponent"] or "")
    return Decimal(digits).scaleb(int(power.group()) if power else 0)


def _in_dotted(digits: str, start: int) -> Iterator[Numeral]:
    """Yield the numbers of `1.234.567` or the date `12.05.2024`, none of `1.2.3`."""
    if _THOUSANDS.fullmatch(digits):
        yield Numeral(Decimal(digits.replace(".", "")), start, start + len(digits))
    elif _DATE.fullmatch(digits):
        for part in re.finditer(r"\d+", digits):
            yield Numeral(
                Decimal(part.group()), start + part.start(), start + part.end()
            )


def _in_groups(text: str) -> Iterator[Numeral]:
    for found in _SPACED.finditer(text):
        if len(found.group()) <= MAX_LENGTH:
            value = Decimal(found.group().replace(" ", ""))
            yield Numeral(value, *found.span())


def _in_fractions(text: str) -> Iterator[Numeral]:
    for found in _FRACTION.finditer(text):
        whole, upper, lower = (Decimal(part or 0) for part in found.groups())
        if lower:
            yield Numeral(whole + upper / lower, *found.span())


def _in_powers(text: str) -> Iterator[Numeral]:
    for found in _POWER.finditer(text) if "10^" in text else ():
        yield Numeral(Decimal(1).scaleb(int(found[2])), *found.span())


def _in_words(text: str) -> Iterator[Numeral]:
    for spelled in spelled_numbers(text):
        yield Numeral(spelled.value, spelled.start, spelled.end)


def _marks_swapped(text: str) -> str:
    return _BETWEEN_DIGITS.sub(lambda mark: _OTHER_MARK[mark.group()], text)


def _decimal_fraction(found: re.Match[str]) -> str:
    part = Decimal(unicodedata.numeric(found["part"])).quantize(Decimal("1e-12"))
    value = format((Decimal(found["whole"] or 0) + part).normalize(), "f")
    return value if found["whole"] else f" {value}"


def _without_list_markers(text: str) -> str:
    """Blank the markers of lists that count 1, 2 and so on."""
    numbers = [int(marker[1]) for marker in _LIST_MARKER.finditer(text)]
    counted = iter(_counted(numbers))
    return _LIST_MARKER.sub(
        lambda marker: " " * len(marker[0]) if next(counted) else marker[0], text
    )


def _counted(numbers: Sequence[int]) -> Iterator[bool]:
    before, in_list = 0, False
    for number, after in zip(numbers, [*numbers[1:], 0], strict=True):
        goes_on = in_list and number == before + 1
        before, in_list = number, goes_on or (number == 1 and after == number + 1)
        yield in_list
