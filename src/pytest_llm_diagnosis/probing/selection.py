"""Which failing cases are probed when there are more than the limit."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Mark


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Candidate:
    """A failing case that could be probed; `nodeid` is unique."""

    nodeid: str
    mark: Mark
    cluster: str


def select_for_probing(
    candidates: Iterable[Candidate], limit: int, seed: int
) -> list[Candidate]:
    """Return at most `limit` candidates in the order in which to probe them.

    Every prefix holds each mark x cluster in its share of the whole, as nearly
    as whole cases allow.  The order of the candidates does not matter.
    """
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    strata: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for candidate in sorted(candidates):
        strata[candidate.mark, candidate.cluster].append(candidate)
    placed: list[tuple[float, Candidate]] = []
    for members in strata.values():
        rng.shuffle(members)
        start = rng.random()
        placed += [
            ((rank + start) / len(members), member)
            for rank, member in enumerate(members)
        ]
    return [candidate for _, candidate in sorted(placed)[: max(0, limit)]]
