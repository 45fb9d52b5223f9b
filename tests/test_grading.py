"""grade: verdicts by dimension, and checks that raise."""

from __future__ import annotations

from dataclasses import dataclass

from checking import bound, spec_of
from pytest_llm_diagnosis.checks import BoundCheck
from pytest_llm_diagnosis.grading import grade
from pytest_llm_diagnosis.records import Answer, Grade, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Raising(BoundCheck):
    """A check whose code is at fault."""

    def grade(self, answer: Answer) -> Verdict:
        """Raise."""
        raise ValueError(f"no such thing: {answer.text}")


def test_verdicts_stand_under_their_dimension_in_order() -> None:
    """Facts, form and limits are kept apart, each in the order given."""
    checks = [
        bound("max_words", 1, "form"),
        bound("contains", "45"),
        bound("json", None, "form"),
        bound("seconds", 1, "limits"),
        bound("contains", "46"),
    ]
    found = grade(Answer(text="45 days", seconds=0.5), checks)
    assert [verdict.passed for verdict in found.facts] == [True, False]
    assert [verdict.check for verdict in found.form] == ["max_words", "json"]
    assert [verdict.passed for verdict in found.limits] == [True]
    assert found.passed("facts") is False
    assert Grade.from_dict(found.to_dict()) == found


def test_a_check_that_raises_is_ungraded() -> None:
    """Its fault is not the model's, and the other checks are still graded."""
    raising = Raising(spec=spec_of("own"))
    found = grade(Answer(text="x\ud800"), [raising, bound("contains", "x")])
    first, second = found.facts
    assert (first.passed, first.code) == (None, "check:raised")
    assert first.reason == r"the check raised ValueError: 'no such thing: x\ud800'"
    assert second.passed
    assert found.passed("facts") is None


def test_no_checks_give_an_empty_grade() -> None:
    """Nothing to check decides nothing."""
    assert grade(Answer(text="x"), []) == Grade()
    assert grade(Answer(), []).all_passed is None


def test_an_empty_answer_is_graded() -> None:
    """An answer without text is an answer: its checks fail with codes."""
    found = grade(Answer(), [bound("contains", "x"), bound("json", None, "form")])
    codes = [verdict.code for verdict in found.verdicts]
    assert codes == ["contains:empty", "json:empty"]
