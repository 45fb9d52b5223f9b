"""What every report shows: the run, its results, the diagnosis."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_llm_diagnosis.diagnosis import Confirmation, Diagnosis
from pytest_llm_diagnosis.records import CaseResult, RunFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A finished run, ready to be written in any format."""

    run: RunFacts
    results: tuple[CaseResult, ...]
    diagnosis: Diagnosis
    confirmations: tuple[Confirmation, ...] = ()
