"""Values that know where they stand in their file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, TypeAlias, cast

from pytest_llm_diagnosis.errors import Location
from pytest_llm_diagnosis.records import Json


class Mark(Protocol):
    """A position as the YAML parser counts it: line and column from 0."""

    @property
    def line(self) -> int:
        """The line, counted from 0."""

    @property
    def column(self) -> int:
        """The column, counted from 0."""


Spot: TypeAlias = Mark | Location
"""A mark in the file being read, or a location when the text came from another."""


class MapNode(dict[str, "Node"]):
    """A mapping whose entries know where their key and their value stand."""

    __slots__ = ("spots", "start")

    def __init__(self, start: Spot) -> None:
        super().__init__()
        self.start = start
        self.spots: dict[str, tuple[Spot, Spot]] = {}

    def put(self, key: str, value: Node, spots: tuple[Spot, Spot]) -> None:
        """Set an entry together with the spots of its key and its value."""
        self[key] = value
        self.spots[key] = spots

    def without(self, keys: Iterable[str]) -> MapNode:
        """Return a copy that lacks the given keys."""
        dropped = frozenset(keys)
        copy = MapNode(self.start)
        for key, value in self.items():
            if key not in dropped:
                copy.put(key, value, self.spots[key])
        return copy

    def only(self, keys: Iterable[str]) -> MapNode:
        """Return a copy that has the given keys at most."""
        return self.without(self.keys() - set(keys))

    def over(self, below: MapNode) -> MapNode:
        """Return both mappings as one; an entry of this one hides one below."""
        joined = MapNode(self.start)
        joined.update(below)
        joined.update(self)
        joined.spots = {**below.spots, **self.spots}
        return joined


class ListNode(list["Node"]):
    """A list whose items know where they stand."""

    __slots__ = ("spots", "start")

    def __init__(self, start: Spot) -> None:
        super().__init__()
        self.start = start
        self.spots: list[Spot] = []

    def put(self, value: Node, spot: Spot) -> None:
        """Append an item together with its spot."""
        self.append(value)
        self.spots.append(spot)


Node: TypeAlias = bool | int | float | str | MapNode | ListNode | None


def place(spot: Spot, path: Path) -> Location:
    """Return the location of a spot; a mark belongs to the file at `path`."""
    if isinstance(spot, Location):
        return spot
    return Location(path=path, line=spot.line + 1, column=spot.column + 1)


def line_of(spot: Spot) -> int:
    """Return the line of a spot, counted from 1."""
    return spot.line if isinstance(spot, Location) else spot.line + 1


def locate(
    node: MapNode | ListNode, trail: Iterable[str | int], path: Path, *, key: bool
) -> Location:
    """Return where a trail of keys and indexes below a node leads.

    With `key` it is the place of the last key, otherwise of its value.  A trail
    that leaves the tree ends at the last place known.
    """
    spot: Spot = node.start
    value: Node = node
    for step in trail:
        if isinstance(value, MapNode) and step in value:
            spot = value.spots[cast("str", step)][0 if key else 1]
            value = value[cast("str", step)]
        elif isinstance(value, ListNode) and isinstance(step, int):
            spot = value.spots[step]
            value = value[step]
    return place(spot, path)


def plain(node: Node) -> Json:
    """Return a node as plain dicts and lists, without positions."""
    if isinstance(node, MapNode):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, ListNode):
        return [plain(value) for value in node]
    return node


def nodes(value: Json, spot: Spot) -> Node:
    """Return JSON data as nodes that all stand at one spot."""
    if isinstance(value, dict):
        mapping = MapNode(spot)
        for key, entry in value.items():
            mapping.put(key, nodes(entry, spot), (spot, spot))
        return mapping
    if isinstance(value, list):
        items = ListNode(spot)
        for item in value:
            items.put(nodes(item, spot), spot)
        return items
    return cast("bool | int | float | str | None", value)
