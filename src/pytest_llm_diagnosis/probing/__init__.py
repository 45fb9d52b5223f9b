"""Why one case fails: it is asked again under one change at a time.

The search is pure logic over an `Asker`, so the same code runs in the engine,
where asks travel to a model, and in a benchmark, where they are computed.
"""

from __future__ import annotations

from pytest_llm_diagnosis.requests import ArmUnavailableError

from .interview import Asker, run_now
from .probes import Failing, Probed, Probes, Settles
from .search import DISTRACTED, NOT_USED, RETRIEVAL_MISS, find_cause
from .selection import Candidate, select_for_probing
from .situation import (
    ProbeMode,
    Reply,
    Situation,
    failed_reply,
    graded_reply,
    is_costume,
    needs_probing,
)

__all__ = [
    "DISTRACTED",
    "NOT_USED",
    "RETRIEVAL_MISS",
    "ArmUnavailableError",
    "Asker",
    "Candidate",
    "Failing",
    "ProbeMode",
    "Probed",
    "Probes",
    "Reply",
    "Settles",
    "Situation",
    "failed_reply",
    "find_cause",
    "graded_reply",
    "is_costume",
    "needs_probing",
    "run_now",
    "select_for_probing",
]
