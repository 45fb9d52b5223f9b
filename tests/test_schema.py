"""The shipped schemas, the quick acceptor, and the wording of what is wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from eval_files import CONTENT, LIMITS, UNTIMED
from pytest_llm_diagnosis.errors import InputError, Location
from pytest_llm_diagnosis.records import JsonObject
from pytest_llm_diagnosis.schema import (
    CASE_KEYS,
    VARIANT_KEYS,
    Validator,
    eval_schema,
    validate,
    variants_schema,
)
from pytest_llm_diagnosis.schema.accepting import acceptor
from pytest_llm_diagnosis.source import nodes, parse

PATH = Path("a.yaml")
EVAL = eval_schema(CONTENT, CONTENT, LIMITS)
ROLES = "'system', 'user', 'assistant' or 'tool'"


def lines(text: str, schema: JsonObject) -> list[str]:
    """Return what is wrong with YAML text, hints included."""
    problems = validate(parse(dedent(text), PATH), schema, PATH)
    return InputError(problems).show().splitlines()


def in_case(text: str) -> list[str]:
    """Return what is wrong with the keys of one case."""
    problems = Validator(EVAL, "case", "a case").problems(parse(text, PATH), PATH)
    return InputError(problems).show().splitlines()


@pytest.mark.parametrize("schema", [EVAL, variants_schema()])
def test_the_shipped_schemas_are_schemas(schema: JsonObject) -> None:
    """They meet draft 2020-12 and can be written to a file."""
    Draft202012Validator.check_schema(dict(schema))
    assert json.loads(json.dumps(schema)) == schema


def test_every_key_has_a_description() -> None:
    """An editor can explain what every key of a case or a variant is for."""
    case = cast("Mapping[str, JsonObject]", EVAL["$defs"])["case"]
    properties = cast("Mapping[str, JsonObject]", case["properties"])
    assert tuple(properties) == CASE_KEYS
    assert all(schema.get("description") for schema in properties.values())


def test_the_keys_are_those_of_the_design() -> None:
    """Names that people's files depend on."""
    assert " ".join(CASE_KEYS) == (
        "id mark prompt messages system evidence facts form limits instruction "
        "ideal cluster tools params trials pass_at critical skip xfail each tags"
    )
    assert " ".join(VARIANT_KEYS) == (
        "extends model api_base api_key params system examples retrieve context "
        "window call headers script kind revision max_concurrency lane"
    )


def test_checks_without_parameters_can_stand_alone() -> None:
    """A bare name is offered for exactly the checks that take nothing."""
    case = cast("Mapping[str, JsonObject]", EVAL["$defs"])["case"]
    facts = cast("Mapping[str, JsonObject]", case["properties"])["facts"]
    items = cast("Mapping[str, list[JsonObject]]", facts["items"])
    assert items["anyOf"][0] == {"enum": ["json"]}


VALID = """\
defaults: {system: s, params: {temperature: 0}}
cases:
  - id: a
    mark: knowledge
    prompt: q
    evidence: [docs/a.md, {text: t}]
    facts: [contains: x, json, {number: {value: 4.5, unit: days}}]
    form: [contains: [a, b], contains: {text: x}]
    limits: {seconds: 1.5}
    ideal: {tool_calls: [{name: f, arguments: {a: 1}}]}
    trials: 3
    pass_at: 2
    critical: true
    skip: not yet
    xfail: false
    each: [{a: 1}]
    tags: [slow]
    messages: [{role: user, content: hello}]
  - {id: b, limits: [seconds: 1, tokens: 5], evidence: x.md, ideal: text, each: a.csv}
"""


def test_what_is_right_needs_no_jsonschema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Collecting valid files never imports jsonschema."""
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    assert validate(parse(VALID, PATH), EVAL, PATH) == []


def test_whole_numbers_may_have_a_point() -> None:
    """2.0 is a whole number in JSON Schema; the slow way says so."""
    assert in_case("trials: 2.0") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("promt: x", ["unknown key 'promt'"]),
        ("trials: three", ["'trials' must be a whole number, got 'three'"]),
        (
            "trials: '3'",
            [
                "'trials' must be a whole number, got '3'",
                "  leave the quotes out",
            ],
        ),
        ("pass_at: 0", ["'pass_at' must be at least 1, got 0"]),
        (
            "prompt: 42",
            ["'prompt' must be text, got 42", "  put it in quotes"],
        ),
        ("prompt:", ["'prompt' must be text, got nothing"]),
        ("prompt: ''", ["'prompt' must not be empty"]),
        (
            "mark: knowlege",
            [
                "'mark' must be 'knowledge' or 'behavior', got 'knowlege'",
                "  did you mean 'knowledge'?",
            ],
        ),
        (
            "critical: yes",
            [
                "'critical' must be true or false, got 'yes'",
                "  write true or false",
            ],
        ),
        (
            "tags: slow",
            [
                "'tags' must be a list, got 'slow'",
                "  write it as a list: [...]",
            ],
        ),
        ("tags: [slow, 1]", ["item 2 of 'tags' must be text, got 1"]),
        ("skip: [a]", ["'skip' must be true, false or text, got a list"]),
        (
            "facts: {contains: x}",
            [
                "'facts' must be a list, got a mapping",
                "  begin each item with '- '",
            ],
        ),
        (
            "facts: [contians: x]",
            [
                "unknown check 'contians'",
                "  did you mean 'contains'? checks: contains, number, json, tool_call",
            ],
        ),
        (
            "facts: [nmber]",
            [
                "unknown check 'nmber'",
                "  did you mean 'number'? checks: contains, number, json, tool_call",
            ],
        ),
        (
            "facts: [number]",
            ["check 'number' needs a value", "  write number: ..."],
        ),
        ("facts: [json: 5]", ["'json' in 'facts' must be nothing, got 5"]),
        (
            "facts: [{contains: a, json: }]",
            [
                "one item holds several checks: contains, json",
                "  begin each check with its own '- '",
            ],
        ),
        ("facts: [{}]", ["item 1 of 'facts' must not be empty"]),
        (
            "facts: [7]",
            ["item 1 of 'facts' must be 'json' or a mapping, got 7"],
        ),
        (
            "facts: [contains: 45]",
            [
                "'contains' in 'facts' must be text, a list or a mapping, got 45",
                "  put it in quotes",
            ],
        ),
        (
            "facts: [contains: {txet: x}]",
            [
                "unknown key 'txet' in 'contains'",
                "  did you mean 'text'? valid: text",
            ],
        ),
        ("facts: [contains: {}]", ["'contains' in 'facts' has no 'text'"]),
        ("facts: [contains: ['']]", ["item 1 of 'contains' must not be empty"]),
        ("limits: {second: 1}", ["unknown check 'second'"]),
        (
            "limits: {number: 1}",
            ["'number' stands under facts or form, not under limits"],
        ),
        ("limits: [seconds: 0]", ["'seconds' in 'limits' must be more than 0, got 0"]),
        ("evidence: [{txt: a}]", ["unknown key 'txt' in 'evidence'"]),
        ("evidence: 5", ["'evidence' must be text, a mapping or a list, got 5"]),
        ("messages: []", ["'messages' must not be empty"]),
        (
            "messages: [{role: 5, content: x}]",
            [f"'role' in 'messages' must be {ROLES}, got 5"],
        ),
        ("each: []", ["'each' must not be empty"]),
        ("each: [a]", ["item 1 of 'each' must be a mapping, got 'a'"]),
        ("params: [a]", ["'params' must be a mapping, got a list"]),
        ("just text", ["a case must be a mapping, got 'just text'"]),
        ("prompt: {a: b}", ["'prompt' must be text, got a mapping"]),
    ],
)  # fmt: skip
def test_words_for_what_is_wrong(text: str, expected: list[str]) -> None:
    """A newcomer reads what was expected, what was found, and what is near."""
    found = in_case(text)[: len(expected)]
    assert found == [f"a.yaml:1: {expected[0]}", *expected[1:]]


def test_an_unknown_key_lists_the_valid_ones() -> None:
    """The nearest stands first, then all in the order of the design."""
    assert in_case("promt: x")[1] == (
        f"  did you mean 'prompt'? valid: {', '.join(CASE_KEYS)}"
    )


def test_every_problem_is_told_at_its_line() -> None:
    """A file's problems are found together, in the order of the file."""
    text = """\
        default: x
        cases:
          - id: 5
            mark: fact
          - facts:
              - contains: a
              - nothing: b
          - text
        """
    assert [line for line in lines(text, EVAL) if not line.startswith(" ")] == [
        "a.yaml:1: unknown key 'default'",
        "a.yaml:3: 'id' in 'cases' must be text, got 5",
        "a.yaml:4: 'mark' in 'cases' must be 'knowledge' or 'behavior', got 'fact'",
        "a.yaml:7: unknown check 'nothing'",
        "a.yaml:8: item 3 of 'cases' must be a mapping, got 'text'",
    ]


def test_variants_are_named_in_their_problems() -> None:
    """The wording names the variant that a key stands in."""
    text = """\
        variants:
          base: {modle: x, max_concurrency: 0, retrieve: {top_k: 0}}
          other: 5
        """
    assert [line for line in lines(text, variants_schema()) if line[0] != " "] == [
        "a.yaml:2: unknown key 'modle' in 'base'",
        "a.yaml:2: 'max_concurrency' in 'base' must be at least 1, got 0",
        "a.yaml:2: 'top_k' in 'retrieve' must be at least 1, got 0",
        "a.yaml:3: 'other' in 'variants' must be a mapping, got 5",
    ]


def test_other_keywords_are_left_to_jsonschema() -> None:
    """A check may use any keyword; its own words are then shown, cut short."""
    schema: JsonObject = {"properties": {"a": {"type": "string", "format": "x",
        "not": {"const": "no"}}, "b": {"multipleOf": 2}, "c": {"pattern": "^x"},
        "d": {"const": 1}, "e": {"enum": list("abcdefgh")}}}  # fmt: skip
    assert lines("{a: y, b: 4, c: xy, d: 1, e: a}", schema) == []
    assert lines("{a: no, b: 3, c: y, d: 2, e: zz}", schema) == [
        "a.yaml:1: 'a': 'no' should not be valid under {'const': 'no'}",
        "a.yaml:1: 'b': 3 is not a multiple of 2",
        "a.yaml:1: 'c': 'y' does not match '^x'",
        "a.yaml:1: 'd' must be 1, got 2",
        "a.yaml:1: 'e' cannot be 'zz'",
        "  valid: a, b, c, d, e, f, g, h",
    ]


# -- laws ---------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["", "a", "b", "xx", 0.0, 1.0, 1.5]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)
BOUND = st.integers(-1, 3)
SIZE = st.integers(0, 3)
TYPES = ["string", "integer", "number", "boolean", "array", "object", "null"]
SCALARS = st.sampled_from([None, True, False, 0, 1, 1.0, "a", "b", ""])
SIMPLE = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1),
        "enum": st.lists(SCALARS, min_size=1),
        "const": SCALARS,
        "minimum": BOUND, "maximum": BOUND,
        "exclusiveMinimum": BOUND, "exclusiveMaximum": BOUND,
        "minLength": SIZE, "maxLength": SIZE,
        "minItems": SIZE, "maxItems": SIZE,
        "minProperties": SIZE, "maxProperties": SIZE,
        "pattern": st.sampled_from(["^a", "b$"]),
        "required": st.lists(KEYS),
        "description": st.just("x"),
        "multipleOf": st.just(2),
    },
)  # fmt: skip
SCHEMAS = st.recursive(
    st.booleans() | SIMPLE,
    lambda inner: st.builds(
        lambda *parts: {key: value for part in parts for key, value in part.items()},
        SIMPLE,
        st.fixed_dictionaries(
            {},
            optional={
                "properties": st.dictionaries(KEYS, inner),
                "additionalProperties": inner,
                "items": inner,
                "anyOf": st.lists(inner, min_size=1, max_size=3),
                "oneOf": st.lists(inner, min_size=1, max_size=3),
                "not": inner,
            },
        ),
    ),
    max_leaves=6,
)


@UNTIMED
@given(SCHEMAS.filter(lambda schema: isinstance(schema, dict)), VALUES)
def test_the_acceptor_never_accepts_what_is_wrong(
    schema: JsonObject, value: object
) -> None:
    """A quick yes is right for any schema and any value."""
    if acceptor(schema)(value):
        assert Draft202012Validator(dict(schema)).is_valid(value)


@UNTIMED
@given(SCHEMAS.filter(lambda schema: isinstance(schema, dict)), VALUES)
def test_problems_are_found_exactly_when_there_are_any(
    schema: JsonObject, value: object
) -> None:
    """Every invalid value yields a problem in words, no valid one does."""
    node = nodes(value, Location(path=PATH))  # type: ignore[arg-type]
    found = Validator(schema).faults(node)
    assert bool(found) is not Draft202012Validator(dict(schema)).is_valid(value)
    assert all(fault.text for fault in found)


@UNTIMED
@given(st.dictionaries(st.sampled_from(CASE_KEYS), VALUES, max_size=4))
def test_random_cases_are_explained(case: object) -> None:
    """No combination of keys and values is beyond words."""
    node = nodes(case, Location(path=PATH))  # type: ignore[arg-type]
    faults = Validator(EVAL, "case", "a case").faults(node)
    schema = {"$ref": "#/$defs/case", "$defs": EVAL["$defs"]}
    assert bool(faults) is not Draft202012Validator(schema).is_valid(case)
