"""The choice check: which option an answer picks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import bound, graded, outcome, refusal
from pytest_llm_diagnosis.records import Json

TOWNS: Json = {"answer": "B", "options": ["Paris", "Lyon", "Nice"]}
KINDS: Json = {"answer": "refund", "options": ["refund", "exchange", "full refund"]}


@pytest.mark.parametrize(
    "text",
    [
        "B",
        "b",
        "(B)",
        "B.",
        "**B**",
        "B) Lyon",
        "(B) Lyon",
        "B: Lyon",
        "Lyon",
        "lyon.",
        "Answer: B",
        "**Answer:** B",
        "The answer is B.",
        "The correct answer is (B) Lyon.",
        "It is Lyon.",
        "Paris is larger, so the answer is B",
        "A is wrong and C is wrong. Answer: B",
        "I would choose option B because A is too far.",
        r"so \boxed{B}",
        '{"answer": "B"}',
        '```json\n{"choice": "Lyon"}\n```',
        "A good choice is Lyon.",
        "Option B",
    ],
)
def test_right_pick(text: str) -> None:
    """A letter, marked or alone, and the option's text all pick it."""
    assert outcome("choice", TOWNS, text) is None


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        (TOWNS, "A", "choice:other"),
        (TOWNS, "Paris", "choice:other"),
        (TOWNS, "The answer is A, not B.", "choice:other"),
        (TOWNS, "Paris or Lyon", "choice:several"),
        (TOWNS, "(A) or (B)", "choice:several"),
        (TOWNS, "Marseille", "choice:none"),
        (TOWNS, "A boat", "choice:none"),
        (TOWNS, "The answer is a boat", "choice:none"),
        (TOWNS, "Lyonnais", "choice:none"),
        (TOWNS, "", "choice:empty"),
        (KINDS, "refund", None),
        (KINDS, "full refund", "choice:other"),
        (KINDS, "It needs a full refund.", "choice:other"),
        ("D", "D", None),
        ("D", "(A)", "choice:other"),
        ({"answer": "yes", "options": {"yes": "", "no": ""}}, "Yes.", None),
        ({"answer": "x", "options": {"x": "ten", "y": "six"}}, "six", "choice:other"),
        ({"answer": "Nice", "options": ["Paris", "Nice"]}, "(B)", None),
    ],
)
def test_pick(params: Json, text: str, code: str | None) -> None:
    """Another pick, several and none are told apart."""
    assert outcome("choice", params, text) == code


@pytest.mark.parametrize(
    ("params", "finding"),
    [
        (None, "needs a value"),
        ("Paris", "must be one letter"),
        ({"answer": "Rome", "options": ["Paris", "Nice"]}, "not one option of: A, B"),
        ({"answer": "B", "options": "AB"}, "not one option"),
        ({"answer": "B", "options": []}, "options must be text"),
        ({"answer": "A", "options": ["x"] * 30}, "at most 26"),
    ],
)
def test_parameters_that_cannot_work(params: Json, finding: str) -> None:
    """Each is an input error where the check stands."""
    assert finding in refusal("choice", params).finding


def test_description_lists_options_and_keeps_the_right_one() -> None:
    """The instruction is the same whichever option is right."""
    other: Json = {"answer": "A", "options": ["Paris", "Lyon", "Nice"]}
    check = bound("choice", TOWNS)
    assert check.describe() == bound("choice", other).describe()
    assert check.gold() == ("Lyon",)
    assert bound("choice", "B").gold() == ()
    assert "expected B (Lyon), found 'A'" in graded("choice", TOWNS, "A").reason


@given(st.sampled_from("ABC"), st.sampled_from(["{}", "({})", "Answer: {}", "{}."]))
def test_exactly_one_letter_passes(letter: str, shape: str) -> None:
    """Of all letters only the expected one passes."""
    passed = outcome("choice", TOWNS, shape.format(letter)) is None
    assert passed == (letter == "B")
