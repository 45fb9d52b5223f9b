"""When a failed call is worth another try: bounded in attempts and in wall time."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_llm_diagnosis.errors import ModelError

UNPROVEN_ATTEMPTS = 3
"""Tries of a call that never reaches an endpoint from which nothing has come yet:
a server that is down is told soon, one that stumbles is not given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When to try again; all times in seconds.

    Ten attempts lose one call of 170,000 when 30% fail.  Pauses double from
    `first_pause` up to `longest_pause`, each drawn uniformly from its upper half.
    A provider's Retry-After is obeyed up to `longest_retry_after`; one that is
    longer ends the call.  No try starts once `wall` seconds have passed since the
    first.
    """

    attempts: int = 10
    wall: float = 120.0
    first_pause: float = 0.5
    longest_pause: float = 20.0
    longest_retry_after: float = 60.0

    def pause(
        self, attempt: int, error: ModelError, chance: float, *, proven: bool = True
    ) -> float | None:
        """Return how long to wait after failed `attempt` (from 1); None: give up.

        `chance` is uniform in [0, 1); `proven` says whether the endpoint has
        answered before.
        """
        most = self.attempts
        if error.status is None and not proven:
            most = min(most, UNPROVEN_ATTEMPTS)
        if not error.retryable or attempt >= most:
            return None
        if error.retry_after is not None:
            wanted = error.retry_after
            return wanted if wanted <= self.longest_retry_after else None
        ceiling = min(self.longest_pause, self.first_pause * 2 ** (attempt - 1))
        return float(ceiling * (0.5 + chance / 2))


def given_up(attempts: int, error: ModelError) -> ModelError:
    """Return the error of the last attempt, saying how many there were."""
    if attempts == 1:
        return error
    return error.saying(f"{error.message} (after {attempts} tries)")
