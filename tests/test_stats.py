"""Laws and tables of `stats` and `bootstrap`, checked against scipy and statsmodels."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from pytest_llm_diagnosis.bootstrap import (
    Cluster,
    Pair,
    interval_of,
    lean_draws,
    probability,
    share_draws,
    weigh_pairs,
    with_more_hits,
)
from pytest_llm_diagnosis.stats import (
    detectable_change,
    holm,
    mcnemar_midp,
    mcnemar_midp_one_sided,
    normal_cdf,
    paired_difference_low,
    pass_hat_k,
    upper_bound_of_none,
    wilson,
)

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_wilson_agrees_with_statsmodels(count: tuple[int, int]) -> None:
    """The score interval is the one of statsmodels, exact at both ends."""
    successes, n = count
    interval = wilson(successes, n)
    expected = proportion_confint(successes, n, method="wilson")
    assert interval == pytest.approx(expected, abs=1e-9)


def test_nothing_counted_has_no_interval() -> None:
    """An undefined rate is None, never 0 and never 1."""
    assert wilson(0, 0) is None
    assert upper_bound_of_none(0) is None
    assert interval_of([]) is None
    assert probability([]) is None
    assert share_draws([], seed=1) == []
    assert paired_difference_low(0, 0, 0) is None


def test_no_failure_in_twenty_still_allows_16_percent() -> None:
    """The bound that the method states."""
    assert upper_bound_of_none(20) == pytest.approx(0.16, abs=0.005)


@given(st.integers(0, 400), st.integers(0, 400))
def test_midp_agrees_with_scipy(fixed: int, broken: int) -> None:
    """Mid-p is the exact binomial p less half the observed term, two-sided."""
    binomial = scipy_stats.binom(fixed + broken, 0.5)
    above = binomial.sf(fixed) + binomial.pmf(fixed) / 2
    assert mcnemar_midp_one_sided(fixed, broken) == pytest.approx(above, abs=1e-9)
    few, many = sorted((fixed, broken))
    both = min(1.0, 2 * (binomial.cdf(few) - binomial.pmf(few) / 2))
    assert mcnemar_midp(many, few) == pytest.approx(both, abs=1e-9)


@pytest.mark.parametrize(
    ("fixed", "broken", "expected"),
    [(0, 0, 1.0), (1, 0, 0.5), (4, 0, 0.0625), (5, 0, 0.03125), (14, 2, 0.0023)],
)
def test_midp_of_small_counts(fixed: int, broken: int, expected: float) -> None:
    """Five discordant pairs one way are the fewest that tell at 5%."""
    assert mcnemar_midp(fixed, broken) == pytest.approx(expected, abs=1e-4)


def test_midp_of_many_pairs_is_quick_and_right() -> None:
    """Large counts agree with the normal limit instead of overflowing."""
    p = mcnemar_midp(50_500, 49_500)
    assert p == pytest.approx(2 * normal_cdf(-1000 / math.sqrt(100_000)), rel=1e-2)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_agrees_with_statsmodels(values: list[float]) -> None:
    """Adjusted p values keep the given order."""
    expected = multipletests(values, method="holm")[1] if values else []
    assert holm(values) == pytest.approx(list(expected))


@given(st.lists(st.tuples(st.integers(0, 6), st.just(6)), min_size=1, max_size=5))
def test_pass_hat_k_counts_subsets(counted: list[tuple[int, int]]) -> None:
    """It is the share of k-subsets of trials that pass throughout."""
    k = 3
    shares = []
    for passed, trials in counted:
        bits = [True] * passed + [False] * (trials - passed)
        subsets = list(itertools.combinations(bits, k))
        shares.append(sum(map(all, subsets)) / len(subsets))
    assert pass_hat_k(counted, k) == pytest.approx(sum(shares) / len(shares))


def test_pass_hat_k_is_undefined_with_too_few_trials() -> None:
    """One case with fewer than k trials leaves it undefined."""
    assert pass_hat_k([(2, 2), (5, 5)], 3) is None
    assert pass_hat_k([], 1) is None


@pytest.mark.parametrize(
    ("n", "points"), [(10, 69), (20, 41), (30, 31), (50, 21), (100, 15), (200, 11)]
)
def test_detectable_change_is_the_methods_table(n: int, points: int) -> None:
    """The net change that 80% power needs, in points."""
    change = detectable_change(n)
    assert change is not None
    assert round(change * 100) == points


def test_four_cases_detect_nothing() -> None:
    """Fewer than five discordant pairs can never tell."""
    assert detectable_change(4) is None


def test_paired_bound_covers_as_promised() -> None:
    """The lower bound lies below the truth in about 95% of samples."""
    rng = random.Random(5)  # noqa: S311 - a statistic, not a secret
    below = 0
    for _ in range(2_000):
        draws = [rng.random() for _ in range(60)]
        fixed = sum(draw < 0.15 for draw in draws)
        broken = sum(0.15 <= draw < 0.25 for draw in draws)
        low = paired_difference_low(fixed, broken, 60)
        assert low is not None
        below += low <= 0.05
    assert 0.93 <= below / 2_000 <= 0.98


@settings(max_examples=8, deadline=None)
@given(
    st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.integers(0, 1_000),
)
def test_single_case_clusters_draw_the_beta_posterior(
    count: tuple[int, int], seed: int
) -> None:
    """With one case a cluster the draws are Beta(x + 1/2, n - x + 1/2)."""
    hits, n = count
    clusters = [Cluster(1, 1)] * hits + [Cluster(0, 1)] * (n - hits)
    draws = share_draws(clusters, seed=seed)
    posterior = scipy_stats.beta(hits + 0.5, n - hits + 0.5)
    # Kolmogorov-Smirnov at a level that 8 examples reach once in 10,000 runs.
    assert scipy_stats.kstest(draws, posterior.cdf).pvalue > 1e-5


def test_clusters_widen_the_interval() -> None:
    """Five clusters of ten equal cases know less than fifty cases."""
    together = share_draws([Cluster(10, 10)] * 2 + [Cluster(0, 10)] * 3, seed=1)
    apart = share_draws([Cluster(1, 1)] * 20 + [Cluster(0, 1)] * 30, seed=1)
    wide, narrow = interval_of(together), interval_of(apart)
    assert wide is not None
    assert narrow is not None
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def pairs(first: int, both: int, exposure: int) -> list[Pair]:
    """Return single-case clusters, `exposure` on each side, `both` failing."""
    hit, miss, unasked = Cluster(1, 1), Cluster(0, 1), Cluster(0, 0)
    second = both - first
    return [
        *[Pair(hit, unasked)] * first,
        *[Pair(unasked, hit)] * second,
        *[Pair(miss, unasked)] * (exposure - first),
        *[Pair(unasked, miss)] * (exposure - second),
    ]


SETTLING = [(5, 5), (6, 7), (9, 11), (12, 15), (14, 18), (17, 22), (21, 28)]


@pytest.mark.parametrize(("first", "both"), SETTLING)
def test_failures_needed_to_settle_a_side(first: int, both: int) -> None:
    """These counts reach 80% at 2:1, the same with one more against do not."""
    enough = lean_draws(pairs(first, both, 50), seed=3)
    short = lean_draws(pairs(first, both + 1, 50), seed=3)
    assert (probability(enough, 2 / 3) or 0) >= 0.80
    assert (probability(short, 2 / 3) or 0) < 0.80


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 1_000))
def test_with_rare_failures_every_lean_is_as_likely_beforehand(
    first: int, second: int, seed: int
) -> None:
    """With many cases on both sides the draws are Beta(first + 1, second + 1)."""
    draws = lean_draws(pairs(first, first + second, 3_000), seed=seed)
    posterior = scipy_stats.beta(first + 1, second + 1)
    assert scipy_stats.kstest(draws, posterior.cdf).pvalue > 1e-5


@pytest.mark.parametrize("extra", [{"first": 3}, {"second": 4}])
def test_more_hits_are_drawn_as_if_they_had_been_seen(extra: dict[str, int]) -> None:
    """Adding hits to draws is the same as drawing with them."""
    seen = pairs(5, 9, 30)
    more = with_more_hits(weigh_pairs(seen, seed=1), seed=2, **extra)
    hit, unasked = Cluster(1, 1), Cluster(0, 0)
    longer = [
        *seen,
        *[Pair(hit, unasked)] * extra.get("first", 0),
        *[Pair(unasked, hit)] * extra.get("second", 0),
    ]
    drawn = lean_draws(longer, seed=3)
    assert scipy_stats.ks_2samp([one.lean for one in more], drawn).pvalue > 1e-3


def test_draws_ignore_the_order_of_clusters() -> None:
    """Results that arrive in another order give the same draws."""
    clusters = pairs(5, 9, 30)
    assert lean_draws(clusters, seed=9) == lean_draws(clusters[::-1], seed=9)


def test_another_seed_gives_other_draws() -> None:
    """The seed is used."""
    assert lean_draws(pairs(5, 9, 30), seed=1) != lean_draws(pairs(5, 9, 30), seed=2)
