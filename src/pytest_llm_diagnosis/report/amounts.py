"""Amounts in words: chances, ranges, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_llm_diagnosis.stats import Interval

_LISTED = 5
_LEAST = 0.001


def percent_range(interval: Interval) -> str:
    """Return an interval of shares as `19-46%`."""
    return f"{100 * interval.low:.0f}-{100 * interval.high:.0f}%"


def chance(p: float) -> str:
    """Return a chance with three digits, never as zero."""
    return f"{p:.3f}" if p >= _LEAST else "<0.001"


def names(listed: Sequence[str]) -> str:
    """Return the first few names and how many more there are."""
    shown = ", ".join(listed[:_LISTED])
    return f"{shown} and {len(listed) - _LISTED} more" if listed[_LISTED:] else shown


def cases(count: int) -> str:
    """Return `1 case` or `n cases`."""
    return f"{count} case" if count == 1 else f"{count} cases"
