"""The checks by name: what may be written, and how a spec becomes a check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_llm_diagnosis.errors import DiagnosisError, InputError, valid_choices
from pytest_llm_diagnosis.records import CheckSpec, Dimension, Json, JsonObject

from . import (
    abstention,
    choice,
    citing,
    dating,
    fuzzy,
    grounding,
    house_words,
    items,
    json_checks,
    json_value,
    judge,
    language,
    length,
    letters,
    limits,
    markdown,
    markup,
    naming,
    numbers,
    parses_as,
    patterns,
    python_code,
    readability,
    refusal,
    similar,
    style,
    tool_calls,
    tools,
    whole_text,
    wording,
)
from .loose import Loose
from .protocol import Check, CheckType

_FAMILIES = (
    wording,
    whole_text,
    fuzzy,
    numbers,
    naming,
    dating,
    items,
    choice,
    patterns,
    json_checks,
    json_value,
    tools,
    tool_calls,
    style,
    citing,
    grounding,
    length,
    letters,
    markup,
    markdown,
    parses_as,
    language,
    readability,
    house_words,
    abstention,
    python_code,
    judge,
    similar,
    refusal,
    limits,
)

# The keywords that every consumer of parameter schemas understands: the loader,
# the composed schema of eval files, and editors.
_KEYWORD_NAMES = (
    "additionalProperties anyOf const default description enum examples "
    "exclusiveMaximum exclusiveMinimum items maxItems maxLength maximum minItems "
    "minLength minProperties minimum oneOf properties required title type "
    "uniqueItems"
)
_KEYWORDS = frozenset(_KEYWORD_NAMES.split())
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


class RegistrationError(DiagnosisError):
    """A check cannot be registered: its name is taken or its schema is wrong."""


class Registry:
    """Checks by name."""

    def __init__(self, types: Iterable[CheckType] = ()) -> None:
        self._types: dict[str, CheckType] = {}
        for check_type in types:
            self.register(check_type)

    def register(self, check_type: CheckType) -> None:
        """Add a check.  Raises `RegistrationError` and then changes nothing."""
        name = check_type.name
        if name in self._types:
            taken = self._types[name].summary
            raise RegistrationError(f"check {name!r} is registered already: {taken}")
        if not name.isidentifier():
            raise RegistrationError(f"check name {name!r} is not an identifier")
        if not check_type.dimensions:
            raise RegistrationError(f"check {name!r} names no dimension")
        for finding in _flaws(check_type.parameters, "parameters"):
            raise RegistrationError(f"check {name!r}: {finding}")
        self._types[name] = check_type

    def names(self, dimension: Dimension | None = None) -> tuple[str, ...]:
        """Return the names of the checks of a dimension, or of all, sorted."""
        return tuple(
            name
            for name, check_type in sorted(self._types.items())
            if dimension is None or dimension in check_type.dimensions
        )

    def types(self) -> tuple[CheckType, ...]:
        """Return every check, sorted by name."""
        return tuple(self._types[name] for name in self.names())

    def parameter_schemas(self, dimension: Dimension) -> Mapping[str, JsonObject]:
        """Return the JSON Schema of each check's parameters, by name."""
        return {name: self._types[name].parameters for name in self.names(dimension)}

    def bind(self, spec: CheckSpec) -> Check:
        """Return the check a spec describes.

        Raises `InputError` at the spec's location for an unknown name and for
        parameters that cannot work.
        """
        check_type = self._types.get(spec.name)
        if check_type is None or spec.dimension not in check_type.dimensions:
            raise self._misplaced(spec, check_type)
        check = check_type.bind(spec)
        return Loose(check=check) if spec.loose else check

    def _misplaced(self, spec: CheckSpec, found: CheckType | None) -> InputError:
        hint = valid_choices(spec.name, self.names(spec.dimension))
        if found is None:
            finding = f"unknown check {spec.name!r} under {spec.dimension}"
        else:
            places = " or ".join(found.dimensions)
            finding = f"{spec.name!r} belongs under {places}, not {spec.dimension}"
        return InputError.at(spec.location, finding, hint)


def default_registry() -> Registry:
    """Return a fresh registry with the built-in checks and memories of its own."""
    return Registry(each for family in _FAMILIES for each in family.types())


def _flaws(schema: Json, path: str) -> Iterable[str]:
    """Yield what is wrong with a parameter schema, without loading jsonschema."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping):
        yield f"{path} is not a JSON Schema"
        return
    for keyword in schema.keys() - _KEYWORDS:
        yield f"{path} uses {keyword!r}; {valid_choices(keyword, sorted(_KEYWORDS))}"
    yield from _wrong_types(schema.get("type", []), path)
    for place, inner in _inner(schema):
        yield from _flaws(inner, f"{path}.{place}")


def _wrong_types(named: Json, path: str) -> Iterable[str]:
    listed = named if isinstance(named, list | tuple) else [named]
    for name in listed:
        if name not in _TYPES:
            choices = valid_choices(str(name), _TYPES)
            yield f"{path}.type {name!r} is no type; {choices}"


def _inner(schema: JsonObject) -> Iterable[tuple[str, Json]]:
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            yield keyword, schema[keyword]
    for keyword in ("anyOf", "oneOf"):
        branches = schema.get(keyword, [])
        if isinstance(branches, list | tuple):
            yield from ((f"{keyword}[{i}]", each) for i, each in enumerate(branches))
    properties = schema.get("properties", {})
    if isinstance(properties, Mapping):
        yield from ((f"properties.{name}", each) for name, each in properties.items())
