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
_COMMAND = re.compile(r"^(\s*)(::|##\[)", re.MULTILINE)


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

    Control, format and surrogate characters (Unicode categories Cc, Cf, Cs)
    become `\x1b`-like escapes; a line that begins like a CI workflow command
    (`::error::`, `##[group]`) is pushed off its start.
    """
    if not text.isprintable():
        text = "".join(map(_escaped, text))
    return _COMMAND.sub(r"\1 \2", text)


def _escaped(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def one_line(text: str, most: int = 100) -> str:
    """Return the text on one line, cut to `most` characters."""
    flat = " ".join(printable(text).split())
    return flat if len(flat) <= most else f"{flat[: most - 3]}..."
