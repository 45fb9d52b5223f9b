"""`${NAME}` in an endpoint, filled in from the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_llm_diagnosis.errors import InputError, Location, Problem, did_you_mean
from pytest_llm_diagnosis.source import ListNode, MapNode, Node, Spot, place

_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILLED = ("model", "api_base", "api_key", "params", "call", "headers")
_FILLED_TO_RETRIEVE = ("embeddings", "store")


def filled_text(text: str, variables: Mapping[str, str], location: Location) -> str:
    """Return a text with its `${NAME}` filled in; raises `InputError` at its place."""
    problems = list(_unset(text, variables, location))
    if problems:
        raise InputError(problems)
    return _REFERENCE.sub(lambda match: variables[match[1]], text)


class Environment:
    """Fills the variables of endpoints in."""

    def __init__(self, variables: Mapping[str, str], path: Path) -> None:
        self._variables = variables
        self._path = path

    def filled(self, node: MapNode, problems: list[Problem]) -> MapNode:
        """Return a variant with its endpoint filled in; adds what is not set."""
        filled = node.without(())
        for key in _FILLED:
            if key in node:
                filled[key] = self._fill(node[key], node.spots[key][1], problems)
        retrieve = node.get("retrieve")
        if isinstance(retrieve, MapNode):
            filled["retrieve"] = self._retrieve(retrieve, problems)
        return filled

    def _retrieve(self, node: MapNode, problems: list[Problem]) -> MapNode:
        """Return what is searched with its embedding model and its store filled in."""
        filled = node.without(())
        for key in _FILLED_TO_RETRIEVE:
            if key in node:
                filled[key] = self._fill(node[key], node.spots[key][1], problems)
        return filled

    def _fill(self, value: Node, spot: Spot, problems: list[Problem]) -> Node:
        if isinstance(value, str):
            problems += _unset(value, self._variables, place(spot, self._path))
            return _REFERENCE.sub(
                lambda match: self._variables.get(match[1], ""), value
            )
        if isinstance(value, MapNode):
            filled = MapNode(value.start)
            for key, entry in value.items():
                spots = value.spots[key]
                filled.put(key, self._fill(entry, spots[1], problems), spots)
            return filled
        if isinstance(value, ListNode):
            items = ListNode(value.start)
            for item, item_spot in zip(value, value.spots, strict=True):
                items.put(self._fill(item, item_spot, problems), item_spot)
            return items
        return value


def _unset(
    text: str, variables: Mapping[str, str], location: Location
) -> Iterator[Problem]:
    for name in _REFERENCE.findall(text):
        if not _NAME.fullmatch(name):
            finding = f"'${{{name}}}' does not name a variable"
            yield Problem(location=location, finding=finding)
        # An empty variable is what CI leaves of a secret that is not set.
        elif not variables.get(name):
            near = did_you_mean(name, variables.keys() - {name})
            finding = f"the variable {name!r} is not set"
            hint = near or f"set it: export {name}=..."
            yield Problem(location=location, finding=finding, hint=hint)
