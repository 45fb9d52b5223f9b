"""Checks on shown passages count only where passages were shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pytest_llm_diagnosis.checks import default_registry
from pytest_llm_diagnosis.records import Grade, JsonObject, Verdict

if TYPE_CHECKING:
    from conftest import EvalSuite

UNEXPOSED = Verdict(check="cites", passed=None, code="cites:not_exposed", reason="-")
UNDECIDED = Verdict(check="matches", passed=None, code="matches:timeout", reason="-")
GOOD = Verdict(check="contains", passed=True)
BAD = Verdict(check="contains", passed=False, code="contains:missing", reason="-")

CASES = """\
defaults:
  mark: knowledge
  prompt: How many days do customers have to return unworn boots?
  evidence: docs/returns.md#unworn-goods
cases:
  - id: both
    facts: [{contains: 45}, {cites: {quotes: true}}]
    ideal: '"customers may return unworn boots within 45 days"'
  - id: alone
    facts: [cites]
"""
ANSWERS = """\
rules:
  - contains: within 45 days
    text: As "customers may return unworn boots within 45 days" it is 45.
  - {text: You have 45 days.}
"""


def test_a_check_without_exposure_counts_nowhere() -> None:
    """It neither fails nor decides, nor keeps others from deciding."""
    assert Grade(facts=(GOOD, UNEXPOSED)).passed("facts") is True
    assert Grade(facts=(GOOD, UNEXPOSED)).all_passed is True
    assert Grade(facts=(BAD, UNEXPOSED)).all_passed is False
    assert Grade(facts=(GOOD, UNDECIDED)).all_passed is None
    assert Grade(facts=(UNEXPOSED,)).passed("facts") is None
    assert [each.exposed for each in (UNEXPOSED, UNDECIDED, GOOD, BAD)] == [
        False,
        True,
        True,
        True,
    ]


def write(suite: EvalSuite) -> None:
    """Write two cases that cite, one of them with nothing else to check."""
    suite.write_file("a.eval.yaml", CASES.replace("contains: 45", 'contains: "45"'))
    suite.write_file("answers.yaml", ANSWERS)
    suite.write_file(
        "docs/returns.md",
        """\
        # Returns

        ## Unworn goods

        Our customers may return unworn boots within 45 days of delivery.
        """,
    )


def test_where_nothing_is_shown_cites_does_not_fail(suite: EvalSuite) -> None:
    """Without passages the other checks decide, or the case is skipped."""
    write(suite)
    result = suite.run("--llm-probe=off", "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    assert "not exposed to cites: no passage was shown" in result.stdout.str()


def test_where_passages_are_shown_cites_counts(suite: EvalSuite) -> None:
    """A retrieving variant is held to its passages."""
    write(suite)
    report = suite.report("--llm-probe=off", "--llm-variant=rag")
    cases = {
        str(case["id"]): case for case in cast("list[JsonObject]", report["cases"])
    }
    assert {name: case["outcome"] for name, case in cases.items()} == {
        "both": "passed",
        "alone": "passed",
    }


def test_an_ideal_is_held_to_the_cases_evidence(suite: EvalSuite) -> None:
    """An ideal that misquotes its own evidence is an error of the file."""
    write(suite)
    path = suite.path / "a.eval.yaml"
    path.write_text(path.read_text().replace("within 45 days\"'", "in a month 45\"'"))
    result = suite.run("--llm-probe=off")
    assert "the ideal of 'both' fails its own check cites" in result.stdout.str()


def test_every_check_that_needs_passages_says_so() -> None:
    """The summaries that the reference page shows name the condition."""
    types = {each.name: each for each in default_registry().types()}
    for name in ("cites", "grounded"):
        assert types[name].summary.endswith("counts only where some were.")
