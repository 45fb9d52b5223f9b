"""cites and grounded: answers held to the passages that were shown."""

from __future__ import annotations

import pytest

from checking import bound, graded, outcome, refusal
from pytest_llm_diagnosis.records import Answer, Context, Json

SHOWN = (
    Context(
        text="Northwind takes unworn boots back within 45 days of delivery.",
        source="docs/returns.md#unworn-goods",
    ),
    Context(
        text="In 1987 Anna Berg opened the first shop, at 12 Harbour Street in Oslo.",
        source="docs/history.md",
    ),
)


def from_passages(text: str) -> Answer:
    """Return an answer to which both passages were shown."""
    return Answer(text=text, contexts=SHOWN)


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        (None, "45 days [docs/returns.md#unworn-goods].", None),
        (None, "45 days (see docs/returns.md).", None),
        (None, "45 days [returns.md]", None),
        (None, "45 days [unworn-goods]", None),
        (None, "45 days [1]. Opened in 1987 [2].", None),
        (None, "45 days [1, 2]", None),
        (None, "45 days [^1]", None),
        (None, "45 days \u30102\u3011", None),
        (None, '"Unworn boots back within 45 days" it says.', None),
        (None, '{"answer": "45 days", "source": "docs/returns.md"}', None),
        (None, "45 days.", "cites:none"),
        (None, "45 days [really].", "cites:none"),
        (None, 'The "old boots" go back.', "cites:none"),
        (None, "", "cites:empty"),
        (None, "45 days [3].", "cites:unknown"),
        (None, "45 days [1] [4]", "cites:unknown"),
        (None, "45 days [docs/warranty.md].", "cites:unknown"),
        ({"quotes": True}, "45 days [1].", "cites:none"),
        ({"quotes": True}, 'It "opened the first shop, at 12".', None),
        ({"quotes": True}, '"Worn boots go back in 45 days"', "cites:misquoted"),
        ({"ids": "docs/history.md"}, "45 days [1], 1987 [2]", None),
        ({"ids": ["docs/history.md"]}, "45 days [1]", "cites:missing"),
    ],
)
def test_cites(params: Json, text: str, code: str | None) -> None:
    """By id, file, section, number or quote; what was not shown is made up."""
    assert outcome("cites", params, from_passages(text)) == code


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        (None, "Northwind takes them back within 45 days.", None),
        (None, "Anna Berg opened it in 1987 [2].", None),
        (None, "It was opened by A. Berg.", None),
        (None, "The shop is at 12 Harbour Street, Oslo.", None),
        (None, "1. Unworn boots go back.\n2. Within 45 days.", None),
        (None, "Boots? Yes. You have forty-five days on Monday.", None),
        (None, "You have 60 days.", "grounded:numbers"),
        (None, "You have sixty days.", "grounded:numbers"),
        (None, "There are two ways, in 45 days or never.", None),
        (None, "It was Anna Lund.", "grounded:names"),
        (None, "It was Anna Lund in 1988.", "grounded:both"),
        (None, "The shop is in Bergen.", "grounded:names"),
        (None, "", "grounded:empty"),
        ({"names": False}, "It was Anna Lund in 1987.", None),
        ({"numbers": False}, "Anna Berg, 1988.", None),
        ({"allowed": "What of order 1724?"}, "Order 1724 goes back in 45 days.", None),
    ],
)
def test_grounded(params: Json, text: str, code: str | None) -> None:
    """Numbers in digits and names must be found in the passages."""
    assert outcome("grounded", params, from_passages(text)) == code


def test_what_was_made_up_is_named() -> None:
    """The reasons name what could not be found."""
    reason = graded("grounded", None, from_passages("It was Eva Lund in 1988.")).reason
    assert "found '1988', 'Eva Lund' in" in reason
    reason = graded("cites", None, from_passages("45 days [9]")).reason
    assert "found '9'; shown were 'docs/returns.md#unworn-goods'" in reason


@pytest.mark.parametrize("name", ["cites", "grounded"])
def test_without_passages_an_answer_is_not_exposed(name: str) -> None:
    """Nothing was shown, so nothing can be held against the answer."""
    verdict = graded(name, None, "45 days [1].")
    assert verdict.passed is None
    assert verdict.code == f"{name}:not_exposed"
    assert not verdict.exposed


def test_parameters_that_cannot_work() -> None:
    """Something must be looked up."""
    params: Json = {"numbers": False, "names": False}
    assert "nothing to look up" in refusal("grounded", params).finding


def test_what_they_say_of_themselves() -> None:
    """Each asks for what it checks."""
    assert "square brackets" in bound("cites").describe()
    assert "Quote word for word" in bound("cites", {"quotes": True}).describe()
    only = bound("grounded", {"names": False}).describe()
    assert only == "Use only numbers that stand in the information given."
