"""JSON Schemas as checks use them: loaded once, validated offline and in bounds.

The dialect is draft 2020-12 unless the schema names another in `$schema`;
formats are asserted.  References resolve within the schema alone: nothing is
ever fetched.  Patterns are searched under a time limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import regex
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from jsonschema_specifications import (  # type: ignore[import-untyped]
    REGISTRY as SPECIFICATIONS,
)
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from pytest_llm_diagnosis.errors import valid_choices
from pytest_llm_diagnosis.records import Json

from .json_formats import TooLargeError, format_checker
from .json_text import leaves
from .showing import LISTED, shown, shown_json

SECONDS = 0.5
# Errors are compared to find the telling one; a hostile answer has no end of them.
COMPARED = 30
# Validation takes about 10 microseconds a value, so a megabyte of them is refused.
MAX_VALUES = 50_000

_CODES: Mapping[str, str] = {
    "required": "missing_required",
    "dependentRequired": "missing_required",
    "type": "wrong_type",
    "additionalProperties": "unexpected_property",
    "unevaluatedProperties": "unexpected_property",
    "propertyNames": "unexpected_property",
    "enum": "wrong_value",
    "const": "wrong_value",
    "pattern": "wrong_pattern",
    "format": "wrong_format",
    "minimum": "out_of_range",
    "maximum": "out_of_range",
    "exclusiveMinimum": "out_of_range",
    "exclusiveMaximum": "out_of_range",
    "multipleOf": "out_of_range",
    "minLength": "wrong_length",
    "maxLength": "wrong_length",
    "minItems": "wrong_count",
    "maxItems": "wrong_count",
    "minProperties": "wrong_count",
    "maxProperties": "wrong_count",
    "contains": "wrong_items",
    "uniqueItems": "wrong_items",
    "items": "wrong_items",
    "unevaluatedItems": "wrong_items",
    "anyOf": "no_match",
    "oneOf": "no_match",
    "not": "no_match",
}
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_NO_FORMATS = FormatChecker(formats=())
_DRAFTS = (Draft202012Validator, Draft7Validator)


class Misfit(NamedTuple):
    """How a value breaks a schema: a code without its family, and a reason."""

    code: str
    reason: str


class BrokenSchemaError(ValueError):
    """A schema cannot be used; the message says what is wrong with it."""


class CompiledSchema:
    """A schema that is ready to judge values."""

    def __init__(self, schema: Json) -> None:
        """Raise `BrokenSchemaError` for what is not a usable schema."""
        self.schema = schema
        self._validator = _validator(schema)

    def misfit(self, value: Json) -> Misfit | None:
        """Return the most telling way in which a value breaks the schema, if any.

        Raises TooLargeError, and TimeoutError when a pattern takes too long.
        """
        if sum(1 for _ in islice(leaves(value), MAX_VALUES + 1)) > MAX_VALUES:
            raise TooLargeError(f"over {MAX_VALUES:,} values cannot be validated")
        errors = list(islice(self._validator.iter_errors(value), COMPARED))
        worst = best_match(errors)
        if worst is None:
            return None
        rest = len(errors) - 1
        more = f" (and {rest} more)" if rest else ""
        code = _CODES.get(str(worst.validator), "no_match")
        return Misfit(code, f"at {worst.json_path}: {_told(worst)}{more}")


def _validator(schema: Json) -> Any:
    if not isinstance(schema, Mapping | bool):
        raise BrokenSchemaError("a schema is an object, true or false")
    base = _dialect(schema)
    try:
        # Patterns are compiled below, by the library that will search them.
        base.check_schema(schema, format_checker=_NO_FORMATS)
    except SchemaError as error:
        raise BrokenSchemaError(f"at {error.json_path}: {_flaw(error)}") from None
    _inspect(schema)
    # A registry of one's own never retrieves; the default one would fetch.
    formats = format_checker(base.FORMAT_CHECKER)
    bounded: Any = extend(base, _BOUNDED)  # type: ignore[no-untyped-call]
    return bounded(schema, format_checker=formats, registry=Registry())


def _flaw(error: SchemaError) -> str:
    """Return what is wrong with a schema, by the schema of schemas."""
    if error.path and error.path[-1] == "type" and isinstance(error.instance, str):
        hint = valid_choices(error.instance, _TYPES, "types")
        return f"unknown type {shown(error.instance)}; {hint}"
    return _told(error)


def _dialect(schema: Json) -> Any:
    if not isinstance(schema, Mapping) or "$schema" not in schema:
        return Draft202012Validator
    # Without a default an unknown dialect would count as the newest, with a warning.
    dialects = [validator_for(schema, default=each) for each in _DRAFTS]
    if dialects[0] is not dialects[1]:
        raise BrokenSchemaError(f"unknown dialect {shown_json(schema['$schema'])}")
    return dialects[0]


def _inspect(schema: Any) -> None:
    """Raise for references that lead nowhere and for broken patterns."""
    resource: Resource[Any] = Resource.from_contents(
        schema, default_specification=DRAFT202012
    )
    resolver = SPECIFICATIONS.resolver_with_root(resource)
    waiting = [(resource, resolver)]
    while waiting:
        part, scope = waiting.pop()
        if isinstance(part.contents, Mapping):
            _follow(part.contents, scope)
            _compile(part.contents)
        waiting.extend((sub, scope.in_subresource(sub)) for sub in part.subresources())


def _follow(schema: Mapping[str, Any], scope: Any) -> None:
    for keyword in ("$ref", "$dynamicRef"):
        if keyword not in schema:
            continue
        try:
            scope.lookup(schema[keyword])
        except Unresolvable:
            raise BrokenSchemaError(
                f"{keyword} {shown(schema[keyword])} leads nowhere within the schema; "
                "nothing is fetched, so put the part under $defs"
            ) from None


def _compile(schema: Mapping[str, Any]) -> None:
    patterns = [*schema.get("patternProperties", {})]
    for pattern in [*patterns, *([schema["pattern"]] if "pattern" in schema else [])]:
        try:
            regex.compile(pattern)
        except regex.error as error:
            finding = f"broken regular expression {shown(pattern)}: {error}"
            raise BrokenSchemaError(finding) from None


def _told(error: Any) -> str:
    """Return what was expected and what was found."""
    found, wanted = error.instance, error.validator_value
    if error.validator == "required":
        missing = [name for name in wanted if name not in found]
        return f"required {', '.join(map(shown, missing))} is missing"
    if error.validator in ("additionalProperties", "unevaluatedProperties"):
        allowed = error.schema.get("properties", {})
        names = [shown(name, 40) for name in found if name not in allowed]
        return f"unexpected {', '.join(names[:LISTED])}"
    if error.validator is None:
        return "nothing is allowed here"
    if error.validator in ("anyOf", "oneOf"):
        few = "none" if error.context else "more than one"
        return f"{shown_json(found)} fits {few} of {len(wanted)} alternatives"
    return f"expected {error.validator} {shown_json(wanted)}, found {shown_json(found)}"


# The keywords below replace those of jsonschema, which search with `re` (no
# time limit) and compare items pairwise (quadratic time).

_Errors = Iterator[ValidationError]


def _found(pattern: str, text: str) -> bool:
    return regex.search(pattern, text, timeout=SECONDS) is not None


def _pattern(validator: Validator, pattern: str, value: Any, _: Any) -> _Errors:
    if validator.is_type(value, "string") and not _found(pattern, value):
        yield ValidationError("does not match")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], value: Any, _: Any
) -> _Errors:
    if not validator.is_type(value, "object"):
        return
    for pattern, schema in patterns.items():
        for name, item in value.items():
            if _found(pattern, name):
                yield from validator.descend(
                    item, schema, path=name, schema_path=pattern
                )


def _additional_properties(
    validator: Any, allowed: Any, value: Any, schema: Mapping[str, Any]
) -> _Errors:
    if not validator.is_type(value, "object"):
        return
    patterns, known = schema.get("patternProperties", ()), schema.get("properties", ())
    extras = [
        name
        for name in value
        if name not in known and not any(_found(pattern, name) for pattern in patterns)
    ]
    if validator.is_type(allowed, "object"):
        for name in extras:
            yield from validator.descend(value[name], allowed, path=name)
    elif extras and not allowed:
        yield ValidationError("has additional properties")


def _unique_items(validator: Validator, unique: Any, value: Any, _: Any) -> _Errors:
    if not unique or not validator.is_type(value, "array"):
        return
    if len({_identity(item) for item in value}) < len(value):
        yield ValidationError("has repeated items")


def _identity(value: Json) -> str:
    """Return a text that is equal for JSON values that are equal: 1 and 1.0 are."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, Mapping):
        parts = sorted(f"{json.dumps(key)}:{_identity(value[key])}" for key in value)
        return f"{{{','.join(parts)}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{','.join(map(_identity, value))}]"
    return json.dumps(value)


_BOUNDED: Mapping[str, Any] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}
