"""tool_call: name, arguments, count, and calls that are only written out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import bound, call, graded, outcome, refusal
from pytest_llm_diagnosis.records import Answer, Json, ToolCall

STATUS: dict[str, Json] = {"name": "status", "arguments": {"order": "A-17", "days": 3}}
RIGHT = call("status", {"order": "A-17", "days": 3})
WITH_MORE = call("status", {"order": "A-17", "days": 3, "x": 1})
OTHER_TOOL = call("cancel", {"order": "A-17"})


def calling(*calls: ToolCall, text: str = "") -> Answer:
    """Return an answer that makes these calls."""
    return Answer(text=text, tool_calls=calls)


@pytest.mark.parametrize(
    ("params", "answer", "code"),
    [
        ("status", calling(RIGHT), None),
        ("status", calling(OTHER_TOOL, RIGHT), None),
        ("status", calling(), "tool:none"),
        ("status", calling(text="It is on its way."), "tool:none"),
        ("status", calling(OTHER_TOOL), "tool:wrong_name"),
        (STATUS, calling(RIGHT), None),
        (STATUS, calling(WITH_MORE), None),
        (STATUS, calling(call("status")), "tool:missing_argument"),
        (STATUS, calling(call("status", {"order": "A-17"})), "tool:missing_argument"),
        (
            STATUS,
            calling(call("status", {"order": "A-71", "days": 3})),
            "tool:wrong_value",
        ),
        (
            STATUS,
            calling(call("status", {"order": 17, "days": 3})),
            "tool:wrong_type",
        ),
        (
            STATUS,
            calling(call("status", {"order": "A-17", "days": "3"})),
            "tool:wrong_type",
        ),
        (
            STATUS,
            calling(call("status", {"order": "A-17", "days": True})),
            "tool:wrong_type",
        ),
        (STATUS, calling(call("status", "{order")), "tool:invalid_arguments"),
        (STATUS, calling(call("status", "[1]")), "tool:invalid_arguments"),
        (STATUS, calling(call("status", '{"order": "A-17", "days": 3.0}')), None),
        (STATUS, calling(call("status"), RIGHT), None),
        ({**STATUS, "exact": True}, calling(RIGHT), None),
        ({**STATUS, "exact": True}, calling(WITH_MORE), "tool:unexpected_argument"),
        ({**STATUS, "count": 1}, calling(RIGHT), None),
        ({**STATUS, "count": 1}, calling(RIGHT, RIGHT), "tool:wrong_count"),
        ({**STATUS, "count": 1}, calling(RIGHT, OTHER_TOOL), None),
        ({**STATUS, "count": 2}, calling(RIGHT), "tool:wrong_count"),
        ({**STATUS, "count": 2}, calling(RIGHT, call("status")), "tool:wrong_count"),
        ({"count": 2}, calling(RIGHT, OTHER_TOOL), None),
        ({"count": 1}, calling(RIGHT, OTHER_TOOL), "tool:wrong_count"),
        ({"count": 0}, calling(text="Hello"), None),
        ({"count": 0}, calling(), None),
        ({"count": 0}, calling(RIGHT), "tool:unexpected_call"),
        ({"name": "status", "count": 0}, calling(OTHER_TOOL), None),
        ({"arguments": {"order": "A-17"}}, calling(OTHER_TOOL), None),
        (
            {"name": "f", "arguments": {"a": {"b": [1]}}},
            calling(call("f", {"a": {"b": [1], "c": 2}})),
            None,
        ),
        (
            {"name": "f", "arguments": {"a": {"b": [1]}}, "exact": True},
            calling(call("f", {"a": {"b": [1], "c": 2}})),
            "tool:wrong_value",
        ),
        (
            {"name": "f", "arguments": {"a": [1, 2]}},
            calling(call("f", {"a": [2, 1]})),
            "tool:wrong_value",
        ),
    ],
)
def test_calls_as_form(params: Json, answer: Answer, code: str | None) -> None:
    """Each way of getting a call wrong has its code."""
    assert outcome("tool_call", params, answer, "form") == code


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "status", "arguments": {"order": "a-17", "days": "3"}}',
        '```json\n{"tool": "status", "args": {"order": "A-17", "days": 3}}\n```',
        (
            '[{"function": {"name": "status", "arguments": "{\\"order\\": \\"A-17\\", '
            '\\"days\\": 3}"}}]'
        ),
        (
            '{"tool_calls": [{"name": "status", "parameters": '
            '{"order": "A-17", "days": 3}}]}'
        ),
    ],
)
def test_a_written_call_tells_the_fact_alone(text: str) -> None:
    """A call written out counts as a fact; as form it was not called."""
    assert outcome("tool_call", STATUS, text) is None
    assert outcome("tool_call", STATUS, text, "form") == "tool:written"
    assert outcome("tool_call", {"count": 0}, text) == "tool:unexpected_call"
    assert outcome("tool_call", {"count": 0}, text, "form") is None


@pytest.mark.parametrize(
    "text", ['{"name": "status"}', '{"arguments": {}}', "status()"]
)
def test_what_is_no_written_call(text: str) -> None:
    """A call needs a name and arguments."""
    assert outcome("tool_call", "status", text) == "tool:none"


def test_argument_values_are_facts_or_form() -> None:
    """Types and case of a value do not matter to a fact."""
    answer = calling(call("status", {"order": "a-17", "days": "3"}))
    assert outcome("tool_call", STATUS, answer) is None
    assert outcome("tool_call", STATUS, answer, "form") == "tool:wrong_value"


@pytest.mark.parametrize(
    ("params", "finding"),
    [
        (None, "needs a value"),
        ({}, "needs a name, arguments or a count"),
        ({"name": ""}, "name must be text"),
        ({"name": "f", "arguments": [1]}, "arguments must be a mapping"),
        ({"name": "f", "count": -1}, "count must be a whole number"),
        ({"name": "f", "count": True}, "count must be a whole number"),
        ({"name": "f", "exact": "no"}, "exact must be true or false"),
    ],
)
def test_parameters_that_cannot_work(params: Json, finding: str) -> None:
    """Each is an input error where the check stands."""
    assert finding in refusal("tool_call", params).finding


def test_reason_gold_and_description() -> None:
    """The reason shows the call; gold are the values, never described as facts."""
    answer = calling(call("status", {"order": "A-71", "days": 3}))
    assert graded("tool_call", STATUS, answer, "form").reason == (
        'expected a call of status with {"order": "A-17", "days": 3}, '
        "found 'order' = \"A-71\""
    )
    assert bound("tool_call", STATUS).gold() == ("A-17", "3")
    assert bound("tool_call", STATUS).describe() == ""
    described = bound("tool_call", STATUS, "form").describe()
    assert "status" in described
    assert "A-17" not in described
    assert "Do not call" in bound("tool_call", {"count": 0}).describe()


NAMES = st.text("abc", min_size=1, max_size=3)
SCALARS = st.integers() | st.booleans() | st.text(max_size=5)


@given(NAMES, st.dictionaries(NAMES, SCALARS, min_size=1, max_size=4))
def test_a_call_meets_its_own_description(
    tool: str, arguments: dict[str, Json]
) -> None:
    """A call passes as expected, called or written, and in any order."""
    params: Json = {"name": tool, "arguments": arguments, "exact": True, "count": 1}
    turned = dict(reversed(arguments.items()))
    assert outcome("tool_call", params, calling(call(tool, turned)), "form") is None
    written = json.dumps({"name": tool, "arguments": arguments})
    assert outcome("tool_call", params, written) is None
    fewer = {name: arguments[name] for name in list(arguments)[1:]}
    missing = calling(call(tool, fewer))
    assert outcome("tool_call", params, missing, "form") == "tool:missing_argument"
