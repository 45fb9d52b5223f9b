"""A quick yes for values that plainly meet a schema.

jsonschema takes 0.3 ms a case and up to a second to import, and nearly all of
what is written is right.  An acceptor says True only when a value surely meets
its schema; on False, or on a keyword it does not know, jsonschema decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import ge, gt, le, lt
from typing import TypeAlias, cast

from pytest_llm_diagnosis.records import Json, JsonObject

Accept: TypeAlias = Callable[[object], bool]

_ANNOTATIONS = frozenset(
    {"$schema", "$id", "$defs", "$comment", "title", "description", "default"}
    | {"examples", "deprecated"}
)
# Read by their neighbours: `properties` looks at `additionalProperties`.
_COMPANIONS = frozenset({"properties"})


def acceptor(schema: Json, root: JsonObject | None = None) -> Accept:
    """Return a test that is True only of values that surely meet the schema.

    References are looked up in `root`, and compiled when first needed.
    """
    return _Compiler(root if root is not None else {}).compile(schema)


class _Compiler:
    """Turns the keywords of one document's schemas into tests."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._references: dict[str, Accept] = {}
        self._keywords: dict[str, Callable[[JsonObject], Accept]] = {
            "type": lambda schema: _of_type(schema["type"]),
            "enum": lambda schema: _one_of(cast("Sequence[Json]", schema["enum"])),
            "const": lambda schema: _one_of([schema["const"]]),
            "anyOf": self._any_of,
            "$ref": self._reference,
            "required": _requires,
            "properties": self._properties,
            "additionalProperties": self._properties,
            "items": self._items,
            "minLength": lambda schema: _sized(str, ge, schema["minLength"]),
            "maxLength": lambda schema: _sized(str, le, schema["maxLength"]),
            "minItems": lambda schema: _sized(list, ge, schema["minItems"]),
            "maxItems": lambda schema: _sized(list, le, schema["maxItems"]),
            "minProperties": lambda schema: _sized(dict, ge, schema["minProperties"]),
            "maxProperties": lambda schema: _sized(dict, le, schema["maxProperties"]),
            "minimum": lambda schema: _bounded(ge, schema["minimum"]),
            "maximum": lambda schema: _bounded(le, schema["maximum"]),
            "exclusiveMinimum": lambda schema: _bounded(gt, schema["exclusiveMinimum"]),
            "exclusiveMaximum": lambda schema: _bounded(lt, schema["exclusiveMaximum"]),
            "pattern": lambda schema: _matching(str(schema["pattern"])),
        }

    def compile(self, schema: Json) -> Accept:
        """Return the test of one schema."""
        if schema is True:
            return _always
        if not isinstance(schema, Mapping):
            return _never
        names = schema.keys() - _ANNOTATIONS
        if not names <= self._keywords.keys():
            return _never
        if "additionalProperties" in names:
            names -= _COMPANIONS
        # The type is told first, the cheapest way to say no.
        ordered = sorted(names, key=lambda name: (name != "type", name))
        tests = [self._keywords[name](schema) for name in ordered]
        return reduce(_and, tests) if tests else _always

    def _any_of(self, schema: JsonObject) -> Accept:
        tests = map(self.compile, cast("Sequence[Json]", schema["anyOf"]))
        return reduce(_or, tests)

    def _reference(self, schema: JsonObject) -> Accept:
        pointer = str(schema["$ref"])

        def accept(value: object) -> bool:
            test = self._references.get(pointer)
            if test is None:
                test = self._references[pointer] = self.compile(self._find(pointer))
            return test(value)

        return accept

    def _find(self, pointer: str) -> Json:
        found: Json = self._root
        for step in pointer.removeprefix("#").strip("/").split("/"):
            found = found.get(step) if isinstance(found, Mapping) else None
        return found

    def _properties(self, schema: JsonObject) -> Accept:
        listed = cast("JsonObject", schema.get("properties", {}))
        other = self.compile(schema.get("additionalProperties", True))
        # Compiled when first met: most checks are not used in most files.
        tests: dict[str, Accept] = {}

        def accept(value: object) -> bool:
            if not isinstance(value, dict):
                return True
            for name, part in value.items():
                test = tests.get(name)
                if test is None:
                    known = name in listed
                    test = self.compile(listed[name]) if known else other
                    if known:
                        tests[name] = test
                if not test(part):
                    return False
            return True

        return accept

    def _items(self, schema: JsonObject) -> Accept:
        test = self.compile(schema["items"])

        def accept(value: object) -> bool:
            if not isinstance(value, list):
                return True
            return all(map(test, value))

        return accept


def _always(_value: object) -> bool:
    return True


def _never(_value: object) -> bool:
    return False


# Nested pairs take half the time of `all` and `any` over a generator.
def _and(first: Accept, second: Accept) -> Accept:
    return lambda value: first(value) and second(value)


def _or(first: Accept, second: Accept) -> Accept:
    return lambda value: first(value) or second(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, Accept] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def _of_type(names: Json) -> Accept:
    listed: Iterable[object] = [names] if isinstance(names, str) else names  # type: ignore[assignment]
    tests = [_TYPES.get(str(name), _never) for name in listed]
    return reduce(_or, tests)


def _one_of(choices: Sequence[Json]) -> Accept:
    texts = frozenset(choice for choice in choices if isinstance(choice, str))
    return lambda value: isinstance(value, str) and value in texts


def _requires(schema: JsonObject) -> Accept:
    names = frozenset(cast("Sequence[str]", schema["required"]))
    return lambda value: not isinstance(value, dict) or names <= value.keys()


def _sized(
    kind: type[str | list[object] | dict[str, object]],
    compare: Callable[[float, float], bool],
    bound: Json,
) -> Accept:
    limit = cast("int", bound)
    return lambda value: not isinstance(value, kind) or compare(len(value), limit)


def _bounded(compare: Callable[[float, float], bool], bound: Json) -> Accept:
    limit = cast("float", bound)
    return lambda value: not _is_number(value) or compare(cast("float", value), limit)


def _matching(pattern: str) -> Accept:
    found = re.compile(pattern).search
    return lambda value: not isinstance(value, str) or found(value) is not None
