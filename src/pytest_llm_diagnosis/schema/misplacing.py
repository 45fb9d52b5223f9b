"""Checks and options that stand in the wrong place, told with the right one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from pytest_llm_diagnosis.errors import did_you_mean
from pytest_llm_diagnosis.records import DIMENSIONS, Json, JsonObject

from .composing import LOOSE

_PLAIN = re.compile(r"[A-Za-z_][\w ./-]*")


class Stray(NamedTuple):
    """A key beside a check that is none; without a finding it is merely unknown."""

    key: str
    finding: str = ""
    hint: str = ""


def homes(name: str, schema: JsonObject) -> list[str]:
    """Return the dimensions of an eval schema under which a check stands."""
    inner = schema
    for step in ("$defs", "case", "properties"):
        inner = cast("JsonObject", inner.get(step, {}))
    return [each for each in DIMENSIONS if name in _checks(inner.get(each))]


def strays(item: Mapping[str, Json], known: JsonObject) -> list[Stray]:
    """Return the keys that stand beside the one check of an item and are none.

    None where the item holds no check, or several.
    """
    checks = [key for key in item if key in known and key != LOOSE]
    if len(checks) != 1:
        return []
    return [_stray(key, checks[0], item, known) for key in item if key not in known]


def _stray(key: str, check: str, item: Mapping[str, Json], known: JsonObject) -> Stray:
    longhand = _longhand(known[check])
    if key in cast("JsonObject", longhand.get("properties", {})):
        hint = f"write {check}: {_inside(item, check, key, longhand)}"
        return Stray(key, f"{key!r} is an option of {check!r}: it stands inside", hint)
    meant = did_you_mean(key, [LOOSE]) if LOOSE in known else ""
    return (
        Stray(key, f"unknown key {key!r} beside {check!r}", meant)
        if meant
        else (Stray(key))
    )


def _inside(
    item: Mapping[str, Json], check: str, key: str, longhand: JsonObject
) -> str:
    """Return the longhand of a check with the stray key, as YAML in one line."""
    value = item[check]
    first = next(iter(cast("Sequence[str]", longhand.get("required", ()))), "")
    parts: dict[str, Json] = {first: value} if first else {}
    if isinstance(value, Mapping):
        parts = dict(value)
    options = [f"{name}: {_flow(each)}" for name, each in parts.items()]
    options = options or ["..."]
    return f"{{{', '.join([*options, f'{key}: {_flow(item[key])}'])}}}"


def _flow(value: Json) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    if isinstance(value, str | bool | int | float):
        return json.dumps(value)
    return "..."


def _longhand(schema: Json) -> JsonObject:
    """Return the part of a check's schema that is a mapping of options."""
    if not isinstance(schema, Mapping):
        return {}
    if "properties" in schema:
        return schema
    branches = cast("Sequence[Json]", schema.get("anyOf", ()))
    return next(filter(None, map(_longhand, branches)), {})


def _checks(schema: Json) -> set[str]:
    return set(_named(schema))


def _named(schema: Json) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if schema.get("title") == "check":
            yield from cast("JsonObject", schema.get("properties", {}))
        yield from _named(schema.get("items"))
        for branch in cast("Sequence[Json]", schema.get("anyOf", ())):
            yield from _named(branch)
