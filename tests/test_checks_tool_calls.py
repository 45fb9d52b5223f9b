"""tool_calls: several calls at once, allowed values, optional arguments, types."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import bound, call, graded, outcome, refusal
from pytest_llm_diagnosis.records import Answer, Json, ToolCall

BOOTS: dict[str, Json] = {
    "name": "stock",
    "arguments": {"item": "boots"},
    "allowed": {"size": [41, 42], "shop": ["Oslo", "Bergen"]},
    "types": {"note": "string", "size": "integer"},
    "optional": ["shop", "note"],
}
COATS: dict[str, Json] = {"name": "stock", "arguments": {"item": "coat", "size": 3}}
RIGHT = call("stock", {"item": "boots", "size": 41})
COAT = call("stock", {"item": "coat", "size": 3})


def with_(**more: Json) -> ToolCall:
    """Return the right call with other arguments."""
    return call("stock", {"item": "boots", "size": 41, **more})


@pytest.mark.parametrize(
    ("params", "calls", "code"),
    [
        ([BOOTS], [RIGHT], None),
        ([BOOTS], [with_(size=42.0, shop="Oslo", note="dry")], None),
        ([BOOTS], [], "tool:none"),
        ([BOOTS], [call("price", {"item": "boots"})], "tool:wrong_name"),
        ([BOOTS], [call("stock", "{")], "tool:invalid_arguments"),
        ([BOOTS], [call("stock", '{"item": "boots", "size": 41}')], None),
        ([BOOTS], [call("stock", {"item": "boots"})], "tool:missing_argument"),
        ([BOOTS], [with_(colour="red")], "tool:unexpected_argument"),
        ([{**BOOTS, "exact": False}], [with_(colour="red")], None),
        ([BOOTS], [with_(size="41")], "tool:wrong_type"),
        ([BOOTS], [with_(size=41.5)], "tool:wrong_type"),
        ([BOOTS], [with_(note=3)], "tool:wrong_type"),
        ([BOOTS], [with_(size=40)], "tool:wrong_value"),
        ([BOOTS], [with_(shop="Paris")], "tool:wrong_value"),
        ([BOOTS], [RIGHT, RIGHT], "tool:repeated_call"),
        ([BOOTS], [RIGHT, with_(size=42)], "tool:unexpected_call"),
        ([BOOTS, COATS], [RIGHT, COAT], None),
        ([BOOTS, COATS], [COAT, RIGHT], None),
        ([BOOTS, COATS], [COAT], "tool:missing_call"),
        ([BOOTS, COATS], [COAT, with_(size=7)], "tool:wrong_value"),
        ([BOOTS, BOOTS], [RIGHT, RIGHT], None),
        ({"calls": [BOOTS, COATS], "ordered": True}, [RIGHT, COAT], None),
        ({"calls": [BOOTS, COATS], "ordered": True}, [COAT, RIGHT], "tool:wrong_order"),
        ([], [], None),
        ([], [RIGHT], "tool:unexpected_call"),
    ],
)
def test_calls_as_form(
    params: Json, calls: Sequence[ToolCall], code: str | None
) -> None:
    """Each way of getting the calls wrong has its code."""
    answer = Answer(tool_calls=tuple(calls))
    assert outcome("tool_calls", params, answer, "form") == code


def test_calls_are_matched_as_well_as_they_can_be() -> None:
    """A call that two may stand for is taken by the one that has no other."""
    either: Json = {"name": "f", "allowed": {"a": [1, 2]}}
    first: Json = {"name": "f", "arguments": {"a": 1}}
    made = Answer(tool_calls=(call("f", {"a": 1}), call("f", {"a": 2})))
    assert outcome("tool_calls", [either, first], made, "form") is None
    assert outcome("tool_calls", [first, either], made, "form") is None


def test_the_nearest_flaw_is_told() -> None:
    """A spoilt call is compared with the expected one that it comes nearest to."""
    made = Answer(tool_calls=(with_(colour="red"), COAT))
    verdict = graded("tool_calls", [COATS, BOOTS], made, "form")
    assert verdict.code == "tool:unexpected_argument"
    assert "'colour' = \"red\"" in verdict.reason


def test_written_calls() -> None:
    """Calls written out count as facts; as form they were not called."""
    text = '{"name": "stock", "arguments": {"item": "Boots", "size": "41"}}'
    assert outcome("tool_calls", [BOOTS], text) is None
    assert outcome("tool_calls", [BOOTS], text, "form") == "tool:written"


@given(st.permutations(range(5)), st.integers(0, 4))
def test_any_order_and_no_other_number(order: list[int], left_out: int) -> None:
    """Calls pass in every order, and fail when one is missing or made twice."""
    params: Json = [{"name": "f", "arguments": {"a": n}} for n in range(5)]
    calls = [call("f", {"a": n}) for n in order]
    assert (
        outcome("tool_calls", params, Answer(tool_calls=tuple(calls)), "form") is None
    )
    fewer = Answer(tool_calls=tuple(calls[:left_out] + calls[left_out + 1 :]))
    assert outcome("tool_calls", params, fewer, "form") == "tool:missing_call"
    more = Answer(tool_calls=(*calls, calls[left_out]))
    assert outcome("tool_calls", params, more, "form") == "tool:repeated_call"


@pytest.mark.parametrize(
    ("params", "finding"),
    [
        (None, "calls must be a list"),
        ([3], "a call must be a mapping"),
        ([{"name": ""}], "name must be text"),
        ([{"name": "f", "arguments": []}], "arguments must be a mapping"),
        ([{"name": "f", "allowed": {"a": []}}], "'a' must be a list"),
        (
            [{"name": "f", "arguments": {"a": 1}, "allowed": {"a": [1]}}],
            "not be an argument too",
        ),
        ([{"name": "f", "types": {"a": "int"}}], "unknown type 'int'"),
        (
            [{"name": "f", "arguments": {"a": "x"}, "types": {"a": "number"}}],
            "'a' must be of type number, so never \"x\"",
        ),
        ({"calls": [{"name": "f"}] * 101}, "at most 100"),
    ],
)
def test_parameters_that_cannot_work(params: Json, finding: str) -> None:
    """Each is an input error where the check stands."""
    assert finding in refusal("tool_calls", params, "form").finding


def test_descriptions_and_gold() -> None:
    """Form names the tools and no value; facts give their values as gold."""
    told = bound("tool_calls", [BOOTS, COATS], "form").describe()
    assert told == "Call stock, 2 times in all, and no other tool."
    assert bound("tool_calls", [], "form").describe() == "Call no tool; answer in text."
    assert bound("tool_calls", [COATS]).gold() == ("coat", "3")
    assert bound("tool_calls", [COATS]).describe() == ""
