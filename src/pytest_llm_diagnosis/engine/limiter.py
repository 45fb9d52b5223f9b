"""How many calls may be in flight, and who goes next."""

from __future__ import annotations

import asyncio
import heapq
import itertools


class Limiter:
    """Slots handed out by urgency, then by arrival; belongs to one event loop.

    The limit halves when the provider is overloaded and climbs by one after as
    many successes as it has slots (additive increase, multiplicative decrease,
    as in TCP congestion control, RFC 5681).
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = most
        self._taken = 0
        self._successes = 0
        self._order = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    async def acquire(self, urgency: int) -> None:
        """Wait for a slot; a lower `urgency` goes first."""
        if self._taken < self.limit and not self._waiting:
            self._taken += 1
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back and wake whoever goes next."""
        self._taken -= 1
        while self._waiting and self._taken < self.limit:
            *_, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._taken += 1
                turn.set_result(None)

    def overloaded(self) -> None:
        """Halve the limit: the provider asked for fewer calls."""
        self.limit = max(1, self.limit // 2)
        self._successes = 0

    def succeeded(self) -> None:
        """Count a success, which slowly restores the limit."""
        self._successes += 1
        if self._successes >= self.limit < self.most:
            self.limit += 1
            self._successes = 0
