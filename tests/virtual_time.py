"""An event loop whose clock jumps to the next thing that happens."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import TypeVar

_T = TypeVar("_T")


class _Impatient(selectors.DefaultSelector):
    """Waits for nothing; what would have been waited passes at once."""

    passed = 0.0

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now."""
        self.passed += max(timeout or 0.0, 0.0)
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs hours in milliseconds, always in the same way."""

    def __init__(self) -> None:
        self._waits = _Impatient()
        super().__init__(self._waits)

    def time(self) -> float:
        """Return the seconds that have passed by waiting."""
        return self._waits.passed


def run_virtually(work: Coroutine[object, object, _T]) -> _T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
