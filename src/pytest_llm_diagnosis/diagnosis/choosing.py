"""Which findings count, where more cases were probed than one process would.

xdist workers and shards probe more than is needed, since none of them sees all
results.  What counts is decided by rank alone, once all results are there, so
one process, several workers and merged shards come to the same diagnosis.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pytest_llm_diagnosis.records import CaseResult

from .verdict import enough_probed


def chosen(
    results: Sequence[CaseResult],
    *,
    limit: int | None,
    seed: int,
    until_settled: bool = True,
) -> list[CaseResult]:
    """Return the results in their order, without the findings that do not count.

    Of each variant's ranked failing cases the first `limit` count, up to the one
    that settles its verdict.  A case that could not be asked takes its place all
    the same; a finding without a rank always counts.
    """
    by_variant: dict[str, list[CaseResult]] = defaultdict(list)
    for one in results:
        by_variant[one.variant].append(one)
    dropped = {
        one.nodeid
        for group in by_variant.values()
        for one in _beyond(group, limit, seed, until_settled=until_settled)
    }
    return [_without(one) if one.nodeid in dropped else one for one in results]


def _beyond(
    results: Sequence[CaseResult], limit: int | None, seed: int, *, until_settled: bool
) -> Iterator[CaseResult]:
    """Yield the probed cases of one variant whose findings do not count."""
    ranked = sorted(_ranked(results), key=lambda ranked: ranked[0])
    cases = [one for _, one in ranked]
    counted = cases[:limit]
    if until_settled:
        counted = _until_settled(results, counted, seed)
    yield from (one for one in cases[len(counted) :] if one.finding is not None)


def _ranked(results: Iterable[CaseResult]) -> Iterator[tuple[int, CaseResult]]:
    for one in results:
        if one.rank is not None and one.outcome == "failed":
            yield one.rank, one


def _until_settled(
    results: Sequence[CaseResult], ranked: Sequence[CaseResult], seed: int
) -> list[CaseResult]:
    """Return the shortest beginning of `ranked` that settles the verdict, else all."""
    waiting = {one.nodeid for one in ranked}
    rest = [
        _without(one) if one.nodeid in waiting or one.rank is not None else one
        for one in results
    ]
    places = {one.nodeid: place for place, one in enumerate(rest)}
    for number, one in enumerate(ranked, start=1):
        rest[places[one.nodeid]] = one
        if one.finding is not None and enough_probed(rest, seed):
            return list(ranked[:number])
    return list(ranked)


def _without(result: CaseResult) -> CaseResult:
    return replace(result, finding=None, costume=False)
