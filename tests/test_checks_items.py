"""items and one_of: which things an answer says, how many, in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import bound, graded, outcome, refusal
from pytest_llm_diagnosis.records import Dimension, Json

CITIES: Json = ["Oslo", ["New York", "NYC"], "York"]


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        (CITIES, "York, NYC and Oslo.", None),
        (CITIES, '["oslo", "york", "new york"]', None),
        (CITIES, "We ship to **Oslo**, New York.", "items:missing"),
        (CITIES, "Oslo and New York; yorkshire too", "items:missing"),
        (CITIES, " ", "items:empty"),
        ({"items": CITIES, "recall": 0.6}, "Oslo and NYC", None),
        ({"items": CITIES, "recall": 0.6}, "Oslo", "items:missing"),
        ({"items": CITIES, "recall": 0.01}, "Bergen", "items:missing"),
        ({"items": CITIES, "ordered": True}, "Oslo, NYC, York", None),
        ({"items": CITIES, "ordered": True}, "York? No: Oslo, NYC, York", None),
        ({"items": CITIES, "ordered": True}, "York, NYC, Oslo", "items:order"),
        ({"items": CITIES, "ordered": True, "recall": 0.6}, "Oslo, York", None),
        (["apples", "pears"], "There are no apples, no pears.", "items:missing"),
        (["apples", "pears"], "Apples, not pears.", "items:missing"),
        (["apples", "pears"], "No, apples and pears.", None),
        (["apples", "pears"], "no apples at first, then apples and pears", None),
        (["5"], "Room no 5", None),
        (["1", "10"], "10 and 1.5", "items:missing"),
        (["1", "10"], "10 and 1.", None),
        (["C++", "C"], "C++ only", "items:missing"),
        (["C++", "C"], "C++ and C", None),
    ],
)
def test_items(params: Json, text: str, code: str | None) -> None:
    """Each item counts once, under its longest name, as a whole word."""
    assert outcome("items", params, text) == code


def test_the_missing_items_are_named() -> None:
    """The reason says which items were not found."""
    reason = graded("items", CITIES, "Oslo, NYC").reason
    assert "2 of 3 items, not 'York', in" in reason


@pytest.mark.parametrize(
    ("text", "dimension", "code"),
    [
        ("repair", "form", None),
        (" repair\n", "form", None),
        ("Repair", "form", "one_of:surrounded"),
        ("repair.", "form", "one_of:surrounded"),
        ("repair or refund", "form", "one_of:several"),
        ("a new one", "form", "one_of:none"),
        ("", "form", "one_of:empty"),
        ("Repair.", "facts", None),
        ('{"action": "repair"}', "facts", None),
        ("We should repair it.", "facts", None),
        ("A repair, not a refund.", "facts", "one_of:several"),
        ("We repaired it.", "facts", "one_of:none"),
    ],
)
def test_one_of(text: str, dimension: Dimension, code: str | None) -> None:
    """As a fact it may stand in a sentence, as form it is the whole answer."""
    assert outcome("one_of", ["refund", "exchange", "repair"], text, dimension) == code


@pytest.mark.parametrize(
    ("name", "params", "finding"),
    [
        ("items", "Oslo", "items must be a list"),
        ("items", [["", "a"]], "an item must hold texts"),
        ("items", [" "], "nothing that could be seen"),
        ("items", [], "nothing that could be seen"),
        ("items", {"items": ["a"], "recall": 0}, "above 0 and at most 1"),
        ("items", {"items": ["a"], "recall": 2}, "above 0 and at most 1"),
        ("one_of", ["a"], "two texts or more"),
    ],
)
def test_parameters_that_cannot_work(name: str, params: Json, finding: str) -> None:
    """A list of things that can be seen, and a share of it."""
    assert finding in refusal(name, params).finding


def test_what_they_say_of_themselves() -> None:
    """What is asked for is stated as form; facts are not given away."""
    assert bound("items", CITIES).describe() == ""
    assert bound("items", CITIES).gold() == ("Oslo", "New York", "NYC", "York")
    some: Json = {"items": ["a", "b", "c"], "recall": 0.5, "ordered": True}
    demand = bound("items", some, "form").describe()
    assert demand == 'Name at least 2 of these, in this order: "a", "b", "c".'
    demand = bound("one_of", ["a", "b"], "form").describe()
    assert demand == 'Answer with exactly one of these and nothing else: "a", "b".'


@given(st.permutations(["rinse", "soap", "wax", "dry", "fold"]))
def test_order_holds_for_one_order_alone(items: list[str]) -> None:
    """Every order says all items; only the wanted one is in order."""
    wanted = sorted(items)
    text = ", ".join(items)
    assert outcome("items", wanted, text) is None
    code = outcome("items", {"items": wanted, "ordered": True}, text)
    assert code == (None if items == wanted else "items:order")
