"""How many calls, and how much money, a run may spend."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_llm_diagnosis.errors import BudgetError


@dataclass(slots=True, kw_only=True)
class Budget:
    """Stops before a limit is exceeded; None means no limit.

    A call's price is known only after it, so calls in flight are expected to
    cost what the answered ones did on average.
    """

    max_calls: int | None = None
    max_usd: float | None = None
    _taken: int = 0
    _priced: int = 0
    _open: int = 0
    _spent: float = 0.0

    def take(self) -> None:
        """Reserve one call; raises `BudgetError` when it would exceed a limit."""
        if self.max_calls is not None and self._taken >= self.max_calls:
            raise BudgetError(f"the budget of {self.max_calls} calls is spent")
        if self.max_usd is not None and self._expected() > self.max_usd:
            raise BudgetError(
                f"the budget of {self.max_usd:g} USD is spent ({self._spent:.4f} USD)"
            )
        self._taken += 1
        self._open += 1

    def settle(self, usd: float | None) -> None:
        """Close a reserved call with its price, None where it is unknown."""
        self._open -= 1
        if usd is not None:
            self._spent += usd
            self._priced += 1

    def _expected(self) -> float:
        mean = self._spent / self._priced if self._priced else 0.0
        return self._spent + mean * (self._open + 1)
