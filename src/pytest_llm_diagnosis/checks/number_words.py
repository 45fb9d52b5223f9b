"""Numbers written as English words: forty-five, a dozen, two and a half million."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice, pairwise
from typing import NamedTuple

# No answer spells out more on purpose.
MAX_WORDS = 5_000

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: number for number, word in enumerate(_ONES.split())} | {
    word: 10 * number for number, word in enumerate(_TENS.split(), start=2)
}
SCALES = {
    "thousand": 10**3,
    "lakh": 10**5,
    "million": 10**6,
    "crore": 10**7,
    "billion": 10**9,
    "trillion": 10**12,
}
_GROUPS = {"dozen": 12, "hundred": 100}
_DENOMINATORS = {
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "eighth": 8,
    "tenth": 10,
}
_HALF, _POINT = "half", "point"

_WORD = re.compile(
    rf"\b(?:{'|'.join([*_SMALL, *SCALES, *_GROUPS, _HALF, _POINT])})\b", re.IGNORECASE
)
_FRACTION = re.compile(
    rf"\b(?P<upper>a|one|two|three|four|five|six|seven|eight|nine)[ -]"
    rf"(?P<lower>(?:{'|'.join(_DENOMINATORS)})s?)\b",
    re.IGNORECASE,
)
_ORDINAL_WORDS = (
    "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_ORDINALS = {name: at for at, name in enumerate(_ORDINAL_WORDS.split(), start=3)} | {
    "first": 1,
    "second": 2,
    **{f"{name[:-1]}ieth": number for name, number in _SMALL.items() if number > 19},  # noqa: PLR2004
}
_ORDINAL_STEMS = (*_ORDINAL_WORDS.split(), "ieth", "first", "second")
# A fraction is none: "a third of them".
_ORDINAL = re.compile(
    rf"(?<!\ba )(?<!\bone )(?<!\bone-)\b(?:"
    rf"(?P<tens>{_TENS.replace(' ', '|')})[ -]"
    rf"(?P<unit>first|second|{'|'.join(_ORDINAL_WORDS.split()[:7])})"
    rf"|(?P<alone>{'|'.join(name for name in _ORDINALS if _ORDINALS[name] > 2)}))\b",  # noqa: PLR2004
    re.IGNORECASE,
)
_GAP = re.compile(r"(?:[ \t]?\n?[ \t]?|-|,?\s(?P<and>and)\s(?:an?\s)?|\san?\s)")
_NEGATIVE = re.compile(r"(?:minus|negative)\s$", re.IGNORECASE)
_AFTER_DIGIT = re.compile(r"\d[ -]$")
# "one" is a number in "one day" and a pronoun beside these.
_PRONOUN_BEFORE = re.compile(
    r"\b(?:no|any|every|some|each|this|that|which|the|another)[\s-]$", re.IGNORECASE
)
_PRONOUN_AFTER = re.compile(
    r"\s(?:of|another|who|that|should|must|can|may|might|could|would)\b", re.IGNORECASE
)


class Spelled(NamedTuple):
    """A number in words, with where it stands."""

    value: Decimal
    start: int
    end: int


class _Word(NamedTuple):
    text: str
    start: int
    end: int
    joined_by_and: bool


def spelled_numbers(text: str) -> Iterator[Spelled]:
    """Yield the numbers that a text spells out.

    Two numbers below a hundred side by side are also a year ("nineteen
    eighty-four"), so both readings are given.
    """
    # Most long texts have neither, and looking for a word is much faster.
    lowered = text.lower()
    if any(word in lowered for word in _DENOMINATORS):
        yield from _fractions(text)
    if any(word in lowered for word in _ORDINAL_STEMS):
        yield from _ordinals(text)
    for run in _runs(text):
        if _scales_digits(text, run[0]):
            continue
        numbers = [_signed(text, number) for number in _parsed(run)]
        if len(numbers) == 1 and run[0].text == "one" and _is_pronoun(text, run[0]):
            continue
        yield from numbers
        yield from _years(numbers)


def _fractions(text: str) -> Iterator[Spelled]:
    """Yield fractions in words: a quarter, two thirds, three-fifths."""
    for found in islice(_FRACTION.finditer(text), MAX_WORDS):
        word = found["upper"].lower()
        upper = 1 if word in ("a", "one") else _SMALL[word]
        lower = found["lower"].lower().removesuffix("s")
        if upper == 1 or found["lower"].lower().endswith("s"):
            value = Decimal(upper) / _DENOMINATORS[lower]
            yield Spelled(value, *found.span())


def _ordinals(text: str) -> Iterator[Spelled]:
    """Yield ordinals from the third on; "first" and "second" mostly list or time."""
    for found in islice(_ORDINAL.finditer(text), MAX_WORDS):
        if found["unit"]:
            ones = _ORDINALS[found["unit"].lower()]
            number = _SMALL[found["tens"].lower()] + ones
        else:
            number = _ORDINALS[found["alone"].lower()]
        yield Spelled(Decimal(number), *found.span())


def in_digits(text: str) -> str:
    """Return a text with the numbers it spells out in digits, years as years."""
    parts: list[str] = []
    end = 0
    spelled = sorted(spelled_numbers(text), key=lambda each: (each.start, -each.end))
    for each in spelled:
        if each.start >= end:
            parts += [text[end : each.start], f"{each.value:f}"]
            end = each.end
    return "".join([*parts, text[end:]])


def _runs(text: str) -> Iterator[Sequence[_Word]]:
    """Yield number words that stand together."""
    run: list[_Word] = []
    for found in islice(_WORD.finditer(text), MAX_WORDS):
        gap = _GAP.fullmatch(text, run[-1].end, found.start()) if run else None
        if run and not gap:
            yield run
            run = []
        joined = bool(gap and gap["and"])
        run.append(_Word(found.group().lower(), found.start(), found.end(), joined))
    if run:
        yield run


class _Sum:
    """A number under construction: `total` closed by scales, `group` still open."""

    def __init__(self) -> None:
        self.total = self.group = Decimal(0)
        self.scale = 10**15
        self.decimals = ""
        self.past_point = False
        self.start = self.end = -1
        self.last = ""

    @property
    def value(self) -> Decimal:
        whole = self.total + self.group
        return whole + Decimal(f"0.{self.decimals}") if self.decimals else whole

    def takes(self, word: _Word) -> bool:
        """Add a word if the number can go on with it."""
        if self.past_point:
            fits = self._takes_decimal(word)
        else:
            fits = self._may_join(word) and self._takes_whole(word)
        if fits:
            self.start = word.start if self.start < 0 else self.start
            self.end, self.last = word.end, word.text
        return fits

    def _may_join(self, word: _Word) -> bool:
        """Whether an "and" before the word lies within a number, if there is one."""
        begins = self.start < 0 or not word.joined_by_and
        return begins or word.text == _HALF or self.last in _JOINERS

    def _takes_decimal(self, word: _Word) -> bool:
        digit = _SMALL.get(word.text, 10)
        if digit < 10:  # noqa: PLR2004 (a digit)
            self.decimals += str(digit)
        return digit < 10  # noqa: PLR2004 (a digit)

    def _takes_whole(self, word: _Word) -> bool:
        if word.text in _SMALL:
            return self._takes_small(_SMALL[word.text])
        if word.text in _GROUPS:
            return self._takes_group(_GROUPS[word.text])
        if word.text in SCALES:
            return self._takes_scale(SCALES[word.text])
        if word.text == _HALF:
            return self._takes_half(word)
        self.past_point = self.start >= 0
        return self.past_point

    def _takes_small(self, number: int) -> bool:
        open_hundred = self.group % 100 == 0 and self.last not in ("zero", "dozen")
        open_ten = self.group % 100 >= 20 and self.group % 10 == 0  # noqa: PLR2004
        if not (open_hundred or (open_ten and 0 < number < 10)):  # noqa: PLR2004
            return False
        if number == 0 and self.start >= 0:
            return False
        self.group += number
        return True

    def _takes_group(self, size: int) -> bool:
        if self.group >= 100 or self.last == "zero":  # noqa: PLR2004 (hundred hundred)
            return False
        self.group = (self.group or Decimal(1)) * size
        return True

    def _takes_scale(self, scale: int) -> bool:
        if scale >= self.scale or self.last == "zero":
            return False
        self.total += (self.group or Decimal(1)) * scale
        self.group, self.scale = Decimal(0), scale
        return True

    def _takes_half(self, word: _Word) -> bool:
        if self.start >= 0 and not word.joined_by_and:
            return False
        self.group += Decimal("0.5")
        return True


_JOINERS = ("hundred", "dozen", *SCALES)


def _parsed(run: Sequence[_Word]) -> list[Spelled]:
    numbers: list[Spelled] = []
    current = _Sum()
    for word in run:
        if current.takes(word):
            continue
        numbers.extend(_closed(current))
        current = _Sum()
        current.takes(word)
    return [*numbers, *_closed(current)]


def _closed(number: _Sum) -> Iterator[Spelled]:
    if number.start >= 0:
        yield Spelled(number.value, number.start, number.end)


def _signed(text: str, number: Spelled) -> Spelled:
    before = _NEGATIVE.search(text, max(0, number.start - 10), number.start)
    if before is None:
        return number
    return Spelled(-number.value, before.start(), number.end)


def _scales_digits(text: str, word: _Word) -> bool:
    """Whether a word belongs to digits before it, as in `1.5 million`."""
    before = text[max(0, word.start - 2) : word.start]
    return word.text not in _SMALL and bool(_AFTER_DIGIT.search(before))


def _is_pronoun(text: str, word: _Word) -> bool:
    before = text[max(0, word.start - 10) : word.start]
    after = text[word.end : word.end + 10]
    return bool(_PRONOUN_BEFORE.search(before) or _PRONOUN_AFTER.match(after))


def _years(numbers: Sequence[Spelled]) -> Iterator[Spelled]:
    for century, years in pairwise(numbers):
        if all(10 <= part.value < 100 for part in (century, years)):  # noqa: PLR2004
            value = century.value * 100 + years.value
            yield Spelled(value, century.start, years.end)
