"""Whether an answer that failed its fact check agrees with the reference.

Agreement is judged on the words that tell: those of the reference that the
question does not say already, without the small ones.  Spelling, endings,
number words and ordinals do not matter; a number must be the same number, and a
person may be named in any way that `checks.names` accepts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pytest_llm_diagnosis.checks.names import names, parsed, plain, words_of
from pytest_llm_diagnosis.checks.number_words import in_digits
from pytest_llm_diagnosis.checks.units import units_named

from .situation import Reply

RECALL = 0.66
"""The share of the telling words that an answer must say."""
SPREAD = 8
"""How many words the stretch may have for each that tells."""
BEFORE = 4
"""A denial so many words before counts."""
CONSIDERED = 20_000
"""No more characters of an answer are read: what agrees says so early."""

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?")
_NEGATION_WORDS = "no not never cannot without none nor neither nobody nothing"
_NEGATIONS = frozenset(_NEGATION_WORDS.split())
_SMALL_WORDS = (
    "a about after all also am an and any are as at be been before between both but "
    "by can could did do does during each for from had has have he her his how i if "
    "in into is it its more most of on one only or other our over she so some "
    "such than that the their them then there these they this those through to under "
    "up was we were what when where which while who whom why will with would you your"
)
_SMALL = frozenset(_SMALL_WORDS.split())
_ORDINAL_WORDS = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh "
    "twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth "
    "nineteenth twentieth"
)
_ORDINALS = {word: str(at) for at, word in enumerate(_ORDINAL_WORDS.split())}
_ORDINAL_ENDING = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
_ENDING = re.compile(r"(?:'s|s'|ies|es|s|y|e|ed|ing|ly)$")
_SHORTEST = 4
_PREFIX = 5
_PREFIX_SHARE = 0.7
_ALIKE = 85.0


class _Word(NamedTuple):
    """A word with its stem; a number or a unit must be `exact`."""

    text: str
    stem: str
    exact: bool

    @property
    def is_number(self) -> bool:
        return self.text[0].isdigit()


def agrees(replies: Sequence[Reply], ideal: str | None, question: str = "") -> bool:
    """Return whether most answers that failed on facts agree with the reference."""
    failed = [reply.text for reply in replies if reply.ask.facts is False]
    if not ideal or not failed:
        return False
    return 2 * sum(agree(text, ideal, question) for text in failed) > len(failed)


def agree(text: str, ideal: str, question: str = "") -> bool:
    """Return whether a text says what the reference says.

    It must say two thirds of the telling words, the last of them and every
    number included, near each other, and deny what the reference does not.
    """
    text, ideal = text[:CONSIDERED], ideal[:CONSIDERED]
    name = parsed(ideal)
    if name is not None and name.is_person and names(name, words_of(text)):
        return True
    said, telling = list(_words(text)), _telling(ideal, question)
    places = {word: _places(word, said) for word in telling}
    found = [word for word in telling if places[word]]
    if not found or not _enough(telling, found):
        return False
    start, end = _span([places[word] for word in found])
    beside = said[max(0, start - BEFORE) : end + 1]
    near = end - start <= SPREAD * len(found)
    return near and _denies(beside) == _denies(list(_words(ideal)))


def _enough(telling: Sequence[_Word], found: Sequence[_Word]) -> bool:
    needed = {telling[-1], *(word for word in telling if word.is_number)}
    return needed <= set(found) and len(found) >= RECALL * len(telling)


def _span(places: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Return the narrowest stretch with a place of each word, seen from the rarest."""
    rarest = min(places, key=len)
    spans = []
    for anchor in rarest:
        nearest = [min(each, key=lambda at: abs(at - anchor)) for each in places]
        spans.append((min(nearest), max(nearest)))
    return min(spans, key=lambda span: span[1] - span[0])


def _denies(words: Sequence[_Word]) -> bool:
    return any(word.text in _NEGATIONS or word.text.endswith("n't") for word in words)


def _telling(ideal: str, question: str) -> list[_Word]:
    words = [word for word in _words(ideal) if word.text not in _SMALL | _NEGATIONS]
    asked = {word.stem for word in _words(question)}
    news = [word for word in words if word.stem not in asked]
    return list(dict.fromkeys(news or words or _words(ideal)))


def _places(wanted: _Word, said: Sequence[_Word]) -> list[int]:
    return [at for at, word in enumerate(said) if _same(wanted, word)]


def _same(one: _Word, other: _Word) -> bool:
    if one.exact or other.exact:
        return one.text == other.text
    if one.stem == other.stem:
        return True
    shorter, longer = sorted((one.text, other.text), key=len)
    if len(shorter) < _SHORTEST:
        return False
    common = _common_prefix(shorter, longer)
    if common >= _PREFIX and common >= _PREFIX_SHARE * len(longer):
        return True
    from rapidfuzz import fuzz

    return one.text[0] == other.text[0] and fuzz.ratio(one.text, other.text) >= _ALIKE


def _common_prefix(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), len(one))


def _words(text: str) -> Iterator[_Word]:
    """Yield the words of a text; a unit behind a number has one spelling."""
    spoken = _ORDINAL_ENDING.sub("", plain(in_digits(text)))
    after_number = False
    for found in _WORD.finditer(spoken):
        word = found.group()
        word = _ORDINALS.get(word, word).replace(",", "")
        units = sorted(units_named(word)) if after_number else ()
        after_number = word[0].isdigit()
        if units:
            word = " ".join(f"{unit.family} {unit.factor:f}" for unit in units)
        exact = bool(units) or word[0].isdigit()
        yield _Word(word, word if exact else _stem(word), exact)


def _stem(word: str) -> str:
    bare = _ENDING.sub("", word)
    return bare if len(bare) >= _SHORTEST - 1 else word
