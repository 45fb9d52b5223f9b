"""A line of terminal text with its meaning, and what makes model text safe."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

Style: TypeAlias = Literal["plain", "good", "bad", "warn", "head", "dim"]

_MARKUP: Mapping[Style, Mapping[str, bool]] = {
    "plain": {},
    "good": {"green": True},
    "bad": {"red": True},
    "warn": {"yellow": True},
    "head": {"bold": True},
    "dim": {"light": True},
}
_KEPT = frozenset("\n\t")
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# GitHub takes "::" after any space at a line's start, older runners and Azure
# take "##[" and "##vso[" anywhere in it.
_COMMAND = re.compile(r"^(\s*):(?=:)|#(?=#(?:\[|vso\[))", re.MULTILINE)


class Line(NamedTuple):
    """One line of text and what it means."""

    text: str
    style: Style = "plain"

    @property
    def markup(self) -> Mapping[str, bool]:
        """The style in the words of pytest's TerminalWriter."""
        return _MARKUP[self.style]


def printable(text: str) -> str:
    r"""Return hostile text that a terminal or a CI log takes as mere text.

    Control, format, surrogate and separator characters (Unicode categories Cc,
    Cf, Cs, Zl, Zp) become `\x1b`-like escapes, as does the first sign of what a
    CI system would take for a command (`::error::`, `##[group]`).
    """
    if not text.isprintable():
        text = "".join(map(_escaped, text))
    return _COMMAND.sub(_disarmed, text)


def _disarmed(command: re.Match[str]) -> str:
    return "\\x23" if command[0] == "#" else f"{command[1]}\\x3a"


def _escaped(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _ESCAPED:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def one_line(text: str, most: int = 100) -> str:
    """Return the text on one line, cut to `most` characters."""
    flat = " ".join(printable(text).split())
    return flat if len(flat) <= most else f"{flat[: most - 3]}..."
