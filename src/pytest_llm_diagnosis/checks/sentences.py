"""Text to sentences and words (English punctuation).

A sentence ends at `.`, `?` or `!` before a space or a closing mark, save after
an abbreviation (`Dr.`, `e.g.`), an initial (`J. Smith`) or in an ellipsis that
goes on in lower case.  Line ends alone end none.  The rules follow T. Kiss and
J. Strunk, Unsupervised Multilingual Sentence Boundary Detection (2006), with a
list of abbreviations in the place of a trained model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

_ABBREVIATION_WORDS = (
    # Titles and names
    "mr mrs ms messrs dr prof rev hon gov sen rep gen col lt capt sgt maj jr sr st "
    "mt ft "
    # Companies and places
    "inc ltd co corp bros ave blvd dept dist "
    # Latin and references
    "vs etc e.g i.e cf al viz approx fig figs vol pp ed eds "
    # Times and places with inner periods
    "a.m p.m u.s u.k u.n u.s.a d.c ph.d b.c a.d "
    # Months and weekdays
    "jan feb aug sept sep oct nov dec mon tue tues wed thu thurs fri "
)
_ABBREVIATIONS = frozenset(_ABBREVIATION_WORDS.split())
# After these a capital begins a sentence oftener than it goes on with one.
_FINAL_WORDS = "etc inc ltd co corp a.m p.m u.s u.k u.n u.s.a d.c jr sr"
_FINAL = frozenset(_FINAL_WORDS.split())
_STARTER_WORDS = (
    "a after all although an and as at because before but by during each even for "
    "from he her here his how however i if in is it its many more most my no not "
    "now of on once one or our she since so some such that the their then there "
    "these they this those though to under until we what when where which while "
    "who why with yet you your"
)
_STARTERS = frozenset(_STARTER_WORDS.split())

_END = re.compile(r"[.?!](?=[)\";}\]*:@'({\[!?]|\s)")
_BEFORE = re.compile(r"\S{1,40}\Z")
_AFTER = re.compile(r"\s+(\S{1,40})")
_CLOSING = re.compile(r"[\"')\]}*_]*+(?=\s|\Z|--)")
_EDGES = "\"'()[]{}*_`:;,<>"
_INITIAL = re.compile(r"[^\W\d_]\Z")
_WORD = re.compile(r"\w+")


def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of a text, without the spaces around them."""
    if not _END.search(text):
        return (text.strip(),) if text.strip() else ()
    cuts = [0, *_cuts(text), len(text)]
    parts = (text[start:end].strip() for start, end in pairwise(cuts))
    return tuple(part for part in parts if part)


def words(text: str) -> tuple[str, ...]:
    """Return the runs of letters, digits and underscores."""
    return tuple(_WORD.findall(text))


def _cuts(text: str) -> Iterator[int]:
    """Yield where sentences end."""
    for found in _END.finditer(text):
        end = found.end()
        if text[end : end + 1] and not text[end].isspace():
            closing = _CLOSING.match(text, end)
            if closing is None or not closing.group():
                continue
            end = closing.end()
        following = _AFTER.match(text, end)
        if following is None:
            continue
        if found[0] != "." or _ends(text, found.start(), following[1]):
            yield end


def _ends(text: str, period: int, following: str) -> bool:
    """Return whether a period ends a sentence, given the word that follows."""
    before = _BEFORE.search(text, max(0, period - 40), period)
    if before is None:
        return True
    last = before[0].strip(_EDGES)
    goes_on = following.lstrip(_EDGES)[:1].islower()
    if before[0].endswith("."):
        return not goes_on and _is_starter(following)
    if _is_number(last):
        return not goes_on
    if last != "I" and _INITIAL.fullmatch(last):
        return False
    known = last.lower().rpartition("-")[2]
    if known not in _ABBREVIATIONS:
        return True
    return known in _FINAL and not goes_on and _is_starter(following)


def _is_starter(following: str) -> bool:
    word = following.strip(_EDGES + ".?!")
    return word[:1].isupper() and word.lower() in _STARTERS


def _is_number(last: str) -> bool:
    return last.replace(",", "").replace(".", "").lstrip("-$").isdigit()
