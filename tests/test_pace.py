"""The pace that is learned from refusals, in virtual time."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

import pytest

from pytest_llm_diagnosis.engine import Limiter, Pace
from virtual_time import run_virtually

LATENCY = 0.2


class Quota(Protocol):
    """A provider's rule: None lets a call in, else seconds until the next may."""

    def __call__(self, now: float) -> float | None:
        """Return the verdict on a call that arrives now."""


def sliding(rate: int) -> Quota:
    """Return a quota of `rate` calls in any second."""
    let_in: deque[float] = deque()

    def rule(now: float) -> float | None:
        while let_in and let_in[0] <= now - 1:
            let_in.popleft()
        if len(let_in) < rate:
            let_in.append(now)
            return None
        return let_in[0] + 1 - now

    return rule


def fixed(rate: int) -> Quota:
    """Return a quota of `rate` calls in each second of the clock."""
    counts: dict[int, int] = {}

    def rule(now: float) -> float | None:
        second = int(now)
        counts[second] = counts.get(second, 0) + 1
        return None if counts[second] <= rate else second + 1 - now

    return rule


def bucket(rate: int, capacity: int) -> Quota:
    """Return a token bucket."""
    state = [float(capacity), 0.0]

    def rule(now: float) -> float | None:
        tokens, at = state
        state[0] = min(capacity, tokens + (now - at) * rate)
        state[1] = now
        if state[0] < 1:
            return (1 - state[0]) / rate
        state[0] -= 1
        return None

    return rule


class Work(NamedTuple):
    """How a piece of work went: virtual seconds, and refusals in all and of one."""

    seconds: float
    refusals: int
    most_of_one: int


async def work(quota: Quota, told: Callable[[float], float | None]) -> Work:
    """Make 1,000 calls with 64 in flight against a quota."""
    loop = asyncio.get_running_loop()
    limiter = Limiter(64)
    refusals = [0] * 1000

    async def call(number: int) -> None:
        while True:
            ticket = await limiter.acquire(0)
            wait = quota(loop.time())
            if wait is None:
                await asyncio.sleep(LATENCY)
                limiter.succeeded()
                limiter.release()
                return
            refusals[number] += 1
            limiter.overloaded(ticket, told(wait))
            limiter.release()
            await asyncio.sleep(told(wait) or 0.75)

    await asyncio.gather(*(call(number) for number in range(1000)))
    return Work(loop.time(), sum(refusals), max(refusals))


@pytest.mark.parametrize(
    "told",
    [lambda wait: wait, lambda wait: max(1.0, math.ceil(wait)), lambda _: None],
    ids=["exact", "whole-seconds", "untold"],
)
@pytest.mark.parametrize(
    ("quota", "most_seconds"),
    [
        (lambda: sliding(50), 23.0),
        (lambda: fixed(50), 23.0),
        (lambda: bucket(50, 50), 23.0),
        (lambda: bucket(50, 5), 23.0),
        (lambda: bucket(50, 1), 26.0),
    ],
    ids=["sliding", "fixed", "bucket-50", "bucket-5", "bucket-1"],
)
def test_a_quota_of_50_a_second_is_used_up(
    quota: Callable[[], Quota],
    most_seconds: float,
    told: Callable[[float], float | None],
) -> None:
    """1,000 calls take little more than 20 s, and no call is refused often.

    A bucket without room for a burst shows its rate only when it is searched.
    """
    done = run_virtually(work(quota(), told))
    assert done.seconds <= most_seconds
    assert done.refusals < 150
    assert done.most_of_one <= 4


def test_without_a_refusal_nothing_waits() -> None:
    """There is no pace before the first refusal."""
    pace = Pace()
    for moment in range(100):
        assert pace.wait(moment / 100) == 0
        pace.begin(moment / 100)
    assert pace.rate is None


def test_a_used_up_quota_stops_everybody() -> None:
    """A long Retry-After holds for all calls, not for the refused one alone."""
    pace = Pace()
    pace.begin(0.0)
    assert pace.refused(0.1, 1.0)
    assert pace.wait(1.2) == 0
    assert pace.rate is not None
    pace.begin(1.2)
    assert pace.refused(1.3, 30.0)
    assert pace.wait(1.4) == pytest.approx(29.9)


def test_refusals_of_one_moment_count_once() -> None:
    """Calls that were in flight together are refused for one reason."""
    pace = Pace()
    pace.begin(0.0)
    assert pace.refused(0.1, None)
    assert not pace.refused(0.2, None)
    assert pace.refused(1.2, None)


def test_the_pace_is_given_up_slowly_when_the_quota_is_lifted() -> None:
    """After minutes without a refusal the pace does not bind any more."""
    pace = Pace()
    pace.begin(0.0)
    pace.refused(0.0, 1.0)
    now = 1.0
    for refused_at in (3.0, None):
        end = refused_at or now + 120
        while now < end:
            now += max(pace.wait(now), 0.01)
            pace.begin(now)
        if refused_at:
            pace.refused(now, None)
    assert pace.rate is not None
    assert pace.rate > 1000


def test_refusals_at_random_are_not_slowed_down_for() -> None:
    """A third of 1,000 calls is refused at whatever pace: it is given up."""

    def random_refusals() -> Quota:
        chance = random.Random(7)  # noqa: S311 - the same each time
        return lambda _: 1.0 if chance.random() < 0.3 else None

    done = run_virtually(work(random_refusals(), lambda _: None))
    assert done.seconds < 45
