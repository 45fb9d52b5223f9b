"""Shards as records, and which findings count when they are put together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosed import result, suite
from eval_files import UNTIMED
from pytest_llm_diagnosis.diagnosis import chosen
from pytest_llm_diagnosis.records import CaseResult, RunFacts, Shard


@UNTIMED
@given(st.text(max_size=40), st.integers(1, 9))
def test_a_case_is_in_exactly_one_shard(case: str, of: int) -> None:
    """Whatever its name; all of them together hold it too."""
    shards = [Shard(numbers=(number,), of=of) for number in range(1, of + 1)]
    assert sum(shard.holds(case) for shard in shards) == 1
    whole = Shard.joined(reversed(shards))
    assert whole.holds(case)
    assert whole.missing == ()


@pytest.mark.parametrize(
    ("case", "numbers"),
    [
        ("a.eval.yaml::boots", ["2/2", "3/3", "5/7"]),
        ("a.eval.yaml::capital", ["1/2", "2/3", "7/7"]),
        ("test_app.py::test_boots", ["2/2", "3/3", "7/7"]),
    ],
)
def test_a_case_stays_where_it_is(case: str, numbers: list[str]) -> None:
    """On every machine and in every version: these are from `sha256sum`."""
    found = [
        str(shard)
        for of in (2, 3, 7)
        for number in range(1, of + 1)
        if (shard := Shard(numbers=(number,), of=of)).holds(case)
    ]
    assert found == numbers


@UNTIMED
@given(st.sets(st.integers(1, 20), min_size=1), st.integers(20, 30))
def test_a_shard_is_read_as_written(numbers: set[int], of: int) -> None:
    """One, or several that were merged, also inside a run's facts."""
    shard = Shard(numbers=tuple(sorted(numbers)), of=of)
    assert Shard.parse(str(shard)) == shard
    run = RunFacts(seed=1, started="", shard=shard, probe="quick", probe_max=3)
    assert RunFacts.from_dict(run.to_dict()) == run
    assert {*shard.numbers, *shard.missing} == set(range(1, of + 1))


def ranked(results: list[CaseResult]) -> list[CaseResult]:
    """Return the results with the failing ones ranked in their order."""
    ranks = iter(range(len(results)))
    return [
        replace(one, rank=next(ranks)) if one.outcome == "failed" else one
        for one in results
    ]


def counted(results: list[CaseResult], **options: object) -> list[str]:
    """Return the ids of the cases whose findings count."""
    settings = {"limit": 40, "seed": 7, **options}
    kept = chosen(results, **settings)  # type: ignore[arg-type]
    assert [one.nodeid for one in kept] == [one.nodeid for one in results]
    return [one.id for one in kept if one.finding is not None]


def test_the_lowest_ranks_count() -> None:
    """In whatever order the results come; a finding without a rank counts too."""
    results = ranked(suite(2, knowledge=4, behavior=2))
    assert counted(results, limit=2) == ["knowledge-0", "knowledge-1"]
    assert counted(results[::-1], limit=2) == ["knowledge-1", "knowledge-0"]
    assert counted(suite(2, knowledge=3), limit=1) == [
        "knowledge-0",
        "knowledge-1",
        "knowledge-2",
    ]


def test_a_case_that_could_not_be_asked_takes_its_place() -> None:
    """As it does in one process, where it was chosen before it was refused."""
    results = ranked(suite(knowledge=4))
    results[0] = replace(results[0], finding=None)
    assert counted(results, limit=2) == ["knowledge-1"]


def test_what_comes_after_the_verdict_is_settled_does_not_count() -> None:
    """Unless a part of the suite cannot know that it is."""
    results = ranked([*suite(20, knowledge=14), *suite(behavior=1)])
    settled = counted(results)
    assert settled == [f"knowledge-{number}" for number in range(len(settled))]
    assert 8 <= len(settled) < 14
    assert len(counted(results, until_settled=False)) == 15


def test_every_variant_has_a_choice_of_its_own() -> None:
    """Ranks are those of a variant."""
    results = [
        replace(result(name, "failed", variant=variant, cause="knowledge"), rank=rank)
        for variant in ("base", "rag")
        for rank, name in enumerate("abc")
    ]
    assert counted(results, limit=1) == ["a", "a"]
