"""How many calls, and how much money, a run may spend."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from pytest_llm_diagnosis.errors import BudgetError
from pytest_llm_diagnosis.records import VariantKey


def spent_calls(most: int) -> str:
    """Return what is said when all calls of a budget are made."""
    calls = "1 call" if most == 1 else f"{most} calls"
    return f"the budget of {calls} is spent"


@dataclass(slots=True, kw_only=True)
class Budget:
    """Stops before a limit is exceeded; None means no limit.

    A call's price is known only after it.  So every call in flight is expected to
    cost as much as the dearest of its variant, of a variant whose price is not
    known yet one call is made at a time, and a call that might exceed the limit
    waits for those in flight before it is refused.  Where prices stay unknown,
    money cannot be watched.  `whole_usd` is what the run was given, where this
    process has a share.  Belongs to one event loop.
    """

    max_calls: int | None = None
    max_usd: float | None = None
    whole_usd: float | None = None
    _taken: int = 0
    _spent: float = 0.0
    _open: Counter[VariantKey] = field(default_factory=Counter)
    _dearest: dict[VariantKey, float] = field(default_factory=dict)
    _tried: set[VariantKey] = field(default_factory=set)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, payer: VariantKey) -> None:
        """Reserve a call of a variant; raises `BudgetError` if it could exceed."""
        while self.max_usd is not None and self._must_wait(payer, self.max_usd):
            await self._settled.wait()
        if self.max_calls is not None and self._taken >= self.max_calls:
            raise BudgetError(spent_calls(self.max_calls))
        if self.max_usd is not None and self._would_exceed(payer, self.max_usd):
            whole_usd = self.max_usd if self.whole_usd is None else self.whole_usd
            spent = f"{self._spent:.4f} USD"
            raise BudgetError(f"the budget of {whole_usd:g} USD is spent ({spent})")
        self._taken += 1
        self._open[payer] += 1

    def settle(self, payer: VariantKey, usd: float | None, *, answered: bool) -> None:
        """Close a reserved call with its price, None where it is unknown."""
        self._open[payer] -= 1
        if answered:
            self._tried.add(payer)
        if usd is not None:
            self._spent += usd
            self._dearest[payer] = max(self._dearest.get(payer, 0.0), usd)
        self._settled.set()
        self._settled = asyncio.Event()

    def _must_wait(self, payer: VariantKey, most: float) -> bool:
        if payer not in self._tried and self._open[payer]:
            return True
        in_flight = any(self._open.values())
        return in_flight and self._spent < most and self._would_exceed(payer, most)

    def _would_exceed(self, payer: VariantKey, most: float) -> bool:
        expected = sum(
            self._dearest.get(one, 0.0) * (count + (one == payer))
            for one, count in {payer: 0, **self._open}.items()
        )
        return self._spent + expected > most or self._spent >= most
