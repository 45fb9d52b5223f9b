"""JSON values of a foreign file, read without trusting their shape."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from pytest_llm_diagnosis.records import Json, JsonObject

_NOT_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST = 40


class KeptError(Exception):
    """Something cannot be expressed; the message says why, in a few words."""


def entries(value: Json) -> JsonObject:
    """Return a mapping as it is, and nothing for any other value."""
    return value if isinstance(value, Mapping) else {}


def listed(value: Json) -> list[Json]:
    """Return a list's items, one value as a list, and nothing for null."""
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None else [value]


def said(value: Json) -> str:
    """Return a value as it stands within a text: itself, or as JSON says it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def number(value: Json) -> float | None:
    """Return a number, also one written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def slug(text: str, otherwise: str) -> str:
    """Return a short name of lower-case words for an id or a file."""
    words = _NOT_NAME.sub("-", text.lower()).strip("-")
    if len(words) > _LONGEST:
        words = words[:_LONGEST].rsplit("-", 1)[0]
    return words or otherwise


class Names:
    """Hands out names, each once: a second `a` becomes `a-2`."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def unique(self, name: str) -> str:
        """Return the name, or the next free number behind it."""
        free, count = name, 1
        while free in self._given:
            count += 1
            free = f"{name}-{count}"
        self._given.add(free)
        return free
