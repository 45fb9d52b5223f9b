"""What jsonschema found, in words a newcomer understands.

A union's error is explained by the one alternative that the author meant: the
one whose type fits.  Subschemas with the title `check` hold checks by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, cast

from pytest_llm_diagnosis.errors import did_you_mean, valid_choices
from pytest_llm_diagnosis.records import Json, JsonObject

from .misplacing import homes, strays

Trail: TypeAlias = tuple[str | int, ...]

_TYPES = {
    "string": ("text",),
    "integer": ("a whole number",),
    "number": ("a number",),
    "boolean": ("true", "false"),
    "array": ("a list",),
    "object": ("a mapping",),
    "null": ("nothing",),
}
_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
}
_SIZES = {
    "minLength": "at least {} characters long",
    "maxLength": "at most {} characters long",
    "minItems": "a list of at least {} items",
    "maxItems": "a list of at most {} items",
    "minProperties": "a mapping of at least {} keys",
    "maxProperties": "a mapping of at most {} keys",
}
_SHOWN = 60
_LISTED = 6


class SchemaError(Protocol):
    """What is used of jsonschema's `ValidationError`, whose types are too wide."""

    validator: str
    validator_value: Any
    instance: Any
    schema: Any
    message: str
    context: Sequence[SchemaError]
    absolute_path: Sequence[str | int]
    relative_path: Sequence[str | int]
    relative_schema_path: Sequence[str | int]


class Fault(NamedTuple):
    """What is wrong where: `trail` leads to a value, or with `key` to its key.

    `check` is the name of an unknown check.
    """

    trail: Trail
    text: str
    hint: str = ""
    key: bool = False
    check: str = ""


def faults(error: SchemaError, what: str) -> Iterator[Fault]:
    """Yield what one error means; `what` names the value the schema is of."""
    trail = tuple(error.absolute_path)
    if error.context:
        yield from _of_union(error, trail, what)
    else:
        explain = _EXPLAIN.get(error.validator, _other)
        yield from explain(error, trail, _name(trail, what))


def placed(fault: Fault, schema: JsonObject) -> Fault:
    """Return what is wrong with a check that stands elsewhere in an eval schema."""
    places = homes(fault.check, schema)
    if not places:
        return fault
    here = next(step for step in fault.trail if isinstance(step, str))
    text = f"{fault.check!r} stands under {' or '.join(places)}, not under {here}"
    return Fault(fault.trail, text, key=True)


def meant(faulty: Iterable[str], known: Collection[str]) -> set[str]:
    """Return the known keys that faulty keys are, or were probably meant to be."""
    return {
        choice
        for key in faulty
        for choice in known
        if key == choice or (key not in known and did_you_mean(key, [choice]))
    }


def _of_union(error: SchemaError, trail: Trail, what: str) -> Iterator[Fault]:
    if _is_check(error) and isinstance(error.instance, str):
        yield _bare_check(error, trail)
        return
    if found := list(_strays(error, trail)):
        yield from found
        return
    alternatives: dict[object, list[SchemaError]] = {}
    for part in error.context:
        # An alternative that is just `false` has no path.
        index = next(iter(part.relative_schema_path), None)
        alternatives.setdefault(index, []).append(part)
    meant = [
        parts
        for parts in alternatives.values()
        if not any(_is_of_other_type(part) for part in parts)
    ]
    if not meant:
        explain = _type if _expected(error.schema) else _other
        yield from explain(error, trail, _name(trail, what))
        return
    for part in min(meant, key=len):
        yield from faults(part, what)


def _is_of_other_type(part: SchemaError) -> bool:
    if part.relative_path:
        return False
    if part.validator == "enum":
        return not any(type(part.instance) is type(one) for one in part.validator_value)
    return bool(part.validator == "type")


def _strays(error: SchemaError, trail: Trail) -> Iterator[Fault]:
    # The union of `loose` lies within that of the checks, and names no check.
    if not _is_check(error) or "properties" in error.schema:
        return
    known = _known_checks(error)
    item = error.instance if isinstance(error.instance, dict) else {}
    for stray in strays(item, known):
        place = (*trail, stray.key)
        if stray.finding:
            yield Fault(place, stray.finding, stray.hint, key=True)
        else:
            yield _unknown(stray.key, list(known), place, "check", "")


def _known_checks(error: SchemaError) -> JsonObject:
    """Return the schemas of the checks that a union offers."""
    alternatives = cast("Sequence[JsonObject]", error.validator_value)
    offered = (each.get("properties", {}) for each in alternatives)
    return {
        name: schema
        for each in offered
        for name, schema in cast("JsonObject", each).items()
    }


def _bare_check(error: SchemaError, trail: Trail) -> Fault:
    name = str(error.instance)
    names = list(_known_checks(error))
    if name in names:
        return Fault(trail, f"check {name!r} needs a value", f"write {name}: ...")
    return _unknown(name, names, trail, "check", "")


def _unknown(
    name: str, names: Sequence[str], trail: Trail, kind: str, where: str
) -> Fault:
    is_check = kind == "check"
    hint = valid_choices(name, names, "checks" if is_check else "valid")
    text = f"unknown {kind} {name!r}{where}"
    return Fault(trail, text, hint, key=True, check=name if is_check else "")


def _unknown_keys(error: SchemaError, trail: Trail, _name: str) -> Iterator[Fault]:
    known = list(error.schema.get("properties", {}))
    parents = [step for step in trail if isinstance(step, str)]
    kind = "check" if _is_check(error) else "key"
    where = f" in {parents[-1]!r}" if parents and kind == "key" else ""
    for key in error.instance:
        if key not in known:
            yield _unknown(key, known, (*trail, key), kind, where)


def _missing_keys(error: SchemaError, trail: Trail, name: str) -> Iterator[Fault]:
    known = error.schema.get("properties", {})
    unknown = [key for key in error.instance if key not in known]
    for key in error.validator_value:
        misspelt = any(did_you_mean(other, [key]) for other in unknown)
        if key not in error.instance and not misspelt:
            yield Fault(trail, f"{name} has no {key!r}")


def _type(error: SchemaError, trail: Trail, name: str) -> Iterator[Fault]:
    expected = _expected(error.schema)
    words = [word for kind in expected for word in _TYPES.get(kind, (kind,))]
    text = f"{name} must be {_or(words)}, got {_shown(error.instance)}"
    yield Fault(trail, text, _type_hint(expected, error.instance))


def _expected(schema: Mapping[str, Json]) -> list[str]:
    if "type" in schema:
        kinds = schema["type"]
        return [kinds] if isinstance(kinds, str) else list(cast("list[str]", kinds))
    choices = cast("Sequence[Json]", schema.get("enum", ()))
    alternatives = [
        *cast("Sequence[Json]", schema.get("anyOf", ())),
        *cast("Sequence[Json]", schema.get("oneOf", ())),
    ]
    return [_shown(choice) for choice in choices] + [
        kind
        for alternative in alternatives
        if isinstance(alternative, Mapping)
        for kind in _expected(alternative)
    ]


def _type_hint(expected: Sequence[str], value: object) -> str:
    if "string" in expected and isinstance(value, bool | int | float):
        return "put it in quotes"
    if "array" in expected:
        if isinstance(value, dict):
            return "begin each item with '- '"
        if value is not None:
            return "write it as a list: [...]"
    if isinstance(value, str):
        if {"integer", "number"} & set(expected) and value.strip("+-.").isdigit():
            return "leave the quotes out"
        if "boolean" in expected:
            return "write true or false"
    return ""


def _choice(error: SchemaError, trail: Trail, name: str) -> Iterator[Fault]:
    choices = error.validator_value
    shown = [_shown(choice) for choice in choices]
    texts = [choice for choice in choices if isinstance(choice, str)]
    got = _shown(error.instance)
    if len(shown) <= _LISTED:
        text = f"{name} must be {_or(shown)}, got {got}"
        yield Fault(trail, text, did_you_mean(str(error.instance), texts))
    else:
        hint = valid_choices(str(error.instance), texts)
        yield Fault(trail, f"{name} cannot be {got}", hint)


def _constant(error: SchemaError, trail: Trail, name: str) -> Iterator[Fault]:
    wanted, got = _shown(error.validator_value), _shown(error.instance)
    yield Fault(trail, f"{name} must be {wanted}, got {got}")


def _bound(error: SchemaError, trail: Trail, name: str) -> Iterator[Fault]:
    words = _BOUNDS[error.validator]
    got = _shown(error.instance)
    yield Fault(trail, f"{name} must be {words} {error.validator_value}, got {got}")


def _size(error: SchemaError, trail: Trail, name: str) -> Iterator[Fault]:
    keyword, bound = error.validator, error.validator_value
    if _is_check(error) and keyword == "maxProperties":
        names = ", ".join(map(str, error.instance))
        hint = "begin each check with its own '- '"
        yield Fault(trail, f"one item holds several checks: {names}", hint)
    elif bound == 1 and keyword.startswith("min"):
        yield Fault(trail, f"{name} must not be empty")
    else:
        words = _SIZES[keyword].format(bound)
        yield Fault(trail, f"{name} must be {words}, got {len(error.instance)}")


def _other(error: SchemaError, trail: Trail, name: str) -> Iterator[Fault]:
    message = error.message
    short = message if len(message) <= 2 * _SHOWN else f"{message[: 2 * _SHOWN]}..."
    yield Fault(trail, f"{name}: {short}")


def _lonely(_error: SchemaError, trail: Trail, _name: str) -> Iterator[Fault]:
    """Word the one `false` that the schemas hold: `loose` in place of a check."""
    hint = "write it beside one: {max_words: 40, loose: true}"
    yield Fault(trail, "'loose' needs a check beside it", hint)


def _is_check(error: SchemaError) -> bool:
    schema = error.schema
    return isinstance(schema, Mapping) and schema.get("title") == "check"


def _name(trail: Trail, what: str) -> str:
    if not trail:
        return what
    last = trail[-1]
    parents = [step for step in trail[:-1] if isinstance(step, str)]
    if isinstance(last, int):
        return f"item {last + 1} of {parents[-1]!r}" if parents else f"item {last + 1}"
    return f"{last!r} in {parents[-1]!r}" if parents else repr(last)


def _or(words: Sequence[str]) -> str:
    *others, last = dict.fromkeys(words)
    return f"{', '.join(others)} or {last}" if others else last


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."


_EXPLAIN: dict[str | None, Callable[[SchemaError, Trail, str], Iterator[Fault]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "type": _type,
    "enum": _choice,
    "const": _constant,
    None: _lonely,
    **dict.fromkeys(_BOUNDS, _bound),
    **dict.fromkeys(_SIZES, _size),
}
