"""Text to nodes that keep their position.

A file is read once into plain JSON values; mappings and lists know the line of
each of their entries, so a finding can always name its place.  What cannot be
trusted (custom tags, repeated keys, aliases that explode) is refused here, and
no file outside the root folder is ever opened.
"""

from __future__ import annotations

from .files import inside, read_text
from .nodes import ListNode, MapNode, Node, Spot, line_of, locate, nodes, place, plain
from .reading import parse, read
from .scalars import resolve

__all__ = [
    "ListNode",
    "MapNode",
    "Node",
    "Spot",
    "inside",
    "line_of",
    "locate",
    "nodes",
    "parse",
    "place",
    "plain",
    "read",
    "read_text",
    "resolve",
]
