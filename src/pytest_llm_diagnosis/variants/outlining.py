"""The shape of a variants file: its names, each with what stands below it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pytest_llm_diagnosis.errors import InputError, Location, Problem
from pytest_llm_diagnosis.schema import Fault, Validator, located, variants_schema
from pytest_llm_diagnosis.source import MapNode, Node, locate, place, read

from .selection import ALL, names

# A name is part of node ids and the name of a recording.
_NAME = re.compile(r"\w[\w.+-]*")


class Layer(NamedTuple):
    """What one variant states itself; `faulty` keys were reported and left out."""

    name: str
    location: Location
    node: MapNode
    faulty: frozenset[str]


class Outline(NamedTuple):
    """The layers of a file, its default selection, and what is wrong so far.

    `documents` is what it says of its documents, without what is faulty.
    """

    layers: Mapping[str, Layer]
    default: str | None
    problems: tuple[Problem, ...]
    documents: MapNode | None = None


def read_outline(path: Path) -> Outline:
    """Return the outline of a variants file; raises `InputError` if unreadable."""
    root = read(path)
    faults = Validator(variants_schema()).faults(root)
    problems = [located(fault, root, path) for fault in faults]
    listed = root.get("variants") if isinstance(root, MapNode) else None
    if not isinstance(root, MapNode) or not isinstance(listed, MapNode):
        raise InputError(problems)
    faulty = _faulty_keys(faults)
    layers = {
        name: _layer(name, node, place(listed.spots[name][0], path), faulty[name])
        for name, node in listed.items()
    }
    problems += [problem for layer in layers.values() for problem in _bad_name(layer)]
    default = root.get("default")
    documents = _documents(root, faults)
    if not isinstance(default, str):
        return Outline(layers, None, tuple(problems), documents)
    location = locate(root, ["default"], path, key=False)
    problems += _bad_default(default, list(layers), location)
    return Outline(layers, default, tuple(problems), documents)


def _documents(root: MapNode, faults: list[Fault]) -> MapNode | None:
    """Return what the file says of its documents, None where that is faulty."""
    documents = root.get("documents")
    if any(fault.trail[:1] == ("documents",) for fault in faults):
        return None
    return documents if isinstance(documents, MapNode) else None


def _faulty_keys(faults: list[Fault]) -> Mapping[str, set[str]]:
    """Return the keys of each variant that break the schema; '' for all of it."""
    faulty: dict[str, set[str]] = defaultdict(set)
    for fault in faults:
        if fault.trail[:1] == ("variants",):
            _, name, key, *_ = *fault.trail, "", ""
            faulty[str(name)].add(str(key))
    return faulty


def _layer(name: str, node: Node, location: Location, faulty: set[str]) -> Layer:
    mapping = node if isinstance(node, MapNode) else MapNode(location)
    return Layer(name, location, mapping.without(faulty), frozenset(faulty))


def _bad_name(layer: Layer) -> Iterator[Problem]:
    finding = f"a variant cannot be named {layer.name!r}"
    if layer.name == ALL:
        hint = "'all' means every variant"
        yield Problem(location=layer.location, finding=finding, hint=hint)
    elif not _NAME.fullmatch(layer.name):
        hint = "use letters, digits, '_', '-', '.' and '+'"
        yield Problem(location=layer.location, finding=finding, hint=hint)


def _bad_default(
    default: str, known: list[str], location: Location
) -> tuple[Problem, ...]:
    try:
        names(default, known, location)
    except InputError as error:
        return error.problems
    return ()
