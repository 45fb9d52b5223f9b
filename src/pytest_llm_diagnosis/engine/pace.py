"""How many calls may begin a second, learned from a provider's refusals."""

from __future__ import annotations

from collections import deque

MEMORY = 1.0
"""Seconds over which a provider is taken to count, at least: refusals that follow
sooner have the same reason, and a first one stops everybody for that long."""

SHORT_PAUSE = 2.0
"""A Retry-After up to this many seconds is a matter of pace; a longer one is a
quota that is used up, and stops everybody until then."""

# So many times in a row a share of more than this was refused at the new pace
# too: then none is kept for so many seconds.
_USELESS, _MANY, _UNPACED = 3, 0.1, 30.0
_BACK = 0.9
_CAREFUL = 0.98
_NEAR = 0.93
_STEADY = 5.0
_LEAST, _MOST = 0.2, 1e6
_SEARCHING, _RETURNING, _CREEPING, _CONFIDENT = 1.0, 0.2, 0.01, 0.5


class Pace:
    """Spreads the beginnings of calls once a provider has refused one.

    Halving the calls in flight alone oscillates around a limit of calls a
    second; a pace settles just below it.  The first refusal stops everybody for
    a moment, after which the calls that were let in so far give the pace, and it
    doubles each second until the next refusal.  That one sets it to what had
    really begun, and it returns by a fifth a second to where it was refused, then
    by a hundredth, twice as fast after every five seconds without a refusal (the
    shape of CUBIC, RFC 9438).  Where slowing down changes nothing, because a
    provider refuses at random, no pace is kept for a while.  `rate` is in calls a
    second, None before the first refusal; times are of any one clock, in seconds.
    """

    def __init__(self) -> None:
        self.rate: float | None = None
        self._first: float | None = None
        self._begun: deque[float] = deque()
        self._refused: deque[float] = deque()
        self._let_in = 0
        self._useless = 0
        self._unpaced_until = 0.0
        self._next = 0.0
        self._ceiling: float | None = None
        self._refused_at: float | None = None
        self._grown_at = 0.0

    def wait(self, now: float) -> float:
        """Return how many seconds the next call must wait before it begins."""
        if self.rate is None and self._refused_at is not None and now >= self._next:
            self._learn(now)
        return max(0.0, self._next - now)

    def begin(self, now: float) -> None:
        """Count a call that begins."""
        if self._first is None:
            self._first = now
        self._let_in += 1
        self._begun.append(now)
        _forget(self._begun, now)
        if self.rate is not None:
            self.rate = self._grown(self.rate, now)
            self._next = max(self._next, now - 1 / self.rate) + 1 / self.rate

    def refused(self, now: float, retry_after: float | None) -> bool:
        """Slow down, unless that was just done; returns whether it was.

        `retry_after` is the provider's wish in seconds, None where it named none.
        """
        self._let_in -= 1
        self._refused.append(now)
        _forget(self._refused, now)
        if now < self._unpaced_until:
            return False
        if self._refused_at is not None and now < self._refused_at + MEMORY:
            return False
        pause = MEMORY if retry_after is None else retry_after
        if self.rate is None:
            self._next = now + max(pause, MEMORY)
        else:
            self._slow_down(self.rate, now)
            if pause > SHORT_PAUSE:
                self._next = now + pause
        self._refused_at = self._grown_at = now
        return True

    def _learn(self, now: float) -> None:
        first = now if self._first is None else self._first
        self.rate = max(1.0, _CAREFUL * self._let_in / max(now - first, MEMORY))
        self._grown_at = now

    def _slow_down(self, rate: float, now: float) -> None:
        _forget(self._begun, now)
        begun = len(self._begun)
        many = len(self._refused) > _MANY * begun
        self._useless = self._useless + 1 if many else 0
        if self._useless == _USELESS:
            self._useless, self._unpaced_until = 0, now + _UNPACED
            self.rate, self._ceiling, self._next = _MOST, None, now
            return
        self._ceiling = rate
        self.rate = max(_LEAST, rate / 2, min(rate * _BACK, begun / MEMORY))

    def _grown(self, rate: float, now: float) -> float:
        growth = self._growth(rate, now) * (now - self._grown_at)
        self._grown_at = now
        return min(_MOST, rate * (1 + growth))

    def _growth(self, rate: float, now: float) -> float:
        """Return by which share of itself the pace grows in a second."""
        if self._ceiling is None or self._refused_at is None:
            return _SEARCHING
        if rate < _NEAR * self._ceiling:
            return _RETURNING
        calm = int((now - self._refused_at) / _STEADY)
        return min(_CONFIDENT, _CREEPING * 2.0 ** min(calm, 10))


def _forget(times: deque[float], now: float) -> None:
    """Drop what is longer ago than a provider is taken to count."""
    while times and times[0] < now - MEMORY:
        times.popleft()
