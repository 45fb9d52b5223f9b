"""Text that pytest shows in place of a traceback.

`TerminalRepr` and `TerminalWriter` are what pytest's public `repr_failure` is
declared to return and to write to; neither has a public name yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from _pytest._code.code import TerminalRepr
from _pytest._io import TerminalWriter

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
