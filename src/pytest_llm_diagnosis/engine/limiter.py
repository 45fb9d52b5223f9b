"""How many calls may be in flight, and who goes next."""

from __future__ import annotations

import asyncio
import heapq
import itertools

from .pace import Pace


class Limiter:
    """Slots handed out by urgency, then by arrival; belongs to one event loop.

    The limit halves when the provider is overloaded and climbs by one after as
    many successes as it has slots (additive increase, multiplicative decrease,
    as in TCP congestion control, RFC 5681).  It halves once for all calls that
    were in flight together: they were refused for one and the same reason.
    After a refusal, calls also begin at a `Pace`.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = most
        self.pace = Pace()
        self._taken = 0
        self._begun = 0
        self._halved_at = 0
        self._successes = 0
        self._order = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[int]]] = []
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(self, urgency: int) -> int:
        """Wait for a slot; a lower `urgency` goes first.

        Returns the call's number, which `overloaded` wants back.
        """
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._order), turn))
        self._admit()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back and wake whoever goes next."""
        self._taken -= 1
        self._admit()

    def overloaded(self, number: int, retry_after: float | None) -> None:
        """Halve the limit: the provider refused this call, wanting fewer.

        `retry_after` is the provider's wish in seconds, None where it named none.
        """
        if not self.pace.refused(_now(), retry_after) or number <= self._halved_at:
            return
        self._halved_at = self._begun
        self.limit = max(1, self.limit // 2)
        self._successes = 0

    def succeeded(self) -> None:
        """Count a success, which slowly restores the limit."""
        self._successes += 1
        if self._successes >= self.limit < self.most:
            self.limit += 1
            self._successes = 0

    def _admit(self) -> None:
        """Let calls begin as far as slots and pace allow."""
        while self._waiting and self._taken < self.limit:
            if self._waiting[0][-1].done():
                heapq.heappop(self._waiting)
                continue
            now = _now()
            pause = self.pace.wait(now)
            if pause > 0:
                self._admit_in(pause)
                return
            *_, turn = heapq.heappop(self._waiting)
            self._taken += 1
            self._begun += 1
            self.pace.begin(now)
            turn.set_result(self._begun)

    def _admit_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._admit)


def _now() -> float:
    return asyncio.get_running_loop().time()
