"""One expected tool call, how a made call falls short of it, and who is who."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pytest_llm_diagnosis.records import Json, JsonObject, ToolCall

from .agreement import agrees
from .showing import shown, shown_json
from .tools import given_arguments, same_type

TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (Mapping,),
    "null": (type(None),),
}


class Flaw(NamedTuple):
    """Why a call is not the expected one."""

    code: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One expected call.

    `allowed` maps an argument to its right values, `types` to the JSON type that
    any value of it must have.  With `exact` no other argument may be given.
    """

    name: str
    allowed: Mapping[str, Sequence[Json]]
    types: Mapping[str, str]
    optional: frozenset[str]
    exact: bool

    def __str__(self) -> str:
        """Return the call for a reason."""
        given = {name: _few(values) for name, values in self.allowed.items()}
        return f"{self.name} with {shown_json(given)}" if given else self.name

    def flaws(self, call: ToolCall, *, as_fact: bool) -> Sequence[Flaw]:
        """Return why a call is not this one; nothing when it is."""
        if call.name != self.name:
            return [Flaw("wrong_name", f"found a call of {shown(call.name)}")]
        given = given_arguments(call.arguments)
        if isinstance(given, str):
            found = f"found arguments that are no JSON: {shown(given)}"
            return [Flaw("invalid_arguments", found)]
        return list(self._flaws(given, as_fact=as_fact))

    def _flaws(self, given: JsonObject, *, as_fact: bool) -> Iterator[Flaw]:
        known = self.allowed.keys() | self.types.keys()
        for name in sorted(known - self.optional):
            if name not in given:
                found = f"found no {shown(name)} in {shown_json(given)}"
                yield Flaw("missing_argument", found)
        for name, value in given.items():
            told = f"found {shown(name)} = {shown_json(value)}"
            if name not in known:
                if self.exact and name not in self.optional:
                    yield Flaw("unexpected_argument", told)
            elif code := self._value_flaw(name, value, as_fact=as_fact):
                yield Flaw(code, told)

    def _value_flaw(self, name: str, value: Json, *, as_fact: bool) -> str | None:
        kind = self.types.get(name)
        if kind is not None and not as_fact and not is_of_type(value, kind):
            return "wrong_type"
        values = self.allowed.get(name)
        if values is None or any(agrees(v, value, as_fact=as_fact) for v in values):
            return None
        typed = any(same_type(wanted, value) for wanted in values)
        return "wrong_value" if typed else "wrong_type"


def is_of_type(value: Json, kind: str) -> bool:
    """Return whether a value is of a JSON type; `2.0` is an integer."""
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[kind])


def matched(fits: Sequence[Sequence[bool]], made: int) -> dict[int, int]:
    """Return a largest matching of expected to made calls.

    Kuhn's algorithm: H. W. Kuhn, The Hungarian Method for the Assignment
    Problem (1955).
    """
    holder: dict[int, int] = {}

    def place(expected: int, seen: set[int]) -> bool:
        for call in range(made):
            if fits[expected][call] and call not in seen:
                seen.add(call)
                if call not in holder or place(holder[call], seen):
                    holder[call] = expected
                    return True
        return False

    for expected in range(len(fits)):
        place(expected, set())
    return {expected: call for call, expected in holder.items()}


def _few(values: Sequence[Json]) -> Json:
    return values[0] if len(values) == 1 else {"one of": list(values)}
