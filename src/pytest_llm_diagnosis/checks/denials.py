"""Whether a text takes back what it names, by a plain `not` or `no` before it.

Only a word that stands directly before what is named counts (English), so that
nothing is misread: `not 45`, `wasn't on 3 May`, `no apples`.
"""

from __future__ import annotations

import re

_BEFORE = 24
# "Whether or not 45 come" and "why not 45" deny nothing.
_NOT = r"(?<!\bor )(?<!\bthan )(?<!\bwhy )(?:\bnot|n't)"
_DENIAL = re.compile(rf"{_NOT} (?:(?:on|in) )?(?:the )?$", re.IGNORECASE)
_DENIAL_OR_NONE = re.compile(rf"(?:{_NOT}|(?<!\bsay )\bno) $", re.IGNORECASE)


def denial(text: str, start: int) -> str:
    """Return the words that deny the number or date at `start`, or nothing."""
    return _found(_DENIAL, text, start)


def denies_thing(text: str, start: int) -> bool:
    """Whether the thing named at `start` is denied, also by `no`; never a number."""
    return not text[start].isdigit() and bool(_found(_DENIAL_OR_NONE, text, start))


def _found(pattern: re.Pattern[str], text: str, start: int) -> str:
    found = pattern.search(text[max(0, start - _BEFORE) : start])
    return found[0] if found else ""
