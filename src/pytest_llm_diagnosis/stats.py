"""Counts to intervals, tests and probabilities; nothing here knows a case.

Only `math` is used: importing scipy would cost over a second.
Undefined is None, never 0 and never 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

Z_TWO_SIDED = 1.959963984540054
"""Standard normal quantile of a two-sided 95% interval."""
Z_ONE_SIDED = 1.6448536269514722
"""Standard normal quantile of a one-sided 95% bound."""

SMALL_RATE = 5
"""Below this many cases a rate is shown as counts only."""
_EXACT_UP_TO = 60
_NEGLIGIBLE = 1e-18


class Interval(NamedTuple):
    """A range of shares, both ends within 0 to 1."""

    low: float
    high: float


# -- one rate --------------------------------------------------------------


def wilson(successes: float, n: float, z: float = Z_TWO_SIDED) -> Interval | None:
    """Return the Wilson score interval of a share; None when `n` is 0.

    Source: Wilson 1927; the form is that of Agresti and Coull 1998.
    """
    if n <= 0:
        return None
    share = successes / n
    scale = 1 + z * z / n
    middle = (share + z * z / (2 * n)) / scale
    spread = z / scale * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes <= 0 else max(0.0, middle - spread)
    high = 1.0 if successes >= n else min(1.0, middle + spread)
    return Interval(low, high)


def upper_bound_of_none(n: int) -> float | None:
    """Return the largest share that 0 of `n` still allows (95%, Wilson)."""
    interval = wilson(0, n)
    return interval.high if interval else None


def pass_hat_k(counts: Iterable[tuple[int, int]], k: int) -> float | None:
    """Return the chance that `k` trials of a case all pass, averaged over cases.

    `counts` holds (passed trials, trials) a case.  None without cases or when a
    case has fewer than `k` trials.  Source: Yao et al. 2024 (arXiv 2406.12045).
    """
    shares = []
    for passed, trials in counts:
        if trials < k or k < 1:
            return None
        shares.append(math.comb(passed, k) / math.comb(trials, k))
    return sum(shares) / len(shares) if shares else None


# -- two variants on the same cases ----------------------------------------


def mcnemar_midp(fixed: int, broken: int) -> float:
    """Return the two-sided McNemar mid-p of the discordant pairs.

    Source: Fagerland, Lydersen and Laake 2013.  1 without discordant pairs.
    """
    return min(1.0, 2 * mcnemar_midp_one_sided(max(fixed, broken), min(fixed, broken)))


def mcnemar_midp_one_sided(more: int, fewer: int) -> float:
    """Return the mid-p for `more` winning against `fewer` by chance alone.

    It is P(X > more) + P(X = more) / 2 for X ~ Binomial(more + fewer, 1/2).
    """
    if more < fewer:
        return 1 - mcnemar_midp_one_sided(fewer, more)
    n = more + fewer
    log_term = (
        math.lgamma(n + 1)
        - math.lgamma(more + 1)
        - math.lgamma(fewer + 1)
        - n * math.log(2)
    )
    term = math.exp(log_term)
    total = term / 2
    for above in range(more, n):
        term *= (n - above) / (above + 1)
        total += term
        if term < _NEGLIGIBLE:
            break
    return min(1.0, total)


def paired_difference_low(fixed: int, broken: int, n: int) -> float | None:
    """Return the lower one-sided 95% bound of (fixed - broken) / n.

    None when `n` is 0.  Source: Bonett and Price 2012 (adjusted Wald).
    """
    if n <= 0:
        return None
    gain, loss = (fixed + 1) / (n + 2), (broken + 1) / (n + 2)
    spread = math.sqrt((gain + loss - (gain - loss) ** 2) / (n + 2))
    return max(-1.0, gain - loss - Z_ONE_SIDED * spread)


def holm(probabilities: Sequence[float]) -> list[float]:
    """Return the p values adjusted for being several, in the given order.

    Source: Holm 1979.
    """
    order = sorted(range(len(probabilities)), key=lambda index: probabilities[index])
    adjusted = [0.0] * len(probabilities)
    largest = 0.0
    for rank, index in enumerate(order):
        raised = (len(order) - rank) * probabilities[index]
        largest = max(largest, min(1.0, raised))
        adjusted[index] = largest
    return adjusted


def detectable_change(n: int) -> float | None:
    """Return the smallest net change that `n` paired cases show with 80% power.

    A share of `n`, rounded to whole points; None when no change reaches that
    power.  Assumes that 30% of the cases change at all and 5% get worse, or
    more where the net change needs more.  Exact for the two-sided mid-p test
    at 5% up to 60 cases, above them after Connett, Smith and McHugh 1987.
    """
    if n > _EXACT_UP_TO:
        return round(_smallest(lambda net: _power_normal(n, net)) or 1.0, 2)
    region = _rejected(n)
    change = _smallest(lambda net: _power_exact(n, net, region))
    return None if change is None else math.ceil(change * 100) / 100


def _smallest(power: Callable[[float], float]) -> float | None:
    low, high = 0.0, 0.9
    if power(high) < 0.8:  # noqa: PLR2004 - the 80% that the docstring names
        return None
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle) >= 0.8 else (middle, high)  # noqa: PLR2004
    return high


def _discordant(net: float) -> float:
    return max(0.3, net + 0.1)


def _power_normal(n: int, net: float) -> float:
    changed = _discordant(net)
    excess = net * math.sqrt(n) - Z_TWO_SIDED * math.sqrt(changed)
    return normal_cdf(excess / math.sqrt(changed - net * net))


def _rejected(n: int) -> list[tuple[int, int]]:
    return [
        (fixed, broken)
        for fixed in range(1, n + 1)
        for broken in range(min(fixed, n - fixed + 1))
        if mcnemar_midp(fixed, broken) < 0.05  # noqa: PLR2004 - the level
    ]


def _power_exact(n: int, net: float, region: Sequence[tuple[int, int]]) -> float:
    changed = _discordant(net)
    gain, loss = math.log((changed + net) / 2), math.log((changed - net) / 2)
    same = math.log(max(1 - changed, 1e-300))
    total = 0.0
    for fixed, broken in region:
        rest = n - fixed - broken
        ways = math.lgamma(n + 1) - math.lgamma(fixed + 1) - math.lgamma(broken + 1)
        ways -= math.lgamma(rest + 1)
        total += math.exp(ways + fixed * gain + broken * loss + rest * same)
    return total


def normal_cdf(z: float) -> float:
    """Return the standard normal distribution function at `z`."""
    return math.erfc(-z / math.sqrt(2)) / 2
