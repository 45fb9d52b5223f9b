"""Hostile answers: huge, deep, malformed. No check raises or takes long."""

from __future__ import annotations

import json
import time

import pytest

from checking import bound
from pytest_llm_diagnosis.records import Answer, Context, Dimension, Json, ToolCall

# A tenth of a megabyte: a quadratic rule still takes minutes.
SIZE = 100_000

CHECKS: tuple[tuple[str, Json], ...] = (
    ("contains", "45 days"),
    ("equals", "45"),
    ("fuzzy", "return the boots within 45 days"),
    ("number", {"value": 46, "unit": "days"}),
    ("choice", {"answer": "B", "options": ["Paris", "Lyon"]}),
    ("matches", r"(a+)+$"),
    ("starts_with", "x"),
    ("json", None),
    ("json_schema", {"items": {"required": ["b"]}, "uniqueItems": True}),
    ("json_value", {"path": "$.urgent", "equals": "yes"}),
    ("tool_call", {"name": "f", "arguments": {"a": 1}}),
    ("max_words", 3),
    ("abstains", None),
    ("refuses", None),
    ("name", "Marie Curie"),
    ("date", "2024-05-03"),
    ("items", {"items": ["Oslo", ["1", "a"]], "ordered": True}),
    ("one_of", ["yes", "one"]),
    ("cites", None),
    ("grounded", None),
)
# Checks on passages need some.
SHOWN = (Context(text="Unworn boots go back in 45 days. " * 50, source="a/b.md#c"),)

TEXTS: dict[str, str] = {
    "one letter": "a" * SIZE,
    "spaces": " " * SIZE + "x",
    "digits": "1" * SIZE,
    "grouped digits": "1," * (SIZE // 2),
    "open brackets": "[" * SIZE,
    "open objects": '{"a":' * (SIZE // 5),
    "pairs": "{}" * (SIZE // 2),
    "closed deep": "[" * (SIZE // 2) + "]" * (SIZE // 2),
    "quotes": "{" + '"' * SIZE,
    "escaped quotes": '{"' + '\\"' * (SIZE // 2),
    "stars": "*" * SIZE,
    "underscores": "_" * SIZE,
    "number words": "one " * (SIZE // 4),
    "minus signs": "-" * SIZE,
    "lone surrogates": "\ud800" * (SIZE // 3),
    "accents and dashes": "\u00e9\u2014\u201cx\u201d " * (SIZE // 11),
    "JSON list": json.dumps([1] * (SIZE // 3)),
    "JSON escapes": json.dumps("\u00e9" * (SIZE // 6)),
    "hedges": "I don't know, it is not " * (SIZE // 24),
    "names": "Marie A. " * (SIZE // 9),
    "dates": "3 May 2024 " * (SIZE // 11),
    "slashes": "1/2/" * (SIZE // 4),
    "ranges": "3-" * (SIZE // 2),
    "citations": "[1] [a/b] " * (SIZE // 10),
    "open quotes": '"' + "a " * (SIZE // 2),
    "quotes of words": '"a b c d" ' * (SIZE // 10),
    "apologies": "I'm sorry, I really " * (SIZE // 20),
    "fences": "```json\n" * (SIZE // 8),
}


@pytest.mark.parametrize(("name", "params"), CHECKS, ids=[name for name, _ in CHECKS])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_large_answers(text: str, name: str, params: Json) -> None:
    """Each check grades large answers in linear time, its reason stays short."""
    check, answer = bound(name, params), Answer(text=text, contexts=SHOWN)
    started = time.process_time()
    verdict = check.grade(answer)
    # A megabyte took at most 0.75 s, this much 0.15 s.
    assert time.process_time() - started < 1.0
    assert len(verdict.reason.encode()) < 1_500


@pytest.mark.parametrize(("name", "params"), CHECKS, ids=[name for name, _ in CHECKS])
@pytest.mark.parametrize("dimension", ["facts", "form"])
@pytest.mark.parametrize(
    "text", ["\ud800", '"\\ud800"', '{"urgent": "\\udfff"}', "\x00\x1b[31m", "\u202e"]
)
def test_odd_characters(
    text: str, name: str, params: Json, dimension: Dimension
) -> None:
    """Surrogates, controls and bidi marks neither raise nor reach a reason raw."""
    verdict = bound(name, params, dimension).grade(Answer(text=text, contexts=SHOWN))
    assert verdict.reason.encode().isascii() or verdict.reason.isprintable()


@pytest.mark.parametrize(("name", "params"), CHECKS, ids=[name for name, _ in CHECKS])
def test_odd_tool_calls(name: str, params: Json) -> None:
    """Arguments that are no JSON or deep do not raise."""
    deep: Json = 1
    for _ in range(150):
        deep = {"a": deep}
    calls = (
        ToolCall(name="\ud800", arguments="\ud800{"),
        ToolCall(name="f", arguments={"a": deep}),
    )
    assert bound(name, params).grade(Answer(tool_calls=calls)).check == name
