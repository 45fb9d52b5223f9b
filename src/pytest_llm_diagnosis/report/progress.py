"""How far a run's calls are, on one line."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_llm_diagnosis.engine import Counts

from .terminal import Plan

_MINUTE = 60
_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What was planned, what was done of it, and in how many seconds."""

    plan: Plan
    counts: Counts
    seconds: float

    @property
    def done(self) -> int:
        """How many requests need no further call, failed ones included."""
        return self.counts.answered + self.counts.stored + self.counts.failed

    @property
    def total(self) -> int:
        """How many requests are known of; probes and judges add to the plan."""
        counts = self.counts
        known = self.plan.calls + counts.probe_calls + counts.check_calls
        known += counts.retrieval_calls
        return max(known, self.done + counts.in_flight)

    @property
    def rate(self) -> float | None:
        """Answered calls a second, None before the first."""
        answered = self.counts.answered
        return answered / self.seconds if answered and self.seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """How long the calls known of may still take at this rate."""
        counts = self.counts
        planned = self.plan.calls - self.plan.stored
        known = planned + counts.probe_calls + counts.check_calls
        known += counts.retrieval_calls
        left = known - counts.answered - counts.failed
        return left / self.rate if self.rate and left > 0 else None


def progress_text(progress: Progress) -> str:
    """Return the state of a run on one line; what is nothing or unknown is left out."""
    counts, left = progress.counts, progress.seconds_left
    parts = [
        f"llm: {progress.done}/{progress.total} answered",
        f"{counts.failed} failed" if counts.failed else "",
        f"{counts.in_flight} in flight",
        _retries(counts.retries),
        f"{progress.rate:.1f}/s" if progress.rate else "",
        f"{counts.usd:.4f} USD" if counts.usd else "cost unknown",
        f"{_time(left)} left" if left else "",
    ]
    return ", ".join(filter(None, parts))


def _retries(count: int) -> str:
    return "1 retry" if count == 1 else f"{count} retries" if count else ""


def _time(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    return f"{seconds / _HOUR:.1f} h"
