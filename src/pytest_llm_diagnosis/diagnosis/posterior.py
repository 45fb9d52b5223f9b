"""Where a variant may stand between the two sides: the draws behind its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pytest_llm_diagnosis.bootstrap import weigh_pairs
from pytest_llm_diagnosis.records import CaseResult

from .counting import ATTRIBUTABLE, lean_pairs, votes
from .verdict import leans


class Shares(NamedTuple):
    """One draw: of the exposed cases, how many fail for each side."""

    knowledge: float
    behavior: float


class Posterior(NamedTuple):
    """Draws of both shares, and of the lean between them, 1 for all knowledge.

    `shares` are empty where no case could fail for one of the sides, `leans`
    where no failure is attributable at all.
    """

    shares: tuple[Shares, ...]
    leans: tuple[float, ...]


def posterior(results: Sequence[CaseResult], seed: int) -> Posterior:
    """Return the draws that decided the verdict on one variant's results."""
    cast = votes(results)
    if not any(vote.cause in ATTRIBUTABLE for vote in cast):
        return Posterior((), ())
    pairs = lean_pairs(cast)
    weighed = weigh_pairs(pairs, seed=seed)
    shares = (
        Shares(first.hits / first.size, second.hits / second.size)
        for first, second in weighed
    )
    drawn = [one.lean for one in weighed] or leans(cast, pairs, seed)
    return Posterior(tuple(shares), tuple(drawn))
