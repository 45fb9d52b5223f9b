"""Requests to answers: concurrency, retry, budgets, single flight.

`Engine` runs one event loop in the background.  `Limiter` says how many calls
may be in flight and `Pace` how many may begin a second, `RetryPolicy` when a
failed call is worth another try, and `Budget` when to stop.
"""

from __future__ import annotations

from .answering import SharedLimit
from .budget import Budget
from .calling import Provider
from .counts import Counts
from .engine import Engine, EngineOptions, Urgency
from .limiter import Limiter
from .pace import Pace
from .retry import RetryPolicy

__all__ = [
    "Budget",
    "Counts",
    "Engine",
    "EngineOptions",
    "Limiter",
    "Pace",
    "Provider",
    "RetryPolicy",
    "SharedLimit",
    "Urgency",
]
