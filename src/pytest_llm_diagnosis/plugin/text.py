"""Text that pytest shows in place of a traceback.

`TerminalRepr` and `TerminalWriter` are what pytest's public `repr_failure` is
declared to return and to write to; neither has a public name yet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from _pytest._code.code import TerminalRepr
from _pytest._io import TerminalWriter

from pytest_llm_diagnosis.report.layout import WIDTH
from pytest_llm_diagnosis.report.lines import Line, printable


class Crash(NamedTuple):
    """What pytest's short summary and JUnit take from a failure."""

    message: str

    def __str__(self) -> str:
        """Return what `--tb=line` shows."""
        return self.message


class CleanText(TerminalRepr):
    """Lines for the failures section, and one line for the short summary."""

    def __init__(self, lines: Sequence[Line], summary: str) -> None:
        self.lines = lines
        self.summary = summary

    @classmethod
    def of(cls, text: str) -> CleanText:
        """Return plain text whose first line is the summary; it may be hostile."""
        rows = printable(text).splitlines() or [""]
        return cls([Line(row) for row in rows], rows[0])

    @property
    def reprcrash(self) -> Crash:
        """The one-line message."""
        return Crash(self.summary)

    def toterminal(self, tw: TerminalWriter) -> None:
        """Write the lines with their colours."""
        for line in self.lines:
            tw.line(line.text, **line.markup)

    def __str__(self) -> str:
        return "\n".join(line.text for line in self.lines)


_COLOURS = re.compile(r"\x1b\[[\d;]*m")


def without_steering(text: str) -> str:
    """Return captured text without colours, whatever else steers a terminal shown."""
    return printable(_COLOURS.sub("", text))


def plain_repr(shown: object, *, coloured: bool) -> object:
    """Return a representation of a failure whose texts are mere text.

    pytest shows both sides of a comparison as they are, which of a model's answer
    may be anything.  Where it has `coloured` them itself, its colours go too, since
    nobody can tell them from the model's.
    """
    if isinstance(shown, str):
        return without_steering(shown) if coloured else printable(shown)
    if isinstance(shown, list | tuple):
        parts = [plain_repr(part, coloured=coloured) for part in shown]
        return parts if isinstance(shown, list) else tuple(parts)
    if isinstance(shown, TerminalRepr) and not isinstance(shown, CleanText):
        for name, value in vars(shown).items():
            setattr(shown, name, plain_repr(value, coloured=coloured))
    return shown


def is_coloured(config: pytest.Config) -> bool:
    """Return whether pytest colours what it prints; it may print nothing."""
    if not config.pluginmanager.has_plugin("terminalreporter"):
        return False
    return config.get_terminal_writer().hasmarkup


def width_of(config: pytest.Config) -> int:
    """Return how wide text may be: our width, or the terminal's where it is less."""
    if not config.pluginmanager.has_plugin("terminalreporter"):
        return WIDTH
    return min(WIDTH, config.get_terminal_writer().fullwidth)
