"""Which unit a text gives a number: after it, before it, or none at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .numerals import Numeral
from .units import Unit, same_noun, units_named

_TAIL = 80
_HEAD = 40
_WORDS = 5
_PHRASE = 3

_ASIDE = re.compile(r"[ \t]?\([^()\n]*\)")
_RANGE = re.compile(r"[ \t]?(?:-|to|or|and)[ \t]?(?=\d)[\d.,]*\d")
_WORD = re.compile(
    r"[ \t-]?(?P<word>[^\W\d_]+(?:[/^][^\W_]+)?"
    r"|[%\u2030\u20ac\u00a3\u00a5\u20b9\u20a9$\u00a2]|\u00b0[ ]?(?:[cf]\b)?)",
    re.IGNORECASE,
)
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
    aside = _ASIDE.match(tail) or _RANGE.match(tail)
    position = aside.end() if aside else 0
    for _ in range(_WORDS):
        found = _WORD.match(tail, position)
        if found is None:
            return
        word, position = found["word"], found.end()
        if word.casefold() in _STOPS and not same_noun(word, wanted):
            return
        yield word
