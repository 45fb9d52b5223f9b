"""The one retry layer: bounded in attempts and in wall time, with jitter."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When to try again; all times in seconds.

    Pauses double from `first_pause` up to `longest_pause`, each drawn uniformly
    from its upper half.  A provider's Retry-After is obeyed up to
    `longest_retry_after`; one that is longer ends the call.  No try starts once
    `wall` seconds have passed since the first.
    """

    attempts: int = 5
    wall: float = 120.0
    first_pause: float = 0.5
    longest_pause: float = 20.0
    longest_retry_after: float = 60.0

    def pause(self, attempt: int, error: ModelError, chance: float) -> float | None:
        """Return how long to wait after failed `attempt` (from 1); None: give up.

        `chance` is uniform in [0, 1).
        """
        if not error.retryable or attempt >= self.attempts:
            return None
        if error.retry_after is not None:
            wanted = error.retry_after
            return wanted if wanted <= self.longest_retry_after else None
        ceiling = min(self.longest_pause, self.first_pause * 2 ** (attempt - 1))
        return float(ceiling * (0.5 + chance / 2))


async def call_with_retry(
    call: Callable[[], Awaitable[Answer]],
    policy: RetryPolicy,
    on_retry: Callable[[ModelError, float], None],
) -> Answer:
    """Return the call's answer, trying again where the policy allows it.

    `on_retry` is told the error and the pause before each further try.  Raises
    the last `ModelError`, which then says how many tries were made.
    """
    started = time.monotonic()
    attempt = 0
    while True:
        attempt += 1
        try:
            return await call()
        except ModelError as error:
            pause = policy.pause(attempt, error, random.random())  # noqa: S311 - jitter
            late = time.monotonic() - started + (pause or 0.0) > policy.wall
            if pause is None or late:
                raise _after(attempt, error) from error
            on_retry(error, pause)
            await asyncio.sleep(pause)


def _after(attempts: int, error: ModelError) -> ModelError:
    if attempts == 1:
        return error
    return error.saying(f"{error.message} (after {attempts} tries)")
