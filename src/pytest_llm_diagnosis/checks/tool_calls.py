"""The check on all tool calls of an answer: tool_calls.

The answer makes these calls, in any order unless told otherwise, and no others;
an empty list means that it makes none.  Arguments have one right value, or a
list of allowed ones; those that are optional may be left out, and all others
are forbidden unless `exact` is false.  This is the reading of the Berkeley
Function Calling Leaderboard (S. Patil and others, 2025).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pytest_llm_diagnosis.errors import valid_choices
from pytest_llm_diagnosis.records import (
    Answer,
    CheckSpec,
    Json,
    JsonObject,
    ToolCall,
    Verdict,
)

from . import parameters as read
from .agreement import as_text, is_list
from .expected_calls import TYPES, Expected, Flaw, is_of_type, matched
from .json_text import json_values, leaves
from .protocol import BoundCheck, CheckType, Example
from .showing import LISTED, shown, shown_answer, shown_json
from .tools import written_calls

# Matching is cubic in the worst case; nobody asks for this many calls.
MAX_CALLS = 100

_FLAWS = (
    "wrong_name",
    "invalid_arguments",
    "missing_argument",
    "unexpected_argument",
    "wrong_type",
    "wrong_value",
)
_FAR = frozenset({"wrong_name", "invalid_arguments"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsTools(BoundCheck):
    """The answer makes exactly the expected calls."""

    needs_form: ClassVar[bool] = True

    calls: tuple[Expected, ...]
    ordered: bool

    def grade(self, answer: Answer) -> Verdict:
        """Fail with a `tool:` code.

        Those are none, written, missing_call, repeated_call, unexpected_call,
        wrong_order, and of a single call wrong_name, invalid_arguments,
        missing_argument, unexpected_argument, wrong_type and wrong_value.
        """
        written = [
            call
            for value in json_values(answer.text)
            for call in written_calls(value)
            if not answer.tool_calls
        ]
        called = [*answer.tool_calls, *(written if self.seeks_facts else ())]
        if not called and self.calls:
            code = "written" if written else "none"
            reason = f"expected {self._words()}, found {shown_answer(answer)}"
            return self.failed(f"tool:{code}", reason)
        return self._judged(called[: MAX_CALLS + 1])

    def describe(self) -> str:
        """Ask for the calls when they are form, or for none."""
        if not self.calls:
            return "Call no tool; answer in text."
        if self.seeks_facts:
            return ""
        names = list(dict.fromkeys(call.name for call in self.calls))
        times = "once" if len(self.calls) == 1 else f"{len(self.calls)} times in all"
        order = ", in the right order" if self.ordered else ""
        return f"Call {' and '.join(names)}, {times}{order}, and no other tool."

    def gold(self) -> tuple[str, ...]:
        """Return the argument values."""
        if not self.seeks_facts:
            return ()
        values = (
            leaf.value
            for call in self.calls
            for value in call.allowed.values()
            for leaf in leaves(value)
        )
        told = (as_text(each) for each in values if not isinstance(each, bool | None))
        return tuple(dict.fromkeys(filter(None, told)))

    def _words(self) -> str:
        listed = "; ".join(map(str, self.calls[:LISTED]))
        rest = len(self.calls) - LISTED
        return f"{listed}{f' and {rest:,} more' if rest > 0 else ''}"

    def _judged(self, called: Sequence[ToolCall]) -> Verdict:
        flaws = [
            [call.flaws(made, as_fact=self.seeks_facts) for made in called]
            for call in self.calls
        ]
        fits = [[not found for found in row] for row in flaws]
        taken = matched(fits, len(called))
        if len(taken) == len(self.calls) == len(called):
            return self._in_order(fits)
        missing = [index for index in range(len(self.calls)) if index not in taken]
        extra = [index for index in range(len(called)) if index not in taken.values()]
        if missing and extra:
            return self._misfit(flaws, missing, extra)
        if missing:
            told = f"expected {self.calls[missing[0]]}, found no such call"
            return self.failed("tool:missing_call", told)
        return self._surplus(called, extra[0])

    def _misfit(
        self,
        flaws: Sequence[Sequence[Sequence[Flaw]]],
        missing: Sequence[int],
        extra: Sequence[int],
    ) -> Verdict:
        """Return the verdict by the pair that is nearest to a fit.

        Calls that were made also take part: two may be right for one of them.
        """
        _, _, expected, flaw = min(
            (
                (_distance(row[made]), index not in missing, index, row[made][0])
                for index, row in enumerate(flaws)
                for made in extra
                if row[made]
            ),
            key=lambda pair: pair[:3],
        )
        reason = f"expected {self.calls[expected]}, {flaw.found}"
        return self.failed(f"tool:{flaw.code}", reason)

    def _surplus(self, called: Sequence[ToolCall], index: int) -> Verdict:
        call = called[index]
        told = f"{shown(call.name)} with {shown_json(call.arguments)}"
        if not self.calls:
            reason = f"expected no call, found {told}"
            return self.failed("tool:unexpected_call", reason)
        if any(call == other for i, other in enumerate(called) if i != index):
            reason = f"expected it once, found again {told}"
            return self.failed("tool:repeated_call", reason)
        reason = f"expected no call beside {self._words()}, found {told}"
        return self.failed("tool:unexpected_call", reason)

    def _in_order(self, fits: Sequence[Sequence[bool]]) -> Verdict:
        if not self.ordered or all(fits[i][i] for i in range(len(fits))):
            return self.passed()
        reason = f"expected the calls in this order: {self._words()}"
        return self.failed("tool:wrong_order", reason)


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    summary = "The answer makes these tool calls, in any order, and no others."
    schema = _call_schema()
    calls: dict[str, Json] = {"type": "array", "items": schema}
    keys: dict[str, Json] = {
        "calls": read.described(calls, "The calls; none with an empty list."),
        "ordered": read.described(
            read.FLAG, "Whether their order matters; false by default."
        ),
    }
    longhand = read.options("The calls, with options.", keys, ["calls"])
    boots: JsonObject = {"name": "stock", "arguments": {"item": "boots"}}
    coats: JsonObject = {"name": "stock", "arguments": {"item": "coat"}}
    both = tuple(
        ToolCall(name="stock", arguments={"item": i}) for i in ("coat", "boots")
    )
    return (
        CheckType(
            name="tool_calls",
            summary=summary,
            parameters={"description": summary, "anyOf": [calls, longhand]},
            bind=_bind,
            example=Example(
                params=[boots, coats],
                passing=Answer(tool_calls=both),
                failing=Answer(tool_calls=both[:1]),
                code="tool:missing_call",
            ),
            codes=tuple(f"tool:{code}" for code in (*_WHOLE, *_FLAWS)),
        ),
    )


_WHOLE = (
    "none",
    "written",
    "missing_call",
    "repeated_call",
    "unexpected_call",
    "wrong_order",
)


def _call_schema() -> JsonObject:
    keys: dict[str, Json] = {
        "name": read.described(read.TEXT, "The tool."),
        "arguments": {
            "description": "Arguments with their one right value.",
            "type": "object",
        },
        "allowed": {
            "description": "Arguments with a list of right values.",
            "type": "object",
            "additionalProperties": {"type": "array", "minItems": 1},
        },
        "types": {
            "description": "Arguments with the JSON type of their values.",
            "type": "object",
            "additionalProperties": {"enum": list(TYPES)},
        },
        "optional": {
            "description": "Arguments that may be left out.",
            "type": "array",
            "items": read.TEXT,
        },
        "exact": read.described(
            read.FLAG, "Whether other arguments are forbidden; true by default."
        ),
    }
    return read.options("One call.", keys, ["name"])


def _bind(spec: CheckSpec) -> CallsTools:
    params = spec.params
    stated = params if isinstance(params, Mapping) else {"calls": params}
    listed = stated.get("calls")
    if not is_list(listed) or len(listed) > MAX_CALLS:
        raise read.wrong(spec, f"calls must be a list of at most {MAX_CALLS}")
    return CallsTools(
        spec=spec,
        calls=tuple(_expected(spec, each) for each in listed),
        ordered=read.flag(spec, stated, "ordered", default=False),
    )


def _expected(spec: CheckSpec, stated: Json) -> Expected:
    if not isinstance(stated, Mapping):
        raise read.wrong(spec, f"a call must be a mapping, not {stated!r}")
    allowed: dict[str, Sequence[Json]] = {
        k: (v,) for k, v in _mapping(spec, stated, "arguments").items()
    }
    for name, values in _mapping(spec, stated, "allowed").items():
        if not is_list(values) or not values or name in allowed:
            finding = f"allowed {name!r} must be a list, and not be an argument too"
            raise read.wrong(spec, finding)
        allowed[name] = tuple(values)
    types = {k: _type(spec, v) for k, v in _mapping(spec, stated, "types").items()}
    for name, kind in types.items():
        odd = [each for each in allowed.get(name, ()) if not is_of_type(each, kind)]
        if odd:
            finding = f"{name!r} must be of type {kind}, so never {shown_json(odd[0])}"
            raise read.wrong(spec, finding)
    optional = stated.get("optional")
    return Expected(
        name=read.text(spec, stated.get("name"), "name"),
        allowed=allowed,
        types=types,
        optional=frozenset(read.texts(spec, optional, "optional") if optional else ()),
        exact=read.flag(spec, stated, "exact", default=True),
    )


def _mapping(spec: CheckSpec, stated: JsonObject, key: str) -> JsonObject:
    value = stated.get(key, {})
    if not isinstance(value, Mapping):
        raise read.wrong(spec, f"{key} must be a mapping, not {value!r}")
    return value


def _type(spec: CheckSpec, named: Json) -> str:
    if not isinstance(named, str) or named not in TYPES:
        hint = valid_choices(str(named), [*TYPES], "types")
        raise read.wrong(spec, f"unknown type {named!r}", hint)
    return named


def _distance(flaws: Sequence[Flaw]) -> tuple[bool, int]:
    """Return how far a call is from the expected one: another tool is farthest."""
    return flaws[0].code in _FAR, len(flaws)
