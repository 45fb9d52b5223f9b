"""The check on tool calls: tool_call.

Under `facts` a call written out in the text counts (`{"name": ..., "arguments":
...}`, as models without tool support do) and argument values are compared as
facts.  Under `form` it must be a real call with the right types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from pytest_llm_diagnosis.records import (
    Answer,
    CheckSpec,
    Json,
    JsonObject,
    ToolCall,
    Verdict,
)

from . import parameters as read
from .agreement import agrees, as_text, is_list
from .json_text import decode, json_values, leaves
from .protocol import BoundCheck, CheckType, Example
from .showing import LISTED, shown, shown_answer, shown_json

_CODES = (
    "none",
    "written",
    "wrong_name",
    "unexpected_call",
    "wrong_count",
    "invalid_arguments",
    "missing_argument",
    "unexpected_argument",
    "wrong_type",
    "wrong_value",
)
_NAMES = ("name", "tool", "tool_name", "function")
_ARGUMENTS = ("arguments", "parameters", "args", "input")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsTool(BoundCheck):
    """The answer calls a tool, with these arguments and this often.

    Without a `tool` any call is meant; without a `count` one is enough and
    others beside it do no harm.
    """

    needs_form: ClassVar[bool] = True

    tool: str
    arguments: JsonObject
    exact: bool
    count: int | None

    def grade(self, answer: Answer) -> Verdict:
        """Fail with a `tool:` code.

        Those are none, written (in the text, not called), wrong_name,
        unexpected_call, wrong_count, invalid_arguments, missing_argument,
        wrong_value, wrong_type and unexpected_argument.
        """
        written = self._written(answer) if self.seeks_facts else []
        calls = [*answer.tool_calls, *written]
        named = [call for call in calls if not self.tool or call.name == self.tool]
        if self.count == 0:
            return self._uncalled(named)
        if not calls:
            return self._silent(answer)
        if not named:
            found = ", ".join(shown(call.name) for call in calls[:LISTED])
            return self.failed("tool:wrong_name", f"expected {self}, found {found}")
        return self._called(named)

    def describe(self) -> str:
        """Ask for the call when it is form, or for none."""
        if self.count == 0:
            return f"Do not call {self.tool or 'any tool'}; answer in text."
        if self.seeks_facts:
            return ""
        given = f" with {', '.join(self.arguments)}" if self.arguments else ""
        return f"Call {self.tool or 'a tool'}{given} instead of answering in text."

    def gold(self) -> tuple[str, ...]:
        """Return the argument values."""
        values = (leaf.value for leaf in leaves(self.arguments))
        told = (as_text(each) for each in values if not isinstance(each, bool | None))
        return tuple(filter(None, told)) if self.seeks_facts else ()

    def __str__(self) -> str:
        """Return the call as an expectation."""
        times = "a call" if self.count in (None, 1) else f"{self.count} calls"
        tool = f" of {self.tool}" if self.tool else ""
        given = f" with {shown_json(self.arguments)}" if self.arguments else ""
        return times + tool + given

    def _uncalled(self, named: Sequence[ToolCall]) -> Verdict:
        if not named:
            return self.passed()
        reason = f"expected no call, found {_shown_call(named[0])}"
        return self.failed("tool:unexpected_call", reason)

    def _silent(self, answer: Answer) -> Verdict:
        if self._written(answer):
            reason = f"expected {self}, found it written out, not called"
            return self.failed("tool:written", f"{reason}: {shown_answer(answer)}")
        return self.failed(
            "tool:none", f"expected {self}, found {shown_answer(answer)}"
        )

    def _called(self, named: Sequence[ToolCall]) -> Verdict:
        flaws = [self._flaw(call) for call in named]
        if all(flaws):
            first = next(flaw for flaw in flaws if flaw)
            return self.failed(f"tool:{first.code}", f"expected {self}, {first.found}")
        right = flaws.count(None)
        if self.count is not None and (len(named), right) != (self.count, self.count):
            found = f"found {len(named)} calls, {right} of them as expected"
            return self.failed("tool:wrong_count", f"expected {self}, {found}")
        return self.passed()

    def _flaw(self, call: ToolCall) -> _Flaw | None:
        given = given_arguments(call.arguments)
        if isinstance(given, str):
            return _Flaw(
                "invalid_arguments", f"found arguments that are no JSON: {shown(given)}"
            )
        for name, wanted in self.arguments.items():
            flaw = self._flaw_of(name, wanted, given)
            if flaw is not None:
                return flaw
        extra = [name for name in given if name not in self.arguments]
        if not self.exact or not extra:
            return None
        found = f"found {shown(extra[0])} in {shown_json(given)}"
        return _Flaw("unexpected_argument", found)

    def _flaw_of(self, name: str, wanted: Json, given: JsonObject) -> _Flaw | None:
        if name not in given:
            found = f"found no {shown(name)} in {shown_json(given)}"
            return _Flaw("missing_argument", found)
        value = given[name]
        if agrees(wanted, value, as_fact=self.seeks_facts, subset=not self.exact):
            return None
        code = "wrong_value" if same_type(wanted, value) else "wrong_type"
        return _Flaw(code, f"found {shown(name)} = {shown_json(value)}")

    def _written(self, answer: Answer) -> list[ToolCall]:
        values = json_values(answer.text)
        return [call for value in values for call in written_calls(value)]


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    summary = "The answer calls this tool; with count 0, calls none."
    keys: dict[str, Json] = {
        "name": read.described(read.TEXT, "The tool; without it, any tool."),
        "arguments": {
            "description": "Arguments that the call must give, with their values.",
            "type": "object",
        },
        "exact": read.described(
            read.FLAG, "Whether other arguments are forbidden; false by default."
        ),
        "count": {
            "description": "How many such calls there must be; else at least one.",
            "type": "integer",
            "minimum": 0,
        },
    }
    longhand = read.options("The call, with options.", keys)
    call = ToolCall(name="order_status", arguments={"order": "A-17"})
    other = ToolCall(name="order_status", arguments={"order": "A-71"})
    return (
        CheckType(
            name="tool_call",
            summary=summary,
            parameters={"description": summary, "anyOf": [read.TEXT, longhand]},
            bind=_bind,
            example=Example(
                params={"name": "order_status", "arguments": {"order": "A-17"}},
                passing=Answer(tool_calls=(call,)),
                failing=Answer(tool_calls=(other,)),
                code="tool:wrong_value",
            ),
            codes=tuple(f"tool:{code}" for code in _CODES),
        ),
    )


class _Flaw(NamedTuple):
    code: str
    found: str


def _bind(spec: CheckSpec) -> CallsTool:
    params = read.mapping(spec, "name")
    arguments = params.get("arguments", {})
    if not isinstance(arguments, Mapping):
        raise read.wrong(spec, f"arguments must be a mapping, not {arguments!r}")
    tool, times = params.get("name"), params.get("count")
    bound = CallsTool(
        spec=spec,
        tool="" if tool is None else read.text(spec, tool, "name"),
        arguments=arguments,
        exact=read.flag(spec, params, "exact", default=False),
        count=None if times is None else read.count(spec, times, "count"),
    )
    if not bound.tool and not arguments and bound.count is None:
        raise read.wrong(spec, "needs a name, arguments or a count")
    return bound


def _shown_call(call: ToolCall) -> str:
    return f"{shown(call.name)} with {shown_json(call.arguments)}"


def given_arguments(given: JsonObject | str) -> JsonObject | str:
    """Return arguments as an object, also if they came as JSON text."""
    if not isinstance(given, str):
        return given
    try:
        value = decode(given)
    except ValueError:
        return given
    return value if isinstance(value, Mapping) else given


def written_calls(value: Json) -> Iterator[ToolCall]:
    """Yield the calls that a JSON value in a text spells out."""
    if is_list(value):
        for item in value:
            yield from written_calls(item)
    elif isinstance(value, Mapping):
        inner = value.get("tool_calls", value.get("function"))
        if isinstance(inner, Mapping) or is_list(inner):
            yield from written_calls(inner)
            return
        names = (value[key] for key in _NAMES if isinstance(value.get(key), str))
        name, arguments = next(names, None), _given(value)
        if name is not None and arguments is not None:
            yield ToolCall(name=str(name), arguments=arguments)


def _given(call: JsonObject) -> JsonObject | str | None:
    for key in _ARGUMENTS:
        given = call.get(key)
        if isinstance(given, Mapping | str):
            return given
    return None


def same_type(wanted: Json, found: Json) -> bool:
    """Return whether two JSON values are of one type; all numbers are."""
    numbers = (int, float)
    if isinstance(wanted, bool) or isinstance(found, bool):
        return isinstance(wanted, bool) and isinstance(found, bool)
    if isinstance(wanted, numbers):
        return isinstance(found, numbers)
    return any(
        isinstance(wanted, kind) and isinstance(found, kind)
        for kind in (str, Mapping, list | tuple, type(None))
    )
