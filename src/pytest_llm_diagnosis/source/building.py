"""Parser events to nodes, with everything refused that cannot be trusted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from pytest_llm_diagnosis.errors import Location

from .nodes import ListNode, MapNode, Mark, Node, Spot
from .scalars import resolve

_MAX_DEPTH = 64
# Aliases may repeat what is written this many times over before it is a bomb.
_MAX_EXPANSION = 10
_FREE_EXPANSION = 10_000
_CORE_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str"))


class Finding(NamedTuple):
    """What is wrong at a spot, and what would be right."""

    spot: Spot
    text: str
    hint: str = ""


class HopelessError(Exception):
    """Reading on would not end, or would repeat the finding it carries."""

    def __init__(self, spot: Spot, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.finding = Finding(spot, text, hint)


class _NodeEvent(Protocol):
    """What the events of both parsers, C and Python, offer."""

    start_mark: Mark
    anchor: str | None
    tag: str | None


class _ScalarEvent(_NodeEvent, Protocol):
    value: str
    implicit: tuple[bool, bool]


_START = Location(path=Path())


class _Anchored(NamedTuple):
    value: Node
    size: int


class _ListFrame:
    """A list that is being read."""

    wants_key = False

    def __init__(self, start: Spot) -> None:
        self.node: ListNode = ListNode(start)
        self.anchor: str | None = None
        self.born = 0

    def put(self, value: Node, spot: Spot) -> None:
        self.node.put(value, spot)

    def close(self) -> ListNode:
        return self.node


class _MapFrame:
    """A mapping that is being read; a value follows the key that is open."""

    def __init__(self, start: Spot) -> None:
        self.node: MapNode = MapNode(start)
        self.anchor: str | None = None
        self.born = 0
        self.wants_key = True
        self.merges = False
        self._key = ""
        self._key_spot: Spot = start
        self._below: list[MapNode] = []

    def open_key(self, key: str, spot: Spot, *, merges: bool) -> None:
        self._key, self._key_spot = key, spot
        self.wants_key = False
        self.merges = merges

    def put(self, value: Node, spot: Spot) -> None:
        self.wants_key = True
        if self.merges:
            self._below.extend(_mappings(value, self._key_spot))
        else:
            self.node.put(self._key, value, (self._key_spot, spot))

    def close(self) -> MapNode:
        node = self.node
        for below in self._below:
            node = node.over(below)
        return node


def _mappings(value: Node, spot: Spot) -> list[MapNode]:
    sources = value if isinstance(value, ListNode) else [value]
    mappings = [source for source in sources if isinstance(source, MapNode)]
    if len(mappings) < len(sources):
        raise HopelessError(spot, "'<<' takes a mapping, or a list of them")
    return mappings


class Builder:
    """Turns events into nodes and collects what is wrong with them."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._frame: _ListFrame | _MapFrame = _ListFrame(_START)
        self._outer: list[_ListFrame | _MapFrame] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._written = 0
        self._expanded = 0
        self._handlers: dict[type[Event], Callable[..., None]] = {
            ScalarEvent: self._scalar,
            MappingStartEvent: self._open_mapping,
            SequenceStartEvent: self._open_list,
            MappingEndEvent: self._close,
            SequenceEndEvent: self._close,
            AliasEvent: self._alias,
            DocumentStartEvent: self._document,
        }

    @property
    def root(self) -> Node:
        """The document's value; None when there was no document."""
        documents = self._frame.node
        return documents[0] if isinstance(documents, ListNode) and documents else None

    def build(self, next_event: Callable[[], Event]) -> None:
        """Add all events; raises `HopelessError` where reading must end."""
        handlers = self._handlers
        while (kind := (event := next_event()).__class__) is not StreamEndEvent:
            handler = handlers.get(kind)
            if handler is not None:
                handler(event)

    def _scalar(self, event: _ScalarEvent) -> None:
        self._written += 1
        if event.tag is not None:
            self._check_tag(event)
        text = event.value
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(text, 1)
        frame = self._frame
        if frame.wants_key:
            self._key(cast("_MapFrame", frame), event)
            return
        value = resolve(text) if event.implicit[0] else text
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 1)
        frame.put(value, event.start_mark)

    def _key(self, frame: _MapFrame, event: _ScalarEvent) -> None:
        key, mark = event.value, event.start_mark
        if key in frame.node:
            first = frame.node.spots[key][0]
            hint = f"it is first given in line {first.line + 1}"
            self.findings.append(Finding(mark, f"duplicate key {key!r}", hint))
        # Quoted, "<<" is a name like any other.
        frame.open_key(key, mark, merges=key == "<<" and event.implicit[0])

    def _open_mapping(self, event: _NodeEvent) -> None:
        self._open(_MapFrame(event.start_mark), event)

    def _open_list(self, event: _NodeEvent) -> None:
        self._open(_ListFrame(event.start_mark), event)

    def _open(self, frame: _ListFrame | _MapFrame, event: _NodeEvent) -> None:
        self._written += 1
        if event.tag is not None:
            self._check_tag(event)
        if self._frame.wants_key:
            raise _bad_key(event.start_mark)
        if len(self._outer) >= _MAX_DEPTH:
            raise HopelessError(
                event.start_mark, f"nested deeper than {_MAX_DEPTH} levels"
            )
        if event.anchor is not None:
            self._anchors[event.anchor] = None
            frame.anchor = event.anchor
            frame.born = self._written + self._expanded
        self._outer.append(self._frame)
        self._frame = frame

    def _close(self, _event: Event) -> None:
        frame = self._frame
        node = frame.close()
        if frame.anchor is not None:
            size = self._written + self._expanded - frame.born + 1
            self._anchors[frame.anchor] = _Anchored(node, size)
        self._frame = self._outer.pop()
        self._frame.put(node, node.start)

    def _alias(self, event: _NodeEvent) -> None:
        self._written += 1
        if self._frame.wants_key:
            raise _bad_key(event.start_mark)
        value = self._anchored(str(event.anchor), event.start_mark)
        self._frame.put(value, event.start_mark)

    def _anchored(self, name: str, mark: Mark) -> Node:
        anchored = self._anchors.get(name)
        if anchored is None:
            what = "itself" if name in self._anchors else "no anchor"
            raise HopelessError(mark, f"the alias '*{name}' refers to {what}")
        self._expanded += anchored.size
        if self._expanded > _FREE_EXPANSION + _MAX_EXPANSION * self._written:
            raise HopelessError(
                mark,
                f"the alias '*{name}' makes the file explode",
                "write the values out, or put what cases share under 'defaults'",
            )
        return anchored.value

    def _document(self, event: _NodeEvent) -> None:
        if self._frame.node:
            raise HopelessError(
                event.start_mark, "a second document begins", "remove the line '---'"
            )

    def _check_tag(self, event: _NodeEvent) -> None:
        tag = str(event.tag)
        if tag not in _CORE_TAGS:
            short = tag.replace("tag:yaml.org,2002:", "!!")
            hint = "write plain text, numbers, lists and mappings"
            text = f"the tag {short!r} is not allowed"
            self.findings.append(Finding(event.start_mark, text, hint))


def _bad_key(spot: Spot) -> HopelessError:
    return HopelessError(
        spot,
        "a key must be plain text",
        'text that begins with a brace needs quotes: "{column}"',
    )
