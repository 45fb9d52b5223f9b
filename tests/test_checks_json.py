"""json, json_schema and json_value, and the JSON reader below them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import bound, call, graded, outcome, refusal, spec_of
from pytest_llm_diagnosis.checks import default_registry
from pytest_llm_diagnosis.checks.json_path import at_path, parse_path
from pytest_llm_diagnosis.checks.json_text import (
    MAX_DEPTH,
    decode,
    json_values,
    only_scalar,
)
from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import Answer, Json

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
).filter(lambda value: "Infinity" not in json.dumps(value))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": [1, 2.5e3, true, null, "x"]}', None),
        (' \n"text"\t', None),
        ("-0", None),
        (r'"\ud800"', None),
        ('{"a": 1, "a": 2}', None),
        ("", "json:empty"),
        (" \n", "json:empty"),
        ('```json\n{"a": 1}\n```', "json:fenced"),
        ('```\n{"a": 1}```', "json:fenced"),
        ('~~~json\n{"a": 1}\n~~~', "json:fenced"),
        ('`{"a": 1}`', "json:fenced"),
        ('Sure! {"a": 1}', "json:prose_around"),
        ('Here:\n```json\n{"a": 1}\n```\nDone.', "json:prose_around"),
        ('{"a": 1} {"b": 2}', "json:prose_around"),
        ('The list is ["a"].', "json:prose_around"),
        ("See [1] and [2, 3].", "json:invalid"),
        ("45 days", "json:invalid"),
        ("{'a': 1}", "json:invalid"),
        ('{"a": 1,}', "json:invalid"),
        ('{"a": {"b": 1}, "c": "cut o', "json:invalid"),
        ('{a: {"b": 1}}', "json:invalid"),
        ("NaN", "json:invalid"),
        ("[Infinity]", "json:invalid"),
        ("[1e999]", "json:invalid"),
        ("01", "json:invalid"),
        ('"a\nb"', "json:invalid"),
        ("\ufeff{}", "json:invalid"),
        ("\u00a0{}", "json:invalid"),
        ("// no\n1", "json:invalid"),
        ("9" * 5000, "json:invalid"),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, None),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "json:invalid"),
        ("[" * 100_000, "json:invalid"),
        ('"' + "[" * 100_000 + '"', None),
    ],
)
def test_json_as_form(text: str, code: str | None) -> None:
    """The whole answer is strict JSON; each way of missing it has its code."""
    assert outcome("json", None, text, "form") == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('```json\n{"a": 1}\n```', None),
        ('Sure! {"a": 1}', None),
        ("no", "json:invalid"),
        ("", "json:empty"),
    ],
)
def test_json_as_a_fact(text: str, code: str | None) -> None:
    """Under facts JSON anywhere in the answer counts."""
    assert outcome("json", None, text) == code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", [12]),
        ('a {"x": 1} b [2] c', [{"x": 1}, [2]]),
        ('{"x": {"y": [1]}}', [{"x": {"y": [1]}}]),
        ('{not json {"x": 1}', [{"x": 1}]),
        ('{"x": 1} and {"y": }', [{"x": 1}]),
        ('{bad: {"x": "}"}}', [{"x": "}"}]),
        ('a 5" pipe {"x": "a\\"b"}', [{"x": 'a"b'}]),
        ("nothing", []),
        ("[)]", []),
        ("[}{]", []),
    ],
)
def test_json_is_found_in_prose(text: str, expected: list[Json]) -> None:
    """The outermost objects and arrays that parse are found, in order."""
    assert list(json_values(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"answer": "Paris"}', "Paris"),
        ('Here: {"a": {"b": 45}}', "45"),
        ('{"a": true}', "true"),
        ('{"a": null}', None),
        ('{"a": 1, "b": 2}', None),
        ("[1] [2]", None),
        ("no", None),
    ],
)
def test_only_scalar(text: str, expected: str | None) -> None:
    """JSON with one scalar says just that."""
    assert only_scalar(text) == expected


@given(JSON_VALUES)
def test_what_json_writes_is_read(value: Json) -> None:
    """Whatever the standard library writes strictly is read back equal."""
    assert decode(json.dumps(value)) == value
    assert outcome("json", None, json.dumps(value, indent=1), "form") is None


@given(
    st.dictionaries(st.text(max_size=5), JSON_VALUES, min_size=1, max_size=3),
    st.text("abc \n.!`", max_size=20),
)
def test_json_in_prose_is_found_again(value: Json, prose: str) -> None:
    """An object survives any brackets-free prose around it."""
    assert value in json_values(f"{prose} {json.dumps(value)} {prose}")


TICKET: dict[str, Json] = {
    "type": "object",
    "properties": {
        "category": {"enum": ["damaged", "late"]},
        "urgent": {"type": "boolean"},
        "day": {"type": "string", "format": "date"},
        "tags": {"type": "array", "maxItems": 2, "uniqueItems": True},
        "code": {"type": "string", "pattern": r"^\p{Lu}-\d+$", "minLength": 4},
        "days": {"type": "integer", "minimum": 1},
    },
    "required": ["category", "urgent"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"day": "2024-02-29", "tags": ["a", 1, "b"][:2], "code": "A-17"}, None),
        ({"urgent": "yes"}, "schema:wrong_type"),
        ({"urgent": None}, "schema:wrong_type"),
        ({"category": "lost"}, "schema:wrong_value"),
        ({"extra": 1}, "schema:unexpected_property"),
        ({"day": "2024-02-30"}, "schema:wrong_format"),
        ({"tags": [1, 2, 3]}, "schema:wrong_count"),
        ({"tags": [1, 1.0]}, "schema:wrong_items"),
        ({"tags": [1, True]}, None),
        ({"code": "abcd"}, "schema:wrong_pattern"),
        ({"code": "A-1"}, "schema:wrong_length"),
        ({"days": 0}, "schema:out_of_range"),
        ({"days": 2.0}, None),
    ],
)
def test_json_schema_codes(changes: dict[str, Json], code: str | None) -> None:
    """Each way of breaking a schema has its code; formats are asserted."""
    text = json.dumps({"category": "late", "urgent": True, **changes})
    assert outcome("json_schema", TICKET, text, "form") == code


@pytest.mark.parametrize(
    ("schema", "text", "code"),
    [
        (TICKET, '{"urgent": true}', "schema:missing_required"),
        (TICKET, "[]", "schema:wrong_type"),
        (TICKET, "", "json:empty"),
        (TICKET, "no", "json:invalid"),
        (TICKET, '```\n{"category": "late", "urgent": true}\n```', "json:fenced"),
        ({"anyOf": [{"type": "null"}, {"type": "array"}]}, "1", "schema:no_match"),
        ({"oneOf": [{"type": "integer"}, {"minimum": 1}]}, "2", "schema:no_match"),
        ({"not": {}}, "1", "schema:no_match"),
        ({"properties": {"a": False}}, '{"a": 1}', "schema:no_match"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"const": 1}}}, "1.0", None),
        ({"$ref": "#"}, "1", "schema:endless"),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#", "type": "array"},
            "[]",
            None,
        ),
        ({"pattern": "^(a|a)*$"}, json.dumps("a" * 60 + "b"), "schema:timeout"),
        (
            {"patternProperties": {"^(a|a)*$": {}}},
            json.dumps({"a" * 60 + "b": 1}),
            "schema:timeout",
        ),
        (
            {
                "patternProperties": {"^x": {"type": "integer"}},
                "additionalProperties": {"type": "string"},
            },
            '{"x1": 1, "y": "z"}',
            None,
        ),
        ({"patternProperties": {"^x": False}}, '{"x1": 1}', "schema:no_match"),
        (
            {"additionalProperties": {"type": "string"}},
            '{"y": 1}',
            "schema:wrong_type",
        ),
        ({"type": "array"}, json.dumps([1] * 60_000), "schema:too_large"),
        ({"uniqueItems": True}, json.dumps([{}, [], 1, "1", None, False, 0]), None),
        (
            {"uniqueItems": True},
            '[{"a": 1, "b": 2}, {"b": 2.0, "a": 1}]',
            "schema:wrong_items",
        ),
    ],
)
def test_json_schema_as_form(schema: Json, text: str, code: str | None) -> None:
    """JSON that does not parse, references, alternatives and bounds."""
    assert outcome("json_schema", schema, text, "form") == code


def test_json_schema_as_a_fact_forgives_the_wrapping() -> None:
    """Any JSON in the answer may fit, also the arguments of a call."""
    good: dict[str, Json] = {"category": "late", "urgent": True}
    assert outcome("json_schema", TICKET, f"{{}} or {json.dumps(good)}") is None
    called = Answer(tool_calls=(call("log", good),))
    assert outcome("json_schema", TICKET, called) is None
    assert outcome("json_schema", TICKET, called, "form") == "json:empty"


def test_a_schema_reason_names_the_place() -> None:
    """The path, the rule and what was found are in the reason."""
    text = '{"category": "late", "urgent": "yes", "x": 1}'
    verdict = graded("json_schema", TICKET, text, "form")
    assert verdict.reason.endswith("(and 1 more)")
    text = '{"category": "late", "urgent": "yes"}'
    assert graded("json_schema", TICKET, text, "form").reason == (
        'at $.urgent: expected type "boolean", found "yes"'
    )


def write(folder: Path, name: str, text: str | bytes) -> None:
    """Write a file below a folder."""
    data = text if isinstance(text, bytes) else text.encode()
    (folder / name).write_bytes(data)


@pytest.mark.parametrize(
    ("name", "text", "finding"),
    [
        ("a.json", "{\n  'a': 1}", "a.json:2: not JSON"),
        ("a.json", "", "a.json:1: not JSON"),
        ("a.json", b"\xff\xfe", "'a.json' cannot be read"),
        ("a.json", "3", "a.json: broken JSON Schema: a schema is an object"),
        ("a.json", '{"type": "strin"}', "did you mean 'string'?"),
        ("a.json", '{"required": "x"}', "at $.required: expected type"),
        ("a.json", '{"pattern": "("}', "broken regular expression '('"),
        ("a.json", '{"patternProperties": {"(": {}}}', "broken regular expression"),
        ("a.json", '{"$schema": "http://x.example"}', "unknown dialect"),
        ("a.json", '{"$ref": "#/$defs/x"}', "leads nowhere within the schema"),
        ("a.json", '{"items": {"$ref": "b.json"}}', "nothing is fetched"),
        ("a.json", '{"$ref": "https://x.example/s"}', "nothing is fetched"),
        ("a.json", "[" * 300 + "]" * 300, "nested deeper"),
        ("missing.json", "{}", "no such file a.json"),
    ],
)
def test_a_file_in_fault_is_named(
    tmp_path: Path, name: str, text: str | bytes, finding: str
) -> None:
    """The problem stands at the check and names the file with its line."""
    write(tmp_path, name, text)
    problem = refusal("json_schema", "a.json", folder=tmp_path)
    assert finding in problem.finding


def test_a_missing_file_hints_at_its_neighbours(tmp_path: Path) -> None:
    """The hint lists the JSON files there, the nearest first."""
    write(tmp_path, "ticket.json", "{}")
    problem = refusal("json_schema", "tickt.json", folder=tmp_path)
    assert problem.hint.startswith("did you mean 'ticket.json'?")


@pytest.mark.parametrize("path", ["../x.json", "/etc/hosts", "link.json", "a\0b"])
def test_a_file_outside_the_root_is_refused(tmp_path: Path, path: str) -> None:
    """Neither dots, absolute paths nor links lead out of the root."""
    suite = tmp_path / "suite"
    suite.mkdir()
    write(tmp_path, "x.json", "{}")
    (suite / "link.json").symlink_to(tmp_path / "x.json")
    finding = refusal("json_schema", path, folder=suite).finding
    assert "outside" in finding or "cannot be read" in finding


def test_a_file_is_read_once_per_registry(tmp_path: Path) -> None:
    """Binding again neither reads nor compiles; a fresh registry does."""
    write(tmp_path, "a.json", '\ufeff{"type": "array"}')
    registry = default_registry()
    spec = spec_of("json_schema", "a.json", "form", tmp_path)
    first = registry.bind(spec)
    write(tmp_path, "a.json", '{"type": "strin"}')
    assert registry.bind(spec).grade(Answer(text="[]")).passed
    assert first.grade(Answer(text="{}")).code == "schema:wrong_type"
    with pytest.raises(InputError, match="broken JSON Schema"):
        default_registry().bind(spec)


def test_schema_parameters_of_a_wrong_kind() -> None:
    """Neither null nor a number is a schema here."""
    assert "needs a file or a schema" in refusal("json_schema", None).finding
    assert "needs a file or a schema" in refusal("json_schema", 3).finding


def test_json_descriptions() -> None:
    """The form is described; a facts schema could tell its values."""
    assert "one JSON value and nothing else" in bound("json").describe()
    schema: Json = {"const": "GOLD"}
    assert "GOLD" in bound("json_schema", schema, "form").describe()
    assert bound("json_schema", schema).describe() == ""


@pytest.mark.parametrize(
    ("rest", "text", "code"),
    [
        ({"equals": True}, '{"urgent": true}', None),
        ({"equals": True}, '```json\n{"urgent": true}\n```', None),
        ({"equals": True}, 'So: {"urgent": true}.', None),
        ({"equals": True}, '{"urgent": "Yes"}', None),
        ({"equals": True}, '{"ticket": {"urgent": true}}', None),
        ({"equals": True}, "{'urgent': True}", None),
        ({"equals": True}, "**Urgent:** yes", None),
        ({"equals": True}, '{"urgent": true, "items": [1, 2], "note": "cut o', None),
        ({"equals": True}, '{"urgent": false, "items": [1], "n', "json_value:missing"),
        ({"equals": True}, "{'urgent': False}", "json_value:missing"),
        ({"equals": True}, '{"urgent": false}', "json_value:other"),
        ({"equals": True}, '{"urgent": 1}', "json_value:other"),
        ({"equals": True}, '{"other": true}', "json_value:missing"),
        ({"equals": True}, "It is true.", "json_value:missing"),
        ({"equals": True}, "", "json_value:missing"),
        ({"equals": None}, '{"urgent": null}', None),
        ({"equals": None}, '{"urgent": "none"}', None),
        ({"equals": 45}, '{"urgent": "45 days"}', None),
        ({"equals": 45}, '{"urgent": 45.0}', None),
        ({"equals": 45}, "urgent = 45,", None),
        ({"equals": 45}, '{"urgent": 46}', "json_value:other"),
        ({"equals": "45"}, '{"urgent": 45}', None),
        ({"equals": "Caf\u00e9"}, r'{"urgent": "caf\u00e9"}', None),
        ({"equals": "damaged"}, "{urgent: damaged", None),
        ({"equals": "damaged"}, "{urgent: undamaged", "json_value:missing"),
        ({"equals": {"a": [1]}}, '{"urgent": {"a": ["1"]}}', None),
        ({"equals": {"a": [1]}}, '{"urgent": {"a": [1, 2]}}', "json_value:other"),
        ({"equals": {"a": 1}}, '{"urgent": {"a": 1, "b": 2}}', "json_value:other"),
        ({"one_of": ["x", "y"]}, '{"urgent": "Y"}', None),
        ({"one_of": ["x", "y"]}, '{"urgent": "z"}', "json_value:other"),
        ({"contains": "boot"}, '{"urgent": "torn Boots"}', None),
        ({"contains": "boot"}, "urgent - boots", None),
        ({"contains": "boot"}, '{"urgent": "tents"}', "json_value:other"),
        ({"matches": r"^A-\d+$"}, '{"urgent": "A-17"}', None),
        ({"matches": r"^A-\d+$"}, '{"urgent": "B"}', "json_value:other"),
        ({}, '{"urgent": 0}', None),
        ({}, "{}", "json_value:missing"),
        ({}, "urgent", "json_value:missing"),
    ],
)
def test_json_value_as_a_fact(
    rest: dict[str, Json], text: str, code: str | None
) -> None:
    """A fact counts in fences, prose, other types and unparsable JSON."""
    assert outcome("json_value", {"path": "$.urgent", **rest}, text) == code


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        ({"path": "$.urgent", "equals": True}, '{"urgent": true}', None),
        (
            {"path": "$.urgent", "equals": True},
            '{"urgent": "true"}',
            "json_value:other",
        ),
        ({"path": "$.urgent", "equals": 1}, '{"urgent": true}', "json_value:other"),
        ({"path": "$.urgent", "equals": 1}, '{"urgent": 1.0}', None),
        ({"path": "$.a", "equals": "x"}, '{"a": "X"}', "json_value:other"),
        ({"path": "$.a", "equals": 1}, '{"b": {"a": 1}}', "json_value:missing"),
        ({"path": "$.a", "equals": 1}, '```\n{"a": 1}\n```', "json:fenced"),
        ({"path": "$.a", "equals": 1}, 'so {"a": 1}', "json:prose_around"),
        ({"path": "$.a", "equals": 1}, "a: 1", "json:invalid"),
        ({"path": "$.a", "equals": 1}, "", "json:empty"),
        ({"path": "$", "equals": [1]}, "[1]", None),
        ({"path": "$.a", "contains": "x"}, '{"a": "X"}', "json_value:other"),
    ],
)
def test_json_value_as_form(params: Json, text: str, code: str | None) -> None:
    """As form the whole answer is JSON with the value in place and type."""
    assert outcome("json_value", params, text, "form") == code


def test_json_value_in_a_tool_call() -> None:
    """The arguments of a call are JSON too, as facts."""
    answer = Answer(tool_calls=(call("log", {"urgent": True}),))
    params: Json = {"path": "$.urgent", "equals": True}
    assert outcome("json_value", params, answer) is None
    assert outcome("json_value", params, answer, "form") == "json:empty"


def test_json_value_with_a_catastrophic_pattern_is_undecided() -> None:
    """A pattern out of time is ungraded."""
    params: Json = {"path": "$.a", "matches": "^(a|a)*$"}
    verdict = graded("json_value", params, json.dumps({"a": "a" * 60 + "b"}))
    assert (verdict.passed, verdict.code) == (None, "json_value:timeout")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", [{"a": {"b c": [1, 2, 3]}, "l": [{"x": 4}, {"x": 5}, 6]}]),
        ("$.a['b c'][0]", [1]),
        ('$["a"]["b c"][-1]', [3]),
        ("$.a['b c'][7]", []),
        ("$.a['b c'][-7]", []),
        ("$.l[*].x", [4, 5]),
        ("$.a.*", [[1, 2, 3]]),
        ("$.l.x", []),
        ("$.a[0]", []),
    ],
)
def test_paths(path: str, expected: list[Json]) -> None:
    """Keys, indices and wildcards lead where RFC 9535 says."""
    value: Json = {"a": {"b c": [1, 2, 3]}, "l": [{"x": 4}, {"x": 5}, 6]}
    assert at_path(value, parse_path(path)) == expected


@pytest.mark.parametrize(
    ("params", "finding"),
    [
        (None, "needs a value"),
        ({"equals": 1}, "path must be text"),
        ({"path": "a"}, "must begin with $"),
        ({"path": "$.a..b"}, "cannot be read from '..b'"),
        ({"path": "$.a", "equals": 1, "one_of": [1]}, "equals or one_of"),
        ({"path": "$.a", "one_of": []}, "one_of must be a list"),
        ({"path": "$.a", "one_of": "ab"}, "one_of must be a list"),
        ({"path": "$.a", "contains": 3}, "contains must be text"),
        ({"path": "$.a", "matches": "("}, "broken regular expression"),
    ],
)
def test_json_value_parameters_that_cannot_work(params: Json, finding: str) -> None:
    """Each is an input error where the check stands."""
    assert finding in refusal("json_value", params).finding


def test_json_value_gold_and_description() -> None:
    """Texts and numbers give the answer away, true and false do not."""
    params: Json = {"path": "$.a", "equals": {"x": "GOLD", "y": 45, "z": True}}
    assert bound("json_value", params).gold() == ("GOLD", "45")
    assert bound("json_value", params).describe() == ""
    assert "$.a" in bound("json_value", params, "form").describe()
    assert bound("json_value", params, "form").gold() == ()


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date-time", "2024-02-29T10:00:00Z", "2024-02-30T10:00:00Z"),
        ("date", "2024-02-29", "2023-02-29"),
        ("time", "10:00:00Z", "25:00:00Z"),
        ("duration", "P3DT4H", "3 days"),
        ("email", "a@b.example", "a.b.example"),
        ("idn-email", "\u00e9@b.example", "e"),
        ("hostname", "shop.example", "-shop-"),
        ("idn-hostname", "b\u00fccher.example", "\u3164"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "::g"),
        ("uri", "https://a.example/b", "a b"),
        ("uri-reference", "/b?c", "a b"),
        ("iri", "https://b\u00fccher.example/\u00e9", "no iri"),
        ("iri-reference", "/\u00e9", "a b"),
        ("uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2eb8aa08"),
        ("uri-template", "https://a.example/{b}", "{b"),
        ("json-pointer", "/a/0", "a/0"),
        ("relative-json-pointer", "1/a", "/a"),
        ("regex", "a+", "(a"),
    ],
)
def test_every_format_is_asserted(name: str, good: str, bad: str) -> None:
    """Each format of draft 2020-12 accepts its own and refuses what is none."""
    schema: Json = {"format": name}
    assert outcome("json_schema", schema, json.dumps(good), "form") is None
    refused = outcome("json_schema", schema, json.dumps(bad), "form")
    assert refused == "schema:wrong_format"


def test_a_format_of_too_long_a_text_is_undecided() -> None:
    """A URI template takes quadratic time: 12 s for 200,000 braces."""
    schema: Json = {"items": {"format": "uri-template"}}
    verdict = graded("json_schema", schema, json.dumps(["{" * 200_000]), "form")
    assert (verdict.passed, verdict.code) == (None, "schema:too_large")


def test_an_empty_answer_is_told_once() -> None:
    """The reason does not say twice what was found."""
    verdict = graded("json", None, " ", "form")
    assert verdict.reason == "expected JSON, found none: an empty answer"
