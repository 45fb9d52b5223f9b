"""`extends`: chains of variants, and what each variant is after its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from pytest_llm_diagnosis.errors import InputError, Location, valid_choices
from pytest_llm_diagnosis.records import Kind
from pytest_llm_diagnosis.source import MapNode, place

from .outlining import Layer

SOURCES = ("model", "call", "script")
_ENDPOINT = ("model", "api_base", "api_key", "params", "lane", "headers", "window")
_JOINED = ("params", "headers")


class Merged(NamedTuple):
    """A variant with everything it takes over, and what it gives the model.

    `faulty` names the keys that were left out of it or of one it extends.
    """

    node: MapNode
    kind: Kind
    faulty: frozenset[str]


class Chains:
    """The variants of one file, resolved along `extends`."""

    def __init__(self, layers: Mapping[str, Layer], path: Path) -> None:
        self._layers = layers
        self._path = path

    def merged(self, name: str) -> Merged:
        """Return a variant over those it extends.

        Raises `InputError` where the chain leads to an unknown variant, or in a
        circle; whichever variant one begins with, it is the same problem.
        """
        names: list[str] = []
        while name not in names:
            names.append(name)
            node = self._layers[name].node
            if "extends" not in node:
                return _merge([self._layers[one] for one in reversed(names)])
            name = str(node["extends"])
            if name not in self._layers:
                raise self._unknown(node, name)
        raise self._circular(names[names.index(name) :])

    def _unknown(self, node: MapNode, parent: str) -> InputError:
        hint = valid_choices(parent, list(self._layers), "variants")
        finding = f"'extends' names an unknown variant {parent!r}"
        return InputError.at(self._location(node), finding, hint)

    def _circular(self, circle: Sequence[str]) -> InputError:
        order = list(self._layers)
        start = circle.index(min(circle, key=order.index))
        names = [*circle[start:], *circle[: start + 1]]
        finding = f"'extends' goes in a circle: {' -> '.join(names)}"
        return InputError.at(self._location(self._layers[names[0]].node), finding)

    def _location(self, node: MapNode) -> Location:
        return place(node.spots["extends"][1], self._path)


def _merge(chain: Sequence[Layer]) -> Merged:
    node = chain[0].node
    kind = _kind(node, None) or "prompt"
    for layer in chain[1:]:
        kind = _kind(layer.node, node) or kind
        node = _over(layer.node, node)
    faulty = frozenset(key for layer in chain for key in layer.faulty)
    return Merged(node, kind, faulty)


def _over(layer: MapNode, below: MapNode) -> MapNode:
    if any(source in layer for source in SOURCES):
        below = below.without(_dropped(layer, below))
    joined = layer.over(below)
    for key in _JOINED:
        own, inherited = layer.get(key), below.get(key)
        if isinstance(own, MapNode) and isinstance(inherited, MapNode):
            joined[key] = own.over(inherited)
    return joined


def _dropped(layer: MapNode, below: MapNode) -> set[str]:
    """Return what is not taken over by a layer that asks something else.

    Never headers: a token is meant for the URL that it stands beside.  Nor the
    window: another model takes another number of tokens.
    """
    if "model" in layer or ("call" in layer and "call" in below):
        return {*SOURCES, "headers", "window"}
    return {*SOURCES, *_ENDPOINT}


def _kind(layer: MapNode, below: MapNode | None) -> Kind | None:
    """Return what one layer gives the model; None when it changes nothing of note.

    The nearest layer that gives something decides.  A layer that gives several
    things at once is named after the one that costs most to build.
    """
    if "kind" in layer:
        return cast("Kind", layer["kind"])
    if "call" in layer:
        return "app"
    inherited = below.get("model") if below is not None else None
    if inherited is not None and layer.get("model", inherited) != inherited:
        return "weights"
    given: tuple[tuple[str, Kind], ...] = (
        ("retrieve", "retrieval"),
        ("context", "long_context"),
        ("examples", "examples"),
        ("system", "prompt"),
    )
    return next((kind for key, kind in given if layer.get(key)), None)
