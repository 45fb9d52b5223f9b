"""How many calls, and how much money, a run may spend."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from pytest_llm_diagnosis.errors import BudgetError


@dataclass(slots=True, kw_only=True)
class Budget:
    """Stops before a limit is exceeded; None means no limit.

    A call's price is known only after it, so every call in flight is expected
    to cost as much as the dearest so far, and until a first price is known one
    call is made at a time.  Where prices stay unknown, money cannot be watched.
    Belongs to one event loop.
    """

    max_calls: int | None = None
    max_usd: float | None = None
    _taken: int = 0
    _open: int = 0
    _spent: float = 0.0
    _dearest: float = 0.0
    _tried: bool = False
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self) -> None:
        """Reserve one call; raises `BudgetError` when it could exceed a limit."""
        while self.max_usd is not None and self._open and not self._tried:
            await self._settled.wait()
        if self.max_calls is not None and self._taken >= self.max_calls:
            raise BudgetError(f"the budget of {self.max_calls} calls is spent")
        if self.max_usd is not None and self._would_exceed(self.max_usd):
            raise BudgetError(
                f"the budget of {self.max_usd:g} USD is spent ({self._spent:.4f} USD)"
            )
        self._taken += 1
        self._open += 1

    def settle(self, usd: float | None, *, answered: bool) -> None:
        """Close a reserved call with its price, None where it is unknown."""
        self._open -= 1
        self._tried |= answered
        if usd is not None:
            self._spent += usd
            self._dearest = max(self._dearest, usd)
        self._settled.set()
        self._settled = asyncio.Event()

    def _would_exceed(self, most: float) -> bool:
        expected = self._spent + self._dearest * (self._open + 1)
        return expected > most or self._spent >= most
