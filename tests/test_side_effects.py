"""What a fine-tune fixed and broke, and where it only learnt the form."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from diagnosed import grade, result
from pytest_llm_diagnosis.diagnosis import Diagnosis, SideEffects, diagnose
from pytest_llm_diagnosis.records import CaseResult, Given, Kind, Trial


def given(name: str, kind: Kind, model: str, **changes: list[str]) -> Given:
    """Return what a variant is."""
    told = {other: tuple(names) for other, names in changes.items()}
    gives = ("retrieve",) if "rag" in name else ()
    return Given(name=name, kind=kind, model=model, gives=gives, changes=told)


GIVEN = (
    given("base", "prompt", "m", rag=["retrieve"], tuned=["model"],
          tuned_rag=["retrieve", "model"]),
    given("rag", "retrieval", "m", base=["retrieve"], tuned=["retrieve", "model"],
          tuned_rag=["model"]),
    given("tuned", "weights", "t", base=["model"]),
    given("tuned_rag", "weights", "t", base=["retrieve", "model"], rag=["model"]),
)  # fmt: skip


def cases(variant: str, *shown: str) -> list[CaseResult]:
    """Return a case for each `facts form`, `+` right, `-` wrong, `.` not checked.

    Several answers of one case stand behind a comma each.
    """
    return [
        _case(variant, number, answers.split(","))
        for number, answers in enumerate(shown)
    ]


def _case(variant: str, number: int, answers: list[str]) -> CaseResult:
    grades = [grade(*(bit.replace(".", "") for bit in answer)) for answer in answers]
    passed = all(one.all_passed for one in grades)
    one = result(f"c{number}", "passed" if passed else "failed", variant=variant)
    trials = tuple(Trial(answer=one.trials[0].answer, grade=shown) for shown in grades)
    return replace(one, line=10 * number + 1, trials=trials)


def effects(*results: CaseResult) -> tuple[SideEffects, ...]:
    """Return the side effects of a run's tuned variants."""
    return diagnose(results, seed=7, given=GIVEN).side_effects


@pytest.mark.parametrize(
    ("base", "tuned", "styled"),
    [
        ("--", "-+", True),  # the very thing: the form is learnt, the fact is not
        ("+-", "-+", True),  # it knew, and lost the fact to the form
        ("-+", "-+", False),  # the base already answered in the form
        ("--", "++", False),  # it learnt both
        ("--", "--", False),  # it learnt nothing
        ("++", "-+", False),  # broken, but the form is no news
        ("-.", "-.", False),  # no form check: its form cannot be seen
        (".-", ".+", False),  # no fact check: no fact is wrong
        ("--", "-+,-+,++", True),  # most of its answers
        ("--", "-+,++", False),  # as many right as wrong: open
    ],
)
def test_wrong_in_the_house_style(base: str, tuned: str, styled: bool) -> None:  # noqa: FBT001 - a table's column
    """Facts fail and form passes when tuned, where the form failed before."""
    (one,) = effects(*cases("base", base), *cases("tuned", tuned))
    assert bool(one.styled) is styled


def test_counts_and_places() -> None:
    """Of the cases that tell both, which, and how many the base had known."""
    (one,) = effects(
        *cases("base", "--", "+-", "++", "-.", "+-"),
        *cases("tuned", "-+", "-+", "++", "-.", "++"),
    )
    assert (one.variant, one.base) == ("tuned", "base")
    assert (one.facts, one.knew) == (4, 1)
    assert [(case.id, case.line) for case in one.styled] == [("c0", 1), ("c1", 11)]


def test_fixed_and_broken_by_mark() -> None:
    """Each with its cases; below five changes no difference is claimed."""
    base = cases("base", *["--"] * 6, "++", "++")
    tuned = cases("tuned", *["++"] * 6, "-+", "++")
    behavior = [replace(one, mark="behavior") for one in cases("base", "+-", "++")]
    after = [replace(one, mark="behavior") for one in cases("tuned", "++", "+-")]
    renamed = [replace(one, id=f"b-{one.id}") for one in (*behavior, *after)]
    (one,) = effects(*base, *renamed[:2], *tuned, *renamed[2:])
    knowledge, style = one.marks
    assert (len(knowledge.fixed), knowledge.failing) == (6, 6)
    assert [case.id for case in knowledge.broken] == ["c6"]
    assert (len(style.fixed), len(style.broken), style.p) == (1, 1, None)


def test_one_comparison_has_one_p() -> None:
    """The paired table says the same of the same two variants."""
    base = cases("base", *["--"] * 9)
    tuned = cases("tuned", *["++"] * 9)
    rag = cases("rag", *["++"] * 7, "--", "--")
    diagnosis = diagnose([*base, *rag, *tuned], seed=7, given=GIVEN)
    (one,) = diagnosis.side_effects
    (flip,) = (flip for flip in diagnosis.flips if flip.to == "tuned")
    assert one.marks[0].p == flip.p


@pytest.mark.parametrize(
    ("ran", "pairs"),
    [
        (("base", "tuned"), {("base", "tuned")}),
        (("rag", "tuned_rag"), {("rag", "tuned_rag")}),
        (("base", "tuned_rag"), set()),  # two things differ: not the weights' doing
        (
            ("base", "rag", "tuned", "tuned_rag"),
            {("base", "tuned"), ("rag", "tuned_rag")},
        ),
        (("tuned",), set()),
        (("base", "rag"), set()),
    ],
)
def test_each_tuned_variant_stands_beside_its_own_base(
    ran: tuple[str, ...], pairs: set[tuple[str, str]]
) -> None:
    """The one that differs from it in its weights alone."""
    found = effects(*(one for name in ran for one in cases(name, "--", "++")))
    assert {(one.base, one.variant) for one in found} == pairs


def test_a_report_keeps_the_side_effects() -> None:
    """Through JSON and back."""
    results = [*cases("base", "--", "++", "+-"), *cases("tuned", "-+", "-+", "++")]
    diagnosis = diagnose(results, seed=7, given=GIVEN)
    data = json.loads(json.dumps(diagnosis.to_dict()))
    assert Diagnosis.from_dict(data) == diagnosis
