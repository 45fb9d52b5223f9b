"""Where a text mentions things, each under one of its names.

Text and names are folded already.  A name counts as a whole word, and the
longest name counts alone: `New York` is no mention of `York`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

# No answer mentions one name more often on purpose.
MAX_MENTIONS = 10_000


class Mention(NamedTuple):
    """A thing, by its place in the list of things, and where it is mentioned."""

    thing: int
    start: int


def mentions(spoken: str, things: Sequence[Sequence[str]]) -> list[Mention]:
    """Return where a text mentions the things, in the order of the text."""
    named = [(name, thing) for thing, names in enumerate(things) for name in names]
    taken = bytearray(len(spoken))
    found: list[Mention] = []
    for name, thing in sorted(named, key=lambda each: len(each[0]), reverse=True):
        for start in _places(spoken, name):
            end = start + len(name)
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * len(name)
                found.append(Mention(thing, start))
    return sorted(found, key=lambda mention: mention.start)


def _places(spoken: str, name: str) -> Iterator[int]:
    at = spoken.find(name)
    for _ in range(MAX_MENTIONS):
        if at < 0:
            return
        if _is_apart(spoken, at, at + len(name)):
            yield at
        at = spoken.find(name, at + 1)


def _is_apart(spoken: str, start: int, end: int) -> bool:
    """Whether what stands there is part of no longer word or number."""
    before, after = spoken[max(0, start - 2) : start], spoken[end : end + 2]
    if spoken[start].isalnum() and before[-1:].isalnum():
        return False
    if spoken[end - 1].isalnum() and after[:1].isalnum():
        return False
    inside_before = before[-1:] in (".", ",") and before[:1].isdigit()
    inside_after = after[:1] in (".", ",") and after[1:].isdigit()
    return not (
        (spoken[start].isdigit() and inside_before)
        or (spoken[end - 1].isdigit() and inside_after)
    )
