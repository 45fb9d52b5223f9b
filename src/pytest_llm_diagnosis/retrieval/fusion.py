"""Several rankings to one, by the places that a passage has in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_llm_diagnosis.records import Context

RANK_CONSTANT = 60
"""The `k` of the formula: how little the very first places are set apart."""

DEPTH = 100
"""How many passages of each ranking are joined, at least."""


def fused(rankings: Iterable[Sequence[Context]], top_k: int) -> tuple[Context, ...]:
    """Return at most `top_k` passages of all rankings, by reciprocal rank fusion.

    A passage scores the sum of 1 / (60 + rank) over the rankings that have it,
    ranks from 1; ties go by its id.  Source: Cormack, Clarke and Buettcher 2009,
    "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
    Methods", with their k = 60.
    """
    scores: dict[str, float] = defaultdict(float)
    found: dict[str, Context] = {}
    for ranking in rankings:
        for rank, context in enumerate(ranking, start=1):
            found.setdefault(context.source, context)
            scores[context.source] += 1 / (RANK_CONSTANT + rank)
    # Rounded, so that the order of summing decides no tie.
    order = sorted(found, key=lambda source: (-round(scores[source], 12), source))
    return tuple(
        replace(found[source], score=round(scores[source], 12))
        for source in order[: max(0, top_k)]
    )


def depth(top_k: int) -> int:
    """Return how many passages of each ranking to join for `top_k` of them."""
    return max(DEPTH, top_k)
