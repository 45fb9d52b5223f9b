"""The registry: names, parameter schemas, examples, binding and its errors."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from checking import REGISTRY, graded, refusal, spec_of
from pytest_llm_diagnosis.checks import (
    BoundCheck,
    CheckType,
    RegistrationError,
    Registry,
    default_registry,
)
from pytest_llm_diagnosis.checks.protocol import needs_form
from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import (
    Answer,
    Dimension,
    Json,
    JsonObject,
    Verdict,
)

TYPES = REGISTRY.types()


def option_keys(schema: Json) -> Iterator[str]:
    """Yield the keys of every mapping that a parameter schema describes."""
    if isinstance(schema, Mapping):
        properties = schema.get("properties", {})
        yield from properties if isinstance(properties, Mapping) else ()
        for below in schema.values():
            yield from option_keys(below)
    elif isinstance(schema, Sequence) and not isinstance(schema, str):
        for below in schema:
            yield from option_keys(below)


def by_name(check_type: CheckType) -> str:
    """Name a parametrized case after its check."""
    return check_type.name


def test_the_built_in_checks() -> None:
    """These names are public; facts and form share theirs, limits have their own."""
    content = (
        "abstains choice cites complies contains contains_any date ends_with "
        "equals excludes fuzzy grounded items json json_schema json_value judge "
        "matches max_words min_words name not_matches number one_of parses_as "
        "python refuses similar starts_with tool_call tool_calls"
    )
    form = (
        "bullets capital_words code_blocks headings highlights house_words language "
        "letter_case max_sentence_words no_markdown numbered occurrences paragraphs "
        "placeholders postscript quoted reading_level sections sentences tables title"
    )
    assert " ".join(REGISTRY.names("facts")) == content
    assert set(REGISTRY.names("form")) == {*content.split(), *form.split()}
    assert REGISTRY.names("limits") == ("seconds", "tokens", "usd")
    assert len(REGISTRY.names()) == len((content + " " + form).split()) + 3


@pytest.mark.parametrize("check_type", TYPES, ids=by_name)
def test_every_example_does_what_it_says(check_type: CheckType) -> None:
    """The passing answer passes, the failing one fails with the code it names."""
    example, dimension = check_type.example, check_type.dimensions[0]
    name, params = check_type.name, example.params
    passing = graded(name, params, example.passing, dimension, example.passing_replies)
    failing = graded(name, params, example.failing, dimension, example.failing_replies)
    assert (passing.passed, passing.code) == (True, None)
    assert (failing.passed, failing.code) == (False, example.code)
    assert failing.reason
    assert failing.check == check_type.name
    assert example.code in check_type.codes


@pytest.mark.parametrize("check_type", TYPES, ids=by_name)
def test_every_parameter_schema_is_sound(check_type: CheckType) -> None:
    """It is a JSON Schema, has a description, and accepts the example."""
    schema = dict(check_type.parameters)
    Draft202012Validator.check_schema(schema)
    assert schema["description"]
    Draft202012Validator(schema).validate(check_type.example.params)
    takes_any_mapping = check_type.name == "json_schema"
    accepted = Draft202012Validator(schema).is_valid({"no such key": 1})
    assert accepted == takes_any_mapping


@pytest.mark.parametrize("check_type", TYPES, ids=by_name)
def test_an_empty_answer_passes_only_what_forbids(check_type: CheckType) -> None:
    """Silence never meets a demand; each refusal has a code and a reason."""
    may_pass = {
        "excludes",
        "house_words",
        "max_sentence_words",
        "max_words",
        "no_markdown",
        "not_matches",
        "occurrences",
    }
    for dimension in check_type.dimensions:
        params = check_type.example.params
        verdict = graded(check_type.name, params, Answer(), dimension)
        if check_type.name in may_pass:
            assert verdict.passed
        else:
            assert verdict.passed is not True
            assert verdict.code
            assert verdict.reason


KEYS = tuple(key for check_type in TYPES for key in option_keys(check_type.parameters))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(st.sampled_from(TYPES), JSON_VALUES, st.text())
def test_any_parameters_bind_or_are_refused(
    check_type: CheckType, params: Json, text: str
) -> None:
    """Parameters are an input error or a check that grades any text."""
    spec = spec_of(check_type.name, params, check_type.dimensions[0])
    try:
        check = REGISTRY.bind(spec)
    except InputError:
        return
    verdict = check.grade(Answer(text=text))
    assert verdict.code is None or verdict.code in check_type.codes
    assert isinstance(check.describe(), str)
    assert all(isinstance(gold, str) and gold for gold in check.gold())


@pytest.mark.parametrize(
    ("name", "dimension", "finding", "hint"),
    [
        ("contians", "facts", "unknown check 'contians'", "did you mean 'contains'?"),
        ("usd", "facts", "'usd' belongs under limits", "valid: abstains, choice"),
        ("json", "limits", "'json' belongs under form or facts", "seconds, tokens"),
    ],
)
def test_a_check_that_is_not_there(
    name: str, dimension: Dimension, finding: str, hint: str
) -> None:
    """The error says what is wrong and lists what may stand there."""
    problem = refusal(name, None, dimension)
    assert finding in problem.finding
    assert hint in problem.hint


def own(name: str = "polite", parameters: JsonObject | None = None) -> CheckType:
    """Return a check of one's own that always passes."""

    class Polite(BoundCheck):
        def grade(self, answer: Answer) -> Verdict:
            return self.passed() if answer else self.undecided("never", "")

    return replace(
        TYPES[0],
        name=name,
        summary="It is polite.",
        parameters=parameters or {"type": "null"},
        bind=lambda spec: Polite(spec=spec),
        dimensions=("form",),
    )


def test_a_check_of_ones_own() -> None:
    """A registered check is listed, has its schema, and binds."""
    registry = default_registry()
    registry.register(own())
    assert "polite" in registry.names("form")
    assert "polite" not in registry.names("facts")
    assert registry.parameter_schemas("form")["polite"] == {"type": "null"}
    assert registry.bind(spec_of("polite", None, "form")).grade(Answer()).passed


@pytest.mark.parametrize(
    ("check_type", "finding"),
    [
        (own("contains"), "'contains' is registered already: The answer says"),
        (own("not a name"), "not an identifier"),
        (replace(own(), dimensions=()), "names no dimension"),
        (own(parameters={"typ": "null"}), "uses 'typ'; did you mean 'type'"),
        (own(parameters={"type": "text"}), "'text' is no type"),
        (own(parameters={"anyOf": [{"$ref": "#"}]}), r"anyOf\[0\] uses '\$ref'"),
        (own(parameters={"properties": {"a": 3}}), "properties.a is not a JSON"),
        (own(parameters={"items": {"type": ["null", "x"]}}), "items.type 'x'"),
    ],
)
def test_registration_that_cannot_work(check_type: CheckType, finding: str) -> None:
    """A clash or a wrong schema is refused and changes nothing."""
    registry = default_registry()
    before = registry.types()
    with pytest.raises(RegistrationError, match=finding):
        registry.register(check_type)
    assert registry.types() == before


def test_registries_are_independent() -> None:
    """What one registry learns another does not know."""
    first = default_registry()
    first.register(own())
    assert "polite" not in default_registry().names()
    assert Registry().names() == ()


def test_importing_the_checks_is_light() -> None:
    """No library outside the standard one is loaded until a check needs it."""
    code = (
        "import sys, pytest_llm_diagnosis.checks as checks; checks.default_registry();"
        "print(*{'jsonschema', 'referencing', 'rapidfuzz', 'regex', 'yaml', 'pytest'}"
        " & sys.modules.keys())"
    )
    done = subprocess.run(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("contains", "45 days"),
        ("number", {"value": 45, "unit": "days"}),
        ("matches", r"\d+"),
        ("json_value", {"path": "$.a", "equals": True}),
        ("json_schema", {"type": "object", "required": ["a"]}),
    ],
)
def test_binding_is_cheap(name: str, params: Json) -> None:
    """Ten thousand cases bind in a fraction of a second (0.1 s measured)."""
    spec = spec_of(name, params, "form")
    REGISTRY.bind(spec)
    started = time.process_time()
    for _ in range(10_000):
        REGISTRY.bind(spec)
    assert time.process_time() - started < 1.0


def test_checks_that_prose_can_never_pass_say_so() -> None:
    """A call, JSON, text of a format: read loosely or not, nothing else does."""
    formed = {
        one.name
        for one in TYPES
        if "facts" in one.dimensions
        and needs_form(REGISTRY.bind(spec_of(one.name, one.example.params)))
    }
    json = {"json", "json_schema", "json_value"}
    assert formed == {*json, "parses_as", "tool_call", "tool_calls"}
    loose = replace(spec_of("json", None, "form"), loose=True)
    assert needs_form(REGISTRY.bind(loose))
