"""Hostile text to text that a terminal and a CI log take as mere text."""

from __future__ import annotations

import re
import unicodedata

_KEPT = frozenset("\n\t")
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# GitHub takes "::" after any space at a line's start, older runners and Azure
# take "##[" and "##vso[" anywhere in it.
_COMMAND = re.compile(r"^(\s*):(?=:)|#(?=#(?:\[|vso\[))", re.MULTILINE)


def printable(text: str) -> str:
    r"""Return hostile text that a terminal or a CI log takes as mere text.

    Control, format, surrogate and separator characters (Unicode categories Cc,
    Cf, Cs, Zl, Zp) become `\x1b`-like escapes, as does the first sign of what a
    CI system would take for a command (`::error::`, `##[group]`).  Line ends and
    tabs stay.
    """
    if not text.isprintable():
        text = "".join(map(_escaped, text))
    return _COMMAND.sub(_disarmed, text)


def on_one_line(text: str) -> str:
    r"""Return the text as `printable` does, its line ends written as `\n`."""
    return printable(text).replace("\n", "\\n")


def _disarmed(command: re.Match[str]) -> str:
    return "\\x23" if command[0] == "#" else f"{command[1]}\\x3a"


def _escaped(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _ESCAPED:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
