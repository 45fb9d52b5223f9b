"""Gates: what must hold of a run, as a line of text that decides an exit code."""

from __future__ import annotations

from .grammar import GateError, parse
from .judging import Gate, Judged, Measure, Missing, judge
from .terms import needs_baseline

__all__ = [
    "Gate",
    "GateError",
    "Judged",
    "Measure",
    "Missing",
    "judge",
    "needs_baseline",
    "parse",
]
