"""A small part of JSONPath (RFC 9535): `$.a.b[0]`, `$["a b"]`, `[-1]`, `[*]`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pytest_llm_diagnosis.records import Json

Step: TypeAlias = "str | int | None"
"""A key, an index (negative from the end), or None for every element."""

_STEP = re.compile(
    r"""\.(?P<name>[^\W\d][\w-]*)|\[(?P<index>-?\d{1,9})\]|(?P<every>\.\*|\[\*\])
    |\[(?P<quote>["'])(?P<key>[^"']*)(?P=quote)\]""",
    re.VERBOSE,
)


def parse_path(path: str) -> tuple[Step, ...]:
    """Return the steps of a path.  Raises ValueError that names the place."""
    if not path.startswith("$"):
        raise ValueError(f"path {path!r} must begin with $")
    steps: list[Step] = []
    position = 1
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None:
            raise ValueError(f"path {path!r} cannot be read from {path[position:]!r}")
        steps.append(_step(found))
        position = found.end()
    return tuple(steps)


def at_path(value: Json, steps: Sequence[Step]) -> list[Json]:
    """Return what a path leads to: nothing, one value, or several after `[*]`."""
    reached = [value]
    for step in steps:
        reached = [below for each in reached for below in _below(each, step)]
    return reached


def under_key(value: Json, key: str) -> list[Json]:
    """Return what stands under a key at any depth."""
    found: list[Json] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            found.extend([item[key]] if key in item else [])
            waiting.extend(item.values())
        elif isinstance(item, Sequence) and not isinstance(item, str):
            waiting.extend(item)
    return found


def _step(found: re.Match[str]) -> Step:
    if found["every"]:
        return None
    if found["index"] is not None:
        return int(found["index"])
    return found["name"] if found["name"] is not None else found["key"]


def _below(value: Json, step: Step) -> Sequence[Json]:
    if isinstance(value, Mapping):
        if step is None:
            return list(value.values())
        return [value[step]] if isinstance(step, str) and step in value else []
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    if isinstance(step, int):
        return value[step : step + 1 or None]
    return list(value) if step is None else []
