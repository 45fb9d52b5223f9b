"""`answers.yaml` of a variant with `script:`: rules to a scripted model.

    rules:
      - contains: boots
        text: 45 days from delivery.
      - {arm: E, error: {status: 429, message: slow down, retry_after: 0.1}, times: 1}
      - text: I do not know.

The keys of a rule are the fields of `scripted.Rule`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias, cast, get_args

from pytest_llm_diagnosis.errors import InputError, Location, Problem, valid_choices
from pytest_llm_diagnosis.records import Arm, JsonObject, Tokens, ToolCall
from pytest_llm_diagnosis.source import ListNode, MapNode, Node, locate, plain, read

from .scripted import Rule, ScriptedError, ScriptedModel

_SHAPE = "write `rules:` and a list of rules below it"

_Trail: TypeAlias = tuple[str | int, ...]


class _Kind(NamedTuple):
    """Which values a key takes, in Python's words and in the author's."""

    types: tuple[type, ...]
    name: str


_TEXT = _Kind((str,), "text in quotes")
_WHOLE = _Kind((int,), "a whole number from 0")
_NUMBER = _Kind((int, float), "a number from 0")
_MAP = _Kind((MapNode,), "a mapping")
_LIST = _Kind((ListNode,), "a list")

_RULE: Mapping[str, _Kind] = {
    "contains": _TEXT,
    "matches": _TEXT,
    "system": _TEXT,
    "variant": _TEXT,
    "arm": _TEXT,
    "trial": _WHOLE,
    "times": _WHOLE,
    "text": _TEXT,
    "tool_calls": _LIST,
    "error": _MAP,
    "delay": _NUMBER,
    "tokens": _MAP,
    "finish_reason": _TEXT,
}
_ERROR: Mapping[str, _Kind] = {
    "message": _TEXT,
    "status": _WHOLE,
    "retry_after": _NUMBER,
}
_TOKENS: Mapping[str, _Kind] = {
    "prompt": _WHOLE,
    "completion": _WHOLE,
    "cached": _WHOLE,
    "written": _WHOLE,
}
_CALL: Mapping[str, _Kind] = {
    "name": _TEXT,
    "arguments": _Kind((MapNode, str), "a mapping or text"),
}


def load_script(path: Path) -> ScriptedModel:
    """Return the model whose rules the file states.

    Raises `InputError` with every problem of the file, each at its line.
    """
    root = read(path)
    if not isinstance(root, MapNode):
        raise InputError.at(Location(path=path), "not a script of answers", _SHAPE)
    reader = _Reader(root, path)
    rules = reader.rules()
    if reader.problems:
        raise InputError(reader.problems)
    return ScriptedModel(rules, source=path.name)


class _Reader:
    """Checks the nodes of one file and collects what is wrong with them."""

    def __init__(self, root: MapNode, path: Path) -> None:
        self.problems: list[Problem] = []
        self._root = root
        self._path = path

    def rules(self) -> tuple[Rule, ...]:
        known = self._known(self._root, {"rules": _LIST}, ())
        items = cast("list[Node]", known.get("rules", []))
        if "rules" not in self._root:
            self._problem((), "'rules' is missing", _SHAPE)
        mappings = (
            (number, item)
            for number, item in enumerate(items)
            if self._is(item, _MAP, ("rules", number), "a rule")
        )
        return tuple(
            self._rule(cast("MapNode", item), ("rules", number))
            for number, item in mappings
        )

    def _rule(self, node: MapNode, trail: _Trail) -> Rule:
        known = self._known(node, _RULE, trail)
        if not {"text", "tool_calls", "error"} & node.keys():
            hint = "give it text, tool_calls or error"
            self._problem(trail, "the rule answers nothing", hint)
        self._check_arm(known, trail)
        self._check_pattern(known, trail)
        parts: dict[str, object] = dict(known)
        if "tool_calls" in known:
            calls = cast("ListNode", known["tool_calls"])
            parts["tool_calls"] = tuple(self._calls(calls, (*trail, "tool_calls")))
        if "error" in known:
            parts["error"] = self._error(known, trail)
        if "tokens" in known:
            parts["tokens"] = self._tokens(known, trail)
        return Rule(**parts)  # type: ignore[arg-type]  # checked by _known

    def _calls(self, node: ListNode, trail: _Trail) -> Iterable[ToolCall]:
        for number, item in enumerate(node):
            here = (*trail, number)
            if not self._is(item, _MAP, here, "a tool call"):
                continue
            known = self._known(cast("MapNode", item), _CALL, here)
            if "name" not in cast("MapNode", item):
                self._problem(here, "the tool call has no name")
            arguments = plain(known["arguments"]) if "arguments" in known else {}
            yield ToolCall(
                name=str(known.get("name", "")),
                arguments=cast("JsonObject | str", arguments),
            )

    def _error(self, known: Mapping[str, Node], trail: _Trail) -> ScriptedError:
        node = cast("MapNode", known["error"])
        parts = self._known(node, _ERROR, (*trail, "error"))
        return ScriptedError(**parts)  # type: ignore[arg-type]  # checked by _known

    def _tokens(self, known: Mapping[str, Node], trail: _Trail) -> Tokens:
        node = cast("MapNode", known["tokens"])
        parts = self._known(node, _TOKENS, (*trail, "tokens"))
        return Tokens(**parts)  # type: ignore[arg-type]  # checked by _known

    def _known(
        self, node: MapNode, kinds: Mapping[str, _Kind], trail: _Trail
    ) -> dict[str, Node]:
        """Return the entries that are as they should be; note the others."""
        for key in node:
            if key not in kinds:
                finding = f"unknown key {key!r}"
                self._problem((*trail, key), finding, valid_choices(key, list(kinds)))
        return {
            key: value
            for key, value in node.items()
            if key in kinds and self._is(value, kinds[key], (*trail, key), repr(key))
        }

    def _is(self, value: Node, kind: _Kind, trail: _Trail, what: str) -> bool:
        fits = isinstance(value, kind.types) and not isinstance(value, bool)
        if fits and isinstance(value, int | float):
            fits = value >= 0
        if not fits:
            self._problem(trail, f"{what} must be {kind.name}")
        return fits

    def _check_arm(self, known: Mapping[str, Node], trail: _Trail) -> None:
        arm = known.get("arm")
        if isinstance(arm, str) and arm not in get_args(Arm):
            hint = valid_choices(arm, get_args(Arm))
            self._problem((*trail, "arm"), f"unknown arm {arm!r}", hint)

    def _check_pattern(self, known: Mapping[str, Node], trail: _Trail) -> None:
        try:
            re.compile(str(known.get("matches", "")))
        except re.error as error:
            finding = f"'matches' is not a regular expression: {error}"
            self._problem((*trail, "matches"), finding)

    def _problem(self, trail: _Trail, finding: str, hint: str = "") -> None:
        place = locate(self._root, trail, self._path, key=True)
        self.problems.append(Problem(location=place, finding=finding, hint=hint))
