"""A case's nodes, known to be right, to a `Case` with its evidence at hand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

from pytest_llm_diagnosis.documents import Documents
from pytest_llm_diagnosis.errors import InputError, Location, Problem
from pytest_llm_diagnosis.records import (
    Case,
    CheckSpec,
    Dimension,
    Ideal,
    JsonObject,
    Mark,
    Message,
    Passage,
    ToolCall,
)
from pytest_llm_diagnosis.schema import LOOSE
from pytest_llm_diagnosis.source import (
    ListNode,
    MapNode,
    Node,
    Spot,
    line_of,
    place,
    plain,
)


class Given(NamedTuple):
    """What a case takes from other files."""

    system: str | None
    evidence: tuple[Passage, ...]


class Maker:
    """Makes the cases of one eval file."""

    def __init__(self, path: Path, root: Path) -> None:
        self._path = path
        self._folder = path.parent
        self._root = root
        self._documents = Documents(root)

    def given(self, node: MapNode) -> Given:
        """Return the system prompt and the passages that a case names.

        Raises `InputError` with every file or section that cannot be had.
        """
        problems: list[Problem] = []
        passages: dict[str, Passage] = {}
        for item, spot in _items(node, "evidence"):
            try:
                passage = self._passage(item, place(spot, self._path))
                passages[passage.id] = passage
            except InputError as error:
                problems += error.problems
        system = None
        try:
            system = self._system(node)
        except InputError as error:
            problems += error.problems
        if problems:
            raise InputError(problems)
        return Given(system, tuple(passages.values()))

    def case(self, node: MapNode, given: Given) -> Case:
        """Return the case; its keys have the right types and fit together."""
        system, messages = _conversation(node)
        ideal = node.get("ideal")
        return Case(
            id=str(node["id"]),
            mark=cast("Mark", node["mark"]),
            path=self._path,
            line=line_of(node.start),
            messages=messages,
            system=given.system if system is None else system,
            evidence=given.evidence,
            facts=self._checks(node, "facts"),
            form=self._checks(node, "form"),
            limits=self._checks(node, "limits"),
            instruction=_text(node.get("instruction")),
            ideal=None if ideal is None else _ideal(ideal),
            ideal_line=0 if ideal is None else line_of(node.spots["ideal"][0]),
            cluster=_text(node.get("cluster")),
            tools=_objects(node.get("tools")),
            params=cast("JsonObject", plain(node.get("params")) or {}),
            trials=_count(node.get("trials")),
            pass_at=_count(node.get("pass_at")),
            critical=bool(node.get("critical")),
            skip=_reason(node, "skip"),
            xfail=_reason(node, "xfail"),
            tags=tuple(map(str, cast("ListNode", node.get("tags") or ()))),
        )

    def _passage(self, item: Node, location: Location) -> Passage:
        if isinstance(item, MapNode):
            text = str(item["text"])
            digest = hashlib.sha256(text.encode()).hexdigest()[:8]
            name = self._documents.name(self._path)
            return Passage(id=f"{name}#text-{digest}", text=text)
        return self._documents.passage(str(item), self._folder, location)

    def _system(self, node: MapNode) -> str | None:
        written = _text(node.get("system"))
        if written is None:
            return None
        location = place(node.spots["system"][1], self._path)
        return self._documents.prompt(written, self._folder, location)

    def _checks(self, node: MapNode, dimension: Dimension) -> tuple[CheckSpec, ...]:
        return tuple(
            CheckSpec(
                name=name,
                params=plain(params),
                dimension=dimension,
                location=place(spot, self._path),
                folder=self._folder,
                root=self._root,
                loose=loose,
            )
            for name, params, spot, loose in _named(node, dimension)
        )


class _Named(NamedTuple):
    name: str
    params: Node
    spot: Spot
    loose: bool = False


def _named(node: MapNode, dimension: Dimension) -> Iterator[_Named]:
    """Yield each check as written; a bare name has no parameters."""
    for item, spot in _items(node, dimension):
        if not isinstance(item, MapNode):
            yield _Named(str(item), None, spot)
            continue
        loose = item.get(LOOSE) is True
        for name, params in item.items():
            if name != LOOSE:
                yield _Named(name, params, item.spots[name][0], loose)


def _items(node: MapNode, key: str) -> Iterator[tuple[Node, Spot]]:
    """Yield the items of a list, or the one value that stands for a list."""
    value = node.get(key)
    if isinstance(value, ListNode):
        yield from zip(value, value.spots, strict=True)
    elif value is not None:
        yield value, node.spots[key][1]


def _conversation(node: MapNode) -> tuple[str | None, tuple[Message, ...]]:
    """Return the system prompt that heads the messages, if any, and the others."""
    prompt = node.get("prompt")
    if prompt is not None:
        return None, ({"role": "user", "content": str(prompt)},)
    turns = _objects(node["messages"])
    first = turns[0]
    if first.get("role") == "system" and isinstance(first.get("content"), str):
        return str(first["content"]), turns[1:]
    return None, turns


def _ideal(value: Node) -> Ideal:
    if not isinstance(value, MapNode):
        return Ideal(text=str(value))
    calls = [
        ToolCall(name=str(call["name"]), arguments=_arguments(call.get("arguments")))
        for call in cast("list[MapNode]", value["tool_calls"])
    ]
    return Ideal(text=str(value.get("text", "")), tool_calls=tuple(calls))


def _arguments(value: Node) -> JsonObject | str:
    return cast("JsonObject | str", {} if value is None else plain(value))


def _objects(value: Node) -> tuple[JsonObject, ...]:
    return tuple(cast("list[JsonObject]", plain(value) or ()))


def _text(value: Node) -> str | None:
    return str(value) if value else None


def _count(value: Node) -> int:
    return 1 if value is None else int(cast("float", value))


def _reason(node: MapNode, key: str) -> str | None:
    value = node.get(key)
    if isinstance(value, str):
        return value
    return f"{key}: true" if value else None
