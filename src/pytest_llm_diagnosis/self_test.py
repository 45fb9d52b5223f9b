"""Whether a case's checks can tell a good answer from none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .checks import Check
from .errors import Location, Problem
from .grading import grade
from .records import Answer, Case, Context


class SelfTest(NamedTuple):
    """What is wrong with a case's checks, and what is merely odd."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def self_test(case: Case, checks: Sequence[Check]) -> SelfTest:
    """Grade the case's `ideal` and an empty answer by its own checks.

    Limits are left out: an ideal was not paid for.
    """
    checks = [check for check in checks if check.spec.dimension != "limits"]
    return SelfTest(_ideal_problems(case, checks), _empty_warnings(case, checks))


def _ideal_problems(case: Case, checks: Sequence[Check]) -> tuple[Problem, ...]:
    if case.ideal is None:
        return ()
    # As if the case's own evidence had been shown, which a good answer cites.
    shown = (Context(text=each.text, source=each.id) for each in case.evidence)
    ideal = Answer(
        text=case.ideal.text, tool_calls=case.ideal.tool_calls, contexts=tuple(shown)
    )
    place = Location(path=case.path, line=case.ideal_line or case.line)
    return tuple(
        Problem(
            location=place,
            finding=f"the ideal of {case.id!r} fails its own check {verdict.check}: "
            f"{verdict.reason}",
            hint="mend the ideal or the check: an ideal must pass the case's checks",
        )
        for verdict in grade(ideal, checks).verdicts
        if verdict.passed is False
    )


def _empty_warnings(case: Case, checks: Sequence[Check]) -> tuple[Problem, ...]:
    if grade(Answer(), checks).all_passed is not True:
        return ()
    return (
        Problem(
            location=case.location,
            finding=f"an empty answer passes every check of {case.id!r}",
            hint="add a check that asks for what must be said",
        ),
    )
