"""Numbers to the coordinates of drawings; nothing here knows a word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from pytest_llm_diagnosis.bootstrap import probability
from pytest_llm_diagnosis.diagnosis import Posterior, Shares

SIDE = 300
"""Width and height of the plane, in units of its drawing."""
WIDE, HIGH = 300, 64
"""Width and height of the curve of the lean."""
_SHOWN = 500
_STEPS = 120
_LAYERS = 10
"""Paths that the draws are shared among: only between paths do dots add up."""
_SCALES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
_MOST = 0.995


class Tick(NamedTuple):
    """A line of a scale: where it stands, and what it says."""

    at: float
    label: str


class Plane(NamedTuple):
    """Draws of both shares: behavior to the right, knowledge up.

    `layers` are paths of dots; `scale` is the share at both ends.  `knowledge`,
    `behavior` and `between` are the areas where one side is twice the other, or
    neither is.
    """

    layers: tuple[str, ...]
    scale: float
    ticks: tuple[Tick, ...]
    knowledge: str
    behavior: str
    between: str
    center: tuple[float, float]


class Lean(NamedTuple):
    """The density of the lean in three areas, with the probability of each."""

    behavior: str
    between: str
    knowledge: str
    shares: tuple[float, float, float]


def plane(draws: Sequence[Shares]) -> Plane:
    """Return the draws of two shares as dots."""
    scale = _scale(draws)
    step = max(1, len(draws) // _SHOWN)
    dots = [_dot(draw, scale) for draw in draws[::step]]
    layers = ("".join(dots[number::_LAYERS]) for number in range(_LAYERS))
    half, end = SIDE / 2, SIDE
    return Plane(
        layers=tuple(filter(None, layers)),
        scale=scale,
        ticks=_ticks(scale),
        knowledge=f"M0 {end}L{half:g} 0H0Z",
        behavior=f"M0 {end}L{end} {half:g}V{end}Z",
        between=f"M0 {end}L{half:g} 0H{end}V{half:g}Z",
        center=_place(_mean(draws), scale),
    )


def _scale(draws: Sequence[Shares]) -> float:
    largest = sorted(max(draw) for draw in draws)[round(_MOST * (len(draws) - 1))]
    return next(scale for scale in _SCALES if scale >= min(1.0, largest))


def _ticks(scale: float) -> tuple[Tick, ...]:
    parts = 3 if round(scale * 10) % 3 == 0 else 2
    return tuple(
        Tick(SIDE * number / parts, f"{100 * scale * number / parts:.0f}%")
        for number in range(parts + 1)
    )


def _place(draw: Shares, scale: float) -> tuple[float, float]:
    right = min(draw.behavior / scale, 1.0) * SIDE
    up = min(draw.knowledge / scale, 1.0) * SIDE
    return round(right, 1), round(SIDE - up, 1)


def _dot(draw: Shares, scale: float) -> str:
    x, y = _place(draw, scale)
    return f"M{x:g} {y:g}h0"


def _mean(draws: Sequence[Shares]) -> Shares:
    count = len(draws)
    return Shares(
        sum(draw.knowledge for draw in draws) / count,
        sum(draw.behavior for draw in draws) / count,
    )


def lean(posterior: Posterior) -> Lean:
    """Return the density of the lean, cut where one side is twice the other."""
    heights = _density(posterior.leans)
    third = _STEPS // 3
    draws = posterior.leans
    return Lean(
        behavior=_area(heights, 0, third),
        between=_area(heights, third, 2 * third),
        knowledge=_area(heights, 2 * third, _STEPS),
        shares=(
            probability(draws, high=1 / 3) or 0.0,
            probability(draws, low=1 / 3, high=2 / 3) or 0.0,
            probability(draws, low=2 / 3) or 0.0,
        ),
    )


def _density(draws: Sequence[float]) -> list[float]:
    """Return the density at equal steps, the highest 1; the ends are mirrors."""
    counts = [0.0] * (_STEPS + 1)
    for draw in draws:
        counts[round(draw * _STEPS)] += 1
    # An end's bin is half as wide as the others.
    counts[0] *= 2
    counts[-1] *= 2
    mean = sum(draws) / len(draws)
    spread = math.sqrt(sum((draw - mean) ** 2 for draw in draws) / len(draws))
    # Silverman's rule of thumb (1986), at least one step wide.
    width = max(1.0, 1.06 * spread * len(draws) ** -0.2 * _STEPS)
    reach = math.ceil(3 * width)
    kernel = [math.exp(-((k / width) ** 2) / 2) for k in range(reach + 1)]
    heights = [
        sum(
            counts[_mirrored(at + k)] * kernel[abs(k)] for k in range(-reach, reach + 1)
        )
        for at in range(_STEPS + 1)
    ]
    highest = max(heights)
    return [height / highest for height in heights]


def _mirrored(at: int) -> int:
    at = abs(at)
    at = 2 * _STEPS - at if at > _STEPS else at
    return min(max(at, 0), _STEPS)


def _area(heights: Sequence[float], begin: int, end: int) -> str:
    points = [
        f"{WIDE * at / _STEPS:g} {HIGH * (1 - heights[at]):.1f}"
        for at in range(begin, end + 1)
    ]
    left, right = WIDE * begin / _STEPS, WIDE * end / _STEPS
    return f"M{left:g} {HIGH}L{'L'.join(points)}L{right:g} {HIGH}Z"
