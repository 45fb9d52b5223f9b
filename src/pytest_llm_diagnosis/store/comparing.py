"""How two requests differ, in words."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping

from pytest_llm_diagnosis.records import Json

_MOST = 3
_BEFORE = 25
_AFTER = 45
_ABSENT = object()
_LISTS = (list, tuple)


def difference(recorded: Json, now: Json) -> str:
    """Return the first differences by path, or an empty string when there are none."""
    found = list(itertools.islice(_differences(recorded, now, ""), _MOST + 1))
    more = ["..."] if len(found) > _MOST else []
    return "\n".join([*found[:_MOST], *more])


def _differences(recorded: object, now: object, path: str) -> Iterator[str]:
    if isinstance(recorded, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys([*recorded, *now]):
            below = f"{path}.{name}" if path else str(name)
            yield from _differences(
                recorded.get(name, _ABSENT), now.get(name, _ABSENT), below
            )
    elif isinstance(recorded, _LISTS) and isinstance(now, _LISTS):
        pairs = itertools.zip_longest(recorded, now, fillvalue=_ABSENT)
        for number, (old, new) in enumerate(pairs):
            yield from _differences(old, new, f"{path}[{number}]")
    elif recorded != now:
        yield f"{path}: {_changed(recorded, now)}"


def _changed(recorded: object, now: object) -> str:
    if recorded is _ABSENT:
        return f"not recorded, now {_excerpt(now)}"
    if now is _ABSENT:
        return f"recorded {_excerpt(recorded)}, now absent"
    same = 0
    if isinstance(recorded, str) and isinstance(now, str):
        same = _shared_length(recorded, now)
    return f"recorded {_excerpt(recorded, same)}, now {_excerpt(now, same)}"


def _shared_length(old: str, new: str) -> int:
    pairs = enumerate(zip(old, new, strict=False))
    shorter = min(len(old), len(new))
    return next((index for index, (one, other) in pairs if one != other), shorter)


def _excerpt(value: object, around: int = 0) -> str:
    """Return a value as JSON; of a long text, the part around one character."""
    quoted = isinstance(value, str)
    text = str(value) if quoted else json.dumps(value)
    begin = max(around - _BEFORE, 0)
    end = around + _AFTER
    head = "..." if begin else ""
    tail = "..." if end < len(text) else ""
    shown = f"{head}{text[begin:end]}{tail}"
    return json.dumps(shown, ensure_ascii=False) if quoted else shown
