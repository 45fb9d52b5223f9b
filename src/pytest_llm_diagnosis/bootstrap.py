"""The Bayesian bootstrap over clusters: draws of a share, and of two shares' lean.

Only `random` is used.  The same seed gives the same draws, in whatever order
the clusters come.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from .stats import Interval

DRAWS = 2_000
JEFFREYS, UNIFORM = 0.5, 1.0
"""Weights of a prior's pseudo-observations."""

_Item = TypeVar("_Item", "Cluster", "Pair")


class Cluster(NamedTuple):
    """What one cluster adds to a share: `hits` of `size`, both may be weighted."""

    hits: float
    size: float


class Pair(NamedTuple):
    """What one cluster adds to two shares that its draw weight moves together."""

    first: Cluster
    second: Cluster


def share_draws(
    clusters: Iterable[Cluster],
    *,
    seed: int,
    draws: int = DRAWS,
    prior: float = JEFFREYS,
) -> list[float]:
    """Return posterior draws of a share, empty when nothing was exposed.

    Each cluster weighs Exp(1); two pseudo-clusters, all hit and none hit, weigh
    Gamma(`prior`) times the mean cluster size.  With one case a cluster a draw
    is exactly Beta(hits + prior, misses + prior).  Source: Rubin 1981.
    """
    counted = _grouped(cluster for cluster in clusters if cluster.size > 0)
    if not counted:
        return []
    rng = random.Random(seed)  # noqa: S311 - a statistic, not a secret
    mean = _mean_size(counted)
    return [
        share.hits / share.size
        for share in (
            _with_prior(_weigh(rng, counted), rng, mean, hit=prior, miss=prior)
            for _ in range(draws)
        )
    ]


class Weighed(NamedTuple):
    """One draw of two shares: weighted hits and sizes, their priors included."""

    first: Cluster
    second: Cluster

    @property
    def lean(self) -> float:
        """Return first / (first + second) of the two shares."""
        first = self.first.hits / self.first.size
        return first / (first + self.second.hits / self.second.size)


def weigh_pairs(
    clusters: Iterable[Pair], *, seed: int, draws: int = DRAWS
) -> list[Weighed]:
    """Return posterior draws of two shares of the same clusters.

    Both shares of a cluster take one Exp(1) weight; each share has two
    pseudo-clusters of its own: none hit weighs Gamma(1/2), all hit Gamma(1),
    times the mean cluster size.  So, with rare hits and equal exposure, a lean is
    Beta(first + 1, second + 1) of the hits: beforehand no lean is likelier than
    another.  Under Gamma(1/2) extreme leans are, and few hits settle too much.
    Empty unless both were exposed.
    """
    counted = _grouped(clusters)
    first = _mean_size(_side(counted, 0))
    second = _mean_size(_side(counted, 1))
    if not first or not second:
        return []
    rng = random.Random(seed)  # noqa: S311 - a statistic, not a secret
    return [_weigh_both(rng, counted, first, second) for _ in range(draws)]


def lean_draws(
    clusters: Iterable[Pair], *, seed: int, draws: int = DRAWS
) -> list[float]:
    """Return posterior draws of first / (first + second), two shares' lean."""
    return [one.lean for one in weigh_pairs(clusters, seed=seed, draws=draws)]


def with_more_hits(
    weighed: Iterable[Weighed], *, seed: int, first: int = 0, second: int = 0
) -> list[Weighed]:
    """Return the draws as if so many more hits of one case each had been seen."""
    rng = random.Random(seed)  # noqa: S311 - a statistic, not a secret
    return [
        Weighed(_more(rng, one.first, first), _more(rng, one.second, second))
        for one in weighed
    ]


def _more(rng: random.Random, share: Cluster, hits: int) -> Cluster:
    weight = rng.gammavariate(hits, 1.0) if hits else 0.0
    return Cluster(share.hits + weight, share.size + weight)


def _grouped(clusters: Iterable[_Item]) -> Counter[_Item]:
    # Sorted, so that the draws do not depend on the order of arrival.
    return Counter(dict(sorted(Counter(clusters).items())))


def _side(counted: Counter[Pair], index: int) -> Counter[Cluster]:
    side: Counter[Cluster] = Counter()
    for pair, times in counted.items():
        side[pair[index]] += times
    return side


def _mean_size(counted: Counter[Cluster]) -> float:
    exposed = {c: times for c, times in counted.items() if c.size > 0}
    total = sum(cluster.size * times for cluster, times in exposed.items())
    return total / sum(exposed.values()) if exposed else 0.0


def _weigh(rng: random.Random, counted: Counter[Cluster]) -> Cluster:
    # Equal clusters are drawn together: m weights of Exp(1) sum to Gamma(m).
    hits = size = 0.0
    for cluster, times in counted.items():
        weight = rng.gammavariate(times, 1.0)
        hits += weight * cluster.hits
        size += weight * cluster.size
    return Cluster(hits, size)


def _with_prior(
    share: Cluster, rng: random.Random, mean: float, *, hit: float, miss: float
) -> Cluster:
    hits = rng.gammavariate(hit, 1.0) * mean
    misses = rng.gammavariate(miss, 1.0) * mean
    return Cluster(share.hits + hits, share.size + hits + misses)


def _weigh_both(
    rng: random.Random, counted: Counter[Pair], first: float, second: float
) -> Weighed:
    hits_a = size_a = hits_b = size_b = 0.0
    for (a, b), times in counted.items():
        weight = rng.gammavariate(times, 1.0)
        hits_a += weight * a.hits
        size_a += weight * a.size
        hits_b += weight * b.hits
        size_b += weight * b.size
    shares = (Cluster(hits_a, size_a), first), (Cluster(hits_b, size_b), second)
    return Weighed(
        *(
            _with_prior(share, rng, mean, hit=UNIFORM, miss=JEFFREYS)
            for share, mean in shares
        )
    )


def probability(
    draws: Sequence[float], low: float = -math.inf, high: float = math.inf
) -> float | None:
    """Return the share of draws in (low, high]; None without draws."""
    if not draws:
        return None
    return sum(low < draw <= high for draw in draws) / len(draws)


def interval_of(draws: Sequence[float]) -> Interval | None:
    """Return the central 95% of draws; None without draws."""
    if not draws:
        return None
    ordered = sorted(draws)
    last = len(ordered) - 1
    return Interval(ordered[round(0.025 * last)], ordered[round(0.975 * last)])
