"""Which unit a text gives a number, and quantities it states in other ways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from .numerals import MAX_NUMERALS, Numeral
from .units import Unit, same_noun, units_named

_TAIL = 80
_HEAD = 40
_WORDS = 5
_PHRASE = 3

_ASIDE = re.compile(r"[ \t]?\([^()\n]*\)")
_RANGE = re.compile(r"[ \t]?(?:-|to|or|and)[ \t]?(?=\d)[\d.,]*\d")
_WORD = re.compile(
    r"[ \t-]?(?P<word>[^\W\d_]+(?:[23](?!\w)|[/^][^\W_]+)?"
    r"|[%\u2030\u20ac\u00a3\u00a5\u20b9\u20a9$\u00a2]|\u00b0[ ]?(?:[cf]\b)?)",
    re.IGNORECASE,
)
_HALF_OF = re.compile(r"(?<=half)[ ]an?(?=[ ])", re.IGNORECASE)
_ARTICLE = re.compile(r"\ban?(?=[ -][^\W\d_])", re.IGNORECASE)
# Between the parts of "2 hours and 30 minutes" stands the first part's unit.
_JOINT = re.compile(r"[ -]?[^\W\d_]+\.?(?:,? and |, | )", re.IGNORECASE)
_AND_A_HALF = re.compile(r"[ -]?[^\W\d_]+ and a half", re.IGNORECASE)
_HALF = Decimal("0.5")
_LABEL = re.compile(r"([^\W\d_]{3,})[\"'*)\]]*\s*[:=]\s*[\"']?$")
# With these a new thought begins, so what follows is not the number's unit.
_STOP_WORDS = (
    "a about after afterwards ago all altogether am an and are as at be because "
    "before but by can counting each either every exactly for from had has have if "
    "in instead into is it max maximum min minimum more most must no not now of off "
    "on only or out over plus respectively since so starting such than that "
    "the then there these they this those though to too total under until up was we "
    "were when where which while who will with within without would you"
)
_STOPS = frozenset(_STOP_WORDS.split())


class Measure(NamedTuple):
    """What stands beside a number.

    `units` are the known units it can have; `words` what follows it when it is
    none of them; both are empty for a bare number.
    """

    units: frozenset[Unit] = frozenset()
    words: tuple[str, ...] = ()

    @property
    def is_bare(self) -> bool:
        """Whether the number stands alone."""
        return not self.units and not self.words


class Amount(NamedTuple):
    """A quantity in the first unit of a family."""

    family: str
    value: Decimal


def measure(text: str, numeral: Numeral, wanted: str) -> Measure:
    """Return the unit that a prepared text gives a number.

    `wanted` is the unit that is looked for: it is recognised even if unknown or
    spelled like another word (`in`).
    """
    named = units_named(numeral.currency.rstrip("."))
    if named:
        return Measure(units=named)
    words = tuple(_words_after(text, numeral.end, wanted))
    for start in range(len(words)):
        if says(words[start:], wanted):
            return Measure(units=units_named(wanted), words=words[start:])
        for length in range(_PHRASE, 0, -1):
            named = units_named(" ".join(words[start : start + length]))
            if named:
                return Measure(units=named)
    return Measure(words=words) if words else _labelled(text, numeral, wanted)


def says(words: Sequence[str], unit: str) -> bool:
    """Whether words begin with a unit, singular or plural."""
    parts = unit.split()
    return len(words) >= len(parts) and all(map(same_noun, words, parts))


def implied(text: str, wanted: str) -> Iterator[Numeral]:
    """Yield the ones of a prepared text that an article states: `a week`."""
    families = {unit.family for unit in units_named(wanted)}
    for found in islice(_ARTICLE.finditer(text), MAX_NUMERALS):
        numeral = Numeral(Decimal(1), *found.span())
        beside = measure(text, numeral, wanted)
        if says(beside.words, wanted) or families & {
            each.family for each in beside.units
        }:
            yield numeral


def compounds(text: str, found: Sequence[Numeral], wanted: str) -> Iterator[Amount]:
    """Yield quantities stated in parts: `2 hours and 30 minutes`, `5 ft 10 in`."""
    families = {unit.family for unit in units_named(wanted)}
    before: tuple[int, Unit] | None = None
    total = Decimal(0)
    for numeral in found:
        units = measure(text, numeral, wanted).units
        unit = next((each for each in units if each.family in families), None)
        goes_on = before is not None and _goes_on(text, before, numeral, unit)
        if before is not None and goes_on:
            unit = unit or before[1]
            total += numeral.value * unit.factor
            yield Amount(unit.family, total)
        elif unit is not None:
            total = numeral.value * unit.factor
        before = (numeral.end, unit) if unit is not None else None


def _goes_on(
    text: str, before: tuple[int, Unit], numeral: Numeral, unit: Unit | None
) -> bool:
    """Whether a number goes on with the quantity of the number before it."""
    end, larger = before
    if unit is None:
        return numeral.value == _HALF and bool(
            _AND_A_HALF.fullmatch(text, end, numeral.end)
        )
    is_smaller = unit.family == larger.family and unit.factor < larger.factor
    return is_smaller and bool(_JOINT.fullmatch(text, end, numeral.start))


def _labelled(text: str, numeral: Numeral, wanted: str) -> Measure:
    """Return the measure of `days: 45` or `"return_days": 45`."""
    label = _LABEL.search(text[max(0, numeral.start - _HEAD) : numeral.start])
    if label is None:
        return Measure()
    if says((label[1],), wanted):
        return Measure(units=units_named(wanted), words=(label[1],))
    return Measure(units=units_named(label[1]))


def _words_after(text: str, end: int, wanted: str) -> Iterator[str]:
    tail = text[end : end + _TAIL]
    aside = (
        _ASIDE.match(tail) or _RANGE.match(tail) or _HALF_OF.match(text, end, end + 4)
    )
    position = len(aside.group()) if aside else 0
    for index in range(_WORDS):
        found = _WORD.match(tail, position)
        if found is None:
            return
        word, position = found["word"], found.end()
        # Right behind a number it stands for minutes, later for a minimum.
        is_unit = same_noun(word, wanted) or (index == 0 and word == "min")
        if word.casefold() in _STOPS and not is_unit:
            return
        yield word
