"""`defaults`: what stands below every case of a file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_llm_diagnosis.errors import Problem
from pytest_llm_diagnosis.schema import Validator, located
from pytest_llm_diagnosis.source import MapNode

from .filling import has_braces

_MERGED = ("params", "limits")
_CONVERSATION = ("prompt", "messages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """The entries that hold for every case.

    `unsettled` are those with braces: what they say is known only after a row
    has filled them in, so they are checked with each case; the others are
    checked once.  `faulty` names the keys that were reported and left out.
    """

    node: MapNode
    unsettled: MapNode
    faulty: frozenset[str] = frozenset()

    def below(self, own: MapNode) -> MapNode:
        """Return a case's own entries with the defaults below them."""
        if not self.node:
            return own
        joined = own.over(self.node)
        for key in _MERGED:
            above, below = own.get(key), self.node.get(key)
            if isinstance(above, MapNode) and isinstance(below, MapNode):
                joined[key] = above.over(below)
        # A case that gives its own conversation replaces the default one.
        if any(key in own for key in _CONVERSATION):
            hidden = [key for key in _CONVERSATION if key in joined and key not in own]
            return joined.without(hidden) if hidden else joined
        return joined

    def blaming(self, keys: Collection[str]) -> Defaults:
        """Return the same defaults with more keys that were reported."""
        return replace(self, faulty=self.faulty.union(keys))

    def filled(self, unsettled: MapNode) -> Defaults:
        """Return the same defaults with their braces filled in."""
        return replace(self, node=unsettled.over(self.node), unsettled=unsettled)


def read_defaults(
    node: MapNode, validator: Validator, path: Path
) -> tuple[Defaults, list[Problem]]:
    """Return the defaults that a file gives, and what is wrong with them."""
    braced = {key for key, value in node.items() if has_braces(value)}
    settled = node.without(braced)
    faults = validator.faults(settled)
    faulty = frozenset(str(fault.trail[0]) for fault in faults)
    defaults = Defaults(
        node=node.without(faulty),
        unsettled=node.only(braced),
        faulty=faulty,
    )
    return defaults, [located(fault, settled, path) for fault in faults]
