"""The names of passages: a section's, and those of the pieces it is cut into."""

from __future__ import annotations

import re

_PIECE = re.compile(r"(.*)#([^#]*)/[0-9]+")


def section_of(source: str) -> str:
    """Return the id of the section that a passage is of, itself if it is one.

    A piece of a section is `docs/returns.md#unworn-goods/2`; one of the text
    before the first heading is `docs/returns.md#/2`.
    """
    match = _PIECE.fullmatch(source)
    if match is None:
        return source
    name, wanted = match.groups()
    return f"{name}#{wanted}" if wanted else name


def piece_of(section: str, number: int) -> str:
    """Return the id of the `number`-th piece of a section, from 1."""
    return f"{section}/{number}" if "#" in section else f"{section}#/{number}"
