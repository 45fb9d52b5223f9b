"""What every report shows: the run, its results, the diagnosis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_llm_diagnosis.diagnosis import Comparison, Confirmation, Diagnosis
from pytest_llm_diagnosis.records import CaseResult, RunFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A finished run, ready to be written in any format.

    `comparison` is what changed since the baseline, where one was given.
    """

    run: RunFacts
    results: tuple[CaseResult, ...]
    diagnosis: Diagnosis
    confirmations: tuple[Confirmation, ...] = ()
    comparison: Comparison | None = None


def in_order(
    results: Iterable[CaseResult], selection: Sequence[str]
) -> list[CaseResult]:
    """Return results as a report lists them: by variant, file and line.

    Workers and shards come with them in any order.
    """
    listed = list(results)
    names = dict.fromkeys([*selection, *(one.variant for one in listed)])
    ranks = {name: rank for rank, name in enumerate(names)}

    def place(result: CaseResult) -> tuple[int, str, int, str, str]:
        # The rows of an `each` case share a line.
        named = result.file, result.line, result.id, result.nodeid
        return ranks[result.variant], *named

    return sorted(listed, key=place)
