"""Whether a text names someone or something, in any common spelling of the name.

Diacritics, case, titles (`Dr.`), honours (`Jr.`, `OBE`) and articles do not
matter.  A person's name is its first and its last word with whatever stands
between: middle names may be missing, added or shortened to initials, as the
first name may, and the last name may come first (`Curie, Marie`).  Anything
else (`University of Chicago`, `Apollo 11`) is named by its words in order.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from .normalise import same_shapes, without_emphasis

# No answer holds more words on purpose; the search is linear in them.
MAX_WORDS = 200_000
MIDDLE_NAMES = 3
"""How many words of the text may stand between a first and a last name."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# Before NFKC, which would make `Hawes\u2076` one word.
_FOOTNOTE = re.compile("(?<=[^\\W\\d_])[\u00b2\u00b3\u00b9\u2070-\u2079]+")
_TITLE_WORDS = (
    "mr mrs ms miss mx dr prof professor sir dame lord lady st saint rev reverend "
    "fr father sister brother pope king queen prince princess emperor empress duke "
    "duchess count countess baron baroness president chairman chancellor governor "
    "senator mayor minister ambassador judge justice captain capt colonel col "
    "general gen lieutenant lt major sergeant sgt admiral commander the hon"
)
_HONOUR_WORDS = "jr sr ii iii iv obe cbe mbe kbe phd md esq mp qc kc junior"
_CONNECTOR_WORDS = "and at by for from in of on or to with"
_PARTICLE_WORDS = "de da di del della der den du la le van von zu bin ibn al el y"
_PARTICLES = frozenset(_PARTICLE_WORDS.split())
_TITLES = frozenset(_TITLE_WORDS.split())
_HONOURS = frozenset(_HONOUR_WORDS.split())
_CONNECTORS = frozenset(_CONNECTOR_WORDS.split())
_ARTICLES = frozenset(("a", "an", "the"))
_PARTED = re.compile(r"[,:;/()]")
# Letters that no decomposition takes to their plain ones.
_SPELLED = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "\u0131": "i",
    }
)


class Word(NamedTuple):
    """A word without case and diacritics, and how it stands in the text.

    `parted` says that a comma or more stands before it; `proper` that it is
    written as a name or a number is.
    """

    text: str
    parted: bool
    proper: bool


class Name(NamedTuple):
    """A name to look for: its words as written, and those of a person's name.

    `person` has the first name first and no titles; it is empty for a thing.
    """

    written: Sequence[str]
    person: Sequence[str] = ()

    @property
    def is_person(self) -> bool:
        """Whether it looks like a person's name."""
        return bool(self.person)


def plain(text: str) -> str:
    """Return a text without case, diacritics and the like."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFD", same_shapes(text).casefold())
    bare = "".join(each for each in folded if not unicodedata.combining(each))
    return unicodedata.normalize("NFKC", bare.translate(_SPELLED))


def words_of(text: str) -> list[Word]:
    """Return the words of a text, possessive endings and articles left out."""
    text = _FOOTNOTE.sub(" ", text)
    text = without_emphasis(same_shapes(text)).replace("&", " and ")
    found: list[Word] = []
    end, parted = 0, False
    for each in islice(_WORD.finditer(text), MAX_WORDS):
        gap = text[end : each.start()]
        parted = parted or not _joins(gap)
        end = each.end()
        word = each.group()
        word = word[:-2] if word.lower().endswith("'s") else word
        if plain(word) in _ARTICLES and (text[end : end + 1] == " " or gap == ", "):
            continue
        found.append(Word(plain(word).replace("'", ""), parted, not word[0].islower()))
        parted = False
    return found


def parsed(name: str) -> Name | None:
    """Return a name to look for, or None when nothing of it could be seen."""
    written = words_of(name)
    if not written:
        return None
    person = _bare(words_of(_turned_back(name)))
    is_person = _is_person(person) and not _PARTED.search(_turned_back(name))
    texts = [each.text for each in written]
    return Name(texts, [each.text for each in person] if is_person else ())


def names(name: Name, words: Sequence[Word]) -> bool:
    """Return whether the words of a text name it."""
    if _in_order(name.written, words):
        return True
    if not name.is_person:
        return False
    first, *middle, last = name.person
    bare = [each for each in words if each.text not in _TITLES]
    for index, word in enumerate(bare):
        if word.text == last and _turned(first, bare[index + 1 : index + 2]):
            return True
        following = bare[index + 1 : index + MIDDLE_NAMES + 2]
        if _compatible(first, word.text) and _goes_on(middle, last, following):
            return True
    return False


def names_in_part(name: Name, words: Sequence[Word]) -> bool:
    """Return whether the last of a person's names, at least, is said."""
    return name.is_person and any(each.text == name.person[-1] for each in words)


def _turned_back(name: str) -> str:
    """Return `Marie Curie` for `Curie, Marie`, `Sammy Davis` for `Sammy Davis, Jr.`."""
    family, comma, given = name.partition(",")
    if comma and {each.text for each in words_of(given)} <= _HONOURS:
        return family
    return f"{given} {family}" if comma and "," not in given else name


def _bare(words: Sequence[Word]) -> Sequence[Word]:
    return [each for each in words if each.text not in _TITLES | _HONOURS]


def _goes_on(middle: Sequence[str], last: str, words: Sequence[Word]) -> bool:
    """Whether middle names that fit and then the last name follow a first name."""
    between: list[str] = []
    for each in words:
        if each.text == last and not each.parted:
            return _fits(middle, between)
        if each.parted or not (each.proper or each.text in _PARTICLES):
            return False
        between.append(each.text)
    return False


def _joins(gap: str) -> bool:
    return all(each in " .-'\"()\t" for each in gap) and ". " not in gap.replace(
        ". ", " ", 1
    )


def _is_person(words: Sequence[Word]) -> bool:
    """Whether words look like a person's name: two to five, none of them small."""
    ends = words[:1], words[-1:]
    return 2 <= len(words) <= 5 and all(  # noqa: PLR2004 (from given and family name)
        (each.proper or (each.text in _PARTICLES and [each] not in ends))
        and each.text.isalpha()
        and each.text not in _CONNECTORS
        for each in words
    )


def _in_order(wanted: Sequence[str], words: Sequence[Word]) -> bool:
    first, length = wanted[0], len(wanted)
    return any(
        word.text == first
        and all(
            one == other.text
            for one, other in zip(wanted, words[index : index + length], strict=False)
        )
        and len(words) - index >= length
        for index, word in enumerate(words)
    )


def _turned(first: str, after: Sequence[Word]) -> bool:
    """Whether a comma and the first name stand behind a last name."""
    return any(each.parted and _compatible(first, each.text) for each in after)


def _compatible(wanted: str, found: str) -> bool:
    """Whether a word is the wanted one, or one of both is the other's initial."""
    short = len(wanted) == 1 or len(found) == 1
    return wanted == found or (short and wanted[:1] == found[:1])


def _fits(wanted: Sequence[str], found: Sequence[str]) -> bool:
    """Whether middle names agree: one list is part of the other, in order."""
    shorter, longer = sorted((wanted, found), key=len)
    rest: Iterator[str] = iter(longer)
    return all(any(_compatible(each, other) for other in rest) for each in shorter)
