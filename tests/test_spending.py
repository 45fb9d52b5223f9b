"""What a case costs under each variant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diagnosed import result
from pytest_llm_diagnosis.diagnosis import Spending, extra_spending, spending
from pytest_llm_diagnosis.records import Answer, CaseResult, Tokens, Trial


def asked(name: str, variant: str, *answers: Answer | None) -> CaseResult:
    """Return a case with an answer, or an error, for each trial."""
    trials = tuple(
        Trial(answer=answer, error=None if answer else "no") for answer in answers
    )
    return replace(result(name, variant=variant), trials=trials)


def answer(
    prompt: int, completion: int = 1, cached: int = 0, **told: float | None
) -> Answer:
    """Return an answer that tells its tokens."""
    tokens = Tokens(prompt=prompt, completion=completion, cached=cached)
    return replace(Answer(text="t", tokens=tokens), **told)  # type: ignore[arg-type]


def test_a_case_counts_once_whatever_its_trials() -> None:
    """Three trials of one case and one of another weigh alike."""
    results = [
        asked("a", "base", answer(10, 1), answer(20, 2), answer(30, 3)),
        asked("b", "base", answer(40, 6)),
    ]
    told = spending(results)["base"]
    assert (told.cases, told.counted) == (2, 2)
    assert (told.prompt_tokens, told.completion_tokens) == (30, 4)


def test_what_is_not_told_counts_nowhere() -> None:
    """Answers without tokens, time or price lower no mean; errors are no case."""
    results = [
        asked("a", "base", answer(10, seconds=2.0, usd=0.5)),
        asked("b", "base", Answer(text="t")),
        asked("c", "base", None),
    ]
    told = spending(results)["base"]
    assert (told.cases, told.counted, told.timed, told.priced) == (2, 1, 1, 1)
    assert (told.prompt_tokens, told.seconds, told.usd) == (10, 2.0, 0.5)
    assert told.saved_usd == 0


def test_a_variant_that_tells_nothing_has_no_amounts() -> None:
    """Unknown is None, never 0."""
    told = spending([asked("a", "app", Answer(text="t"))])["app"]
    assert told == Spending(cases=1)
    assert told.cached_share is None


def test_time_is_a_median_and_money_a_mean() -> None:
    """One slow answer does not stand for a variant; its price is paid all the same."""
    results = [
        asked(str(second), "base", answer(1, seconds=second, usd=second))
        for second in (1.0, 2.0, 90.0)
    ]
    told = spending(results)["base"]
    assert (told.seconds, told.usd) == (2.0, 31.0)


def test_the_cached_share_is_of_all_prompt_tokens() -> None:
    """A long prompt weighs more than a short one."""
    results = [
        asked("a", "long", answer(90, cached=60)),
        asked("b", "long", answer(10)),
    ]
    assert spending(results)["long"].cached_share == pytest.approx(0.6)


def test_extra_spending_is_over_the_cases_of_both() -> None:
    """A case that only one variant was asked moves nothing."""
    results = [
        asked("a", "base", answer(10, 5, seconds=1.0, usd=0.1)),
        asked("b", "base", answer(20, 5, seconds=2.0, usd=0.1)),
        asked("only", "base", answer(9000, 5, seconds=90.0, usd=9.0)),
        asked("a", "long", answer(110, 3, 60, seconds=1.5, usd=0.4)),
        asked("b", "long", answer(140, 5, 0, seconds=4.5)),
        asked("other", "long", answer(7000, 5, seconds=70.0, usd=7.0)),
    ]
    extra = extra_spending(results, base="base", other="long")
    assert (extra.cases, extra.counted, extra.timed, extra.priced) == (2, 2, 2, 1)
    assert (extra.prompt_tokens, extra.completion_tokens) == (110, -1)
    assert (extra.cached_tokens, extra.seconds) == (30, 1.5)
    assert extra.usd == pytest.approx(0.3)


def test_variants_without_a_common_case_have_no_extra() -> None:
    """There is nothing to pair."""
    results = [asked("a", "base", answer(10)), asked("b", "long", answer(20))]
    assert extra_spending(results, base="base", other="long") == Spending(cases=0)
    assert extra_spending(results, base="base", other="gone") == Spending(cases=0)


def test_an_answer_without_a_cache_saved_nothing() -> None:
    """The mean is over all priced answers, not over the cached ones alone."""
    results = [
        asked("a", "long", answer(100, cached=90, usd=0.1, saved_usd=0.6)),
        asked("b", "long", answer(100, usd=0.7)),
        asked("unknown", "long", answer(100, cached=90, usd=0.7)),
        asked("unpriced", "long", answer(100)),
    ]
    assert spending(results)["long"].saved_usd == pytest.approx(0.3)


def test_spending_keeps_the_order_of_the_results_and_its_round_trip() -> None:
    """The first variant comes first; what a newer release adds is ignored."""
    results = [asked("a", "z", answer(1, usd=0.25)), asked("a", "b", answer(2))]
    told = spending(results)
    assert list(told) == ["z", "b"]
    for one in told.values():
        assert Spending.from_dict({**one.to_dict(), "newer": 1}) == one


def test_answers_tell_of_a_cache_only_where_there_was_one() -> None:
    """Recordings made before stay what they are, byte for byte."""
    plain = answer(10, usd=0.5)
    assert "saved_usd" not in plain.to_dict()
    assert Tokens(prompt=1).to_dict() == {"prompt": 1, "completion": 0, "cached": 0}
    whole = Answer(text="t", tokens=Tokens(prompt=9, written=7), saved_usd=-0.1)
    assert Answer.from_dict(whole.to_dict()) == whole
