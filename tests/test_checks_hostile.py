"""Hostile answers: huge, deep, malformed. No check raises or takes long."""

from __future__ import annotations

import json
import time

import pytest

from checking import REGISTRY, bound
from pytest_llm_diagnosis.checks import Check
from pytest_llm_diagnosis.checks.protocol import CONTENT
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
    ("complies", None),
    ("judge", {"model": "m", "rubric": "r"}),
    ("similar", {"model": "m", "text": "t"}),
    ("python", "pytest_llm_diagnosis.checks.python_code:says_thanks"),
    ("sentences", 3),
    ("paragraphs", {"exactly": 3, "separator": "***", "different": True}),
    ("max_sentence_words", 3),
    ("occurrences", {"text": "aa", "ignore_case": True, "whole_words": True}),
    ("capital_words", 3),
    ("letter_case", "upper"),
    ("quoted", None),
    ("title", None),
    ("postscript", "P.P.S"),
    ("placeholders", 3),
    ("highlights", 3),
    ("sections", {"exactly": 3}),
    ("headings", 3),
    ("bullets", 3),
    ("numbered", 3),
    ("tables", 3),
    ("code_blocks", 3),
    ("no_markdown", None),
    ("language", "fr"),
    ("reading_level", {"at_least": 3}),
    ("house_words", ["a b c", "word", "the one"]),
    ("tool_calls", [{"name": "f", "arguments": {"a": 1}}]),
    *(
        ("parses_as", name)
        for name in ("json", "yaml", "xml", "toml", "csv", "python", "sql")
    ),
)
# Checks on passages need some.
SHOWN = (Context(text="Unworn boots go back in 45 days. " * 50, source="a/b.md#c"),)
IDS = tuple(f"{name}-{params}"[:24] for name, params in CHECKS)

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
    "blank lines": "a\n\n" * (SIZE // 3),
    "sentence ends": ". " * (SIZE // 2),
    "initials": "A. " * (SIZE // 3),
    "bullets": "- a\n" * (SIZE // 4),
    "numbered": "1. a\n" * (SIZE // 5),
    "pipes": "|-" * (SIZE // 4) + "\n" + "|-" * (SIZE // 4),
    "underlines": "a\n---\n" * (SIZE // 6),
    "backticks": "`a " * (SIZE // 3),
    "star words": "*a " * (SIZE // 3),
    "links": "[a](" * (SIZE // 4),
    "angles": "<<a " * (SIZE // 4),
    "elements": "<a>" * (SIZE // 3),
    "postscripts": "p." + " " * SIZE,
    "keys": "".join(f"k{number}: v\n" for number in range(SIZE // 9)),
    "dashes": "- " * (SIZE // 2),
    "dotted key": "a" + ".a" * (SIZE // 2) + " = 1",
    "quoted key": '"a".' * (SIZE // 4),
    "tables of TOML": "".join(f"[a{number}]\n" for number in range(SIZE // 8)),
    "rows": "a,b\n" * (SIZE // 4),
    "open quote": '"' + "a,\n" * (SIZE // 3),
    "statements": "x = 1\n" * (SIZE // 6),
    "nots": "not " * (SIZE // 4),
    "parentheses": "SELECT " + "(" * SIZE,
    "ors": "SELECT 1 WHERE a" + " OR a" * 5_000,
    "separators": "a***" * (SIZE // 4),
}


def tried(name: str, params: Json, dimension: Dimension | None = None) -> Check:
    """Return a check bound under a dimension, by default the first that it has."""
    (found,) = (each for each in REGISTRY.types() if each.name == name)
    return bound(name, params, dimension or found.dimensions[0])


@pytest.mark.parametrize(("name", "params"), CHECKS, ids=IDS)
def test_large_answers(name: str, params: Json) -> None:
    """Each check grades large answers in linear time, its reason stays short."""
    check = tried(name, params)
    # The first grading may load a library.
    check.grade(Answer(text="a"))
    for label, text in TEXTS.items():
        started = time.process_time()
        verdict = check.grade(Answer(text=text, contexts=SHOWN))
        # A megabyte took at most 0.85 s, this much 0.15 s.
        assert time.process_time() - started < 1.0, label
        assert len(verdict.reason.encode()) < 1_500, label


@pytest.mark.parametrize(("name", "params"), CHECKS, ids=IDS)
@pytest.mark.parametrize(
    "text", ["\ud800", '"\\ud800"', '{"urgent": "\\udfff"}', "\x00\x1b[31m", "\u202e"]
)
def test_odd_characters(text: str, name: str, params: Json) -> None:
    """Surrogates, controls and bidi marks neither raise nor reach a reason raw."""
    for dimension in CONTENT:
        if name in REGISTRY.names(dimension):
            verdict = tried(name, params, dimension).grade(Answer(text=text))
            assert verdict.reason.encode().isascii() or verdict.reason.isprintable()


@pytest.mark.parametrize(("name", "params"), CHECKS, ids=IDS)
def test_odd_tool_calls(name: str, params: Json) -> None:
    """Arguments that are no JSON or deep do not raise."""
    deep: Json = 1
    for _ in range(150):
        deep = {"a": deep}
    calls = (
        ToolCall(name="\ud800", arguments="\ud800{"),
        ToolCall(name="f", arguments={"a": deep}),
    )
    assert tried(name, params).grade(Answer(tool_calls=calls)).check == name


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("number", 45, " It is 45."),
        ("name", "Marie Curie", " Marie Curie"),
        ("date", "2024-05-03", " 2024-05-03"),
        ("reading_level", {"at_least": 3}, " notwithstanding incomprehensibilities"),
    ],
)
def test_what_is_read_has_a_bound(name: str, params: Json, said: str) -> None:
    """A megabyte takes no second, since only its beginning is read."""
    check = tried(name, params)
    assert check.grade(Answer(text=said)).passed
    assert check.grade(Answer(text="-\n" * 100_000 + said)).passed
    assert check.grade(Answer(text="-\n" * 200_000 + said)).passed is False


def test_each_check_is_tried() -> None:
    """A new check of content is tried on hostile answers too."""
    tested = {name for name, _ in CHECKS}
    alike = {"contains_any", "ends_with", "excludes", "min_words", "not_matches"}
    content = {*REGISTRY.names("facts"), *REGISTRY.names("form")}
    assert tested | alike == content
