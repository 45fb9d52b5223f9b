"""A line of terminal text with its meaning, and what makes model text safe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from pytest_llm_diagnosis.printing import printable

__all__ = ["Line", "Style", "one_line", "printable"]

Style: TypeAlias = Literal["plain", "good", "bad", "warn", "head", "dim"]

_MARKUP: Mapping[Style, Mapping[str, bool]] = {
    "plain": {},
    "good": {"green": True},
    "bad": {"red": True},
    "warn": {"yellow": True},
    "head": {"bold": True},
    "dim": {"light": True},
}


class Line(NamedTuple):
    """One line of text and what it means."""

    text: str
    style: Style = "plain"

    @property
    def markup(self) -> Mapping[str, bool]:
        """The style in the words of pytest's TerminalWriter."""
        return _MARKUP[self.style]


def one_line(text: str, most: int = 100) -> str:
    """Return the text on one line, cut to `most` characters."""
    flat = " ".join(printable(text).split())
    return flat if len(flat) <= most else f"{flat[: most - 3]}..."
