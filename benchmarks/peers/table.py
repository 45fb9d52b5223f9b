"""Runs to lines of text."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .running import Ran, Size
from .scenarios import Scenario

OURS = "pytest-llm-diagnosis"
EMPTY = "empty-items"
FLOORS = ("bare-aiohttp", EMPTY)

_HEAD = (
    ("wall s", 8),
    ("CPU s", 8),
    ("MiB", 7),
    ("x floor", 8),
    ("answered", 9),
    ("passed", 8),
    ("received", 9),
    ("paid", 7),
    ("twice", 6),
    ("in flight", 10),
    ("server", 7),
)
_NAME = 22


class Outcome(NamedTuple):
    """A peer's runs in a scenario, or why there are none."""

    runs: Sequence[Ran]
    skipped: str = ""

    @property
    def wall(self) -> float:
        """The median of wall seconds."""
        return statistics.median(ran.cost.wall for ran in self.runs)

    @property
    def middle(self) -> Ran:
        """The run of the (upper) median wall time."""
        ranked = sorted(self.runs, key=lambda ran: ran.cost.wall)
        return ranked[len(ranked) // 2]


def table(
    scenario: Scenario, size: Size, outcomes: Mapping[str, Outcome]
) -> Iterator[str]:
    """Yield a scenario's lines: title, head, one line a peer, comparison."""
    floor = _floor(scenario, size, outcomes)
    told = f"{floor:.2f} s" if floor else "not measured"
    of = "calls" if scenario.calls else f"{size.prompts:,} empty items"
    yield (
        f"{scenario.name}: {scenario.title}; {size.prompts:,} prompts, "
        f"{size.in_flight} in flight; floor of {of} {told}"
    )
    yield " " * _NAME + "".join(f"{name:>{width}}" for name, width in _HEAD)
    for name, outcome in outcomes.items():
        if outcome.runs:
            yield _line(name, outcome, floor)
        else:
            yield f"{name:<{_NAME}}  skipped: {outcome.skipped}"
    if scenario.calls:
        yield from _comparison(size, outcomes)


def _floor(
    scenario: Scenario, size: Size, outcomes: Mapping[str, Outcome]
) -> float | None:
    if scenario.calls:
        return scenario.floor(size.prompts, size.in_flight)
    empty = outcomes.get(EMPTY)
    return empty.wall if empty and empty.runs else None


def _line(name: str, outcome: Outcome, floor: float | None) -> str:
    ran = outcome.middle
    cost, tally = ran.cost, ran.tally
    figures = [
        f"{cost.wall:.2f}",
        f"{cost.cpu:.2f}",
        f"{cost.mebibytes:.0f}",
        f"{cost.wall / floor:.2f}" if floor else "-",
        f"{ran.counted.answered}" if ran.counted else "-",
        f"{ran.counted.passed}" if ran.counted else "-",
        f"{tally.received}",
        f"{tally.answered + tally.abandoned}",
        f"{tally.twice}",
        f"{tally.most_in_flight}",
        f"{tally.cpu_seconds / cost.wall:.0%}",
    ]
    cells = zip(figures, _HEAD, strict=True)
    shown = "".join(f"{figure:>{width}}" for figure, (_, width) in cells)
    return "  ".join([f"{name:<{_NAME}}{shown}", *_notes(outcome)])


def _notes(outcome: Outcome) -> Iterator[str]:
    walls = [ran.cost.wall for ran in outcome.runs]
    if len(walls) > 1:
        yield f"{min(walls):.2f}-{max(walls):.2f} s;"
    answered = [ran.counted.answered for ran in outcome.runs if ran.counted]
    if len(set(answered)) > 1:
        yield f"answered {min(answered)}-{max(answered)};"
    if limited := outcome.middle.tally.limited:
        yield f"{limited} times 429;"
    yield from sorted({ran.trouble for ran in outcome.runs if ran.trouble})


def _comparison(size: Size, outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """Compare ours with the fastest peer that answered everything."""
    whole = {
        name: outcome.wall
        for name, outcome in outcomes.items()
        if outcome.runs and name not in FLOORS and _answered_all(outcome, size)
    }
    ours = whole.pop(OURS, None)
    if ours is None or not whole:
        return
    fastest = min(whole, key=lambda name: whole[name])
    yield (
        f"ours takes {ours / whole[fastest]:.2f} of {fastest}'s time, the fastest "
        "peer that answered everything"
    )


def _answered_all(outcome: Outcome, size: Size) -> bool:
    return all(
        ran.counted is not None and ran.counted.answered == size.prompts
        for ran in outcome.runs
    )
