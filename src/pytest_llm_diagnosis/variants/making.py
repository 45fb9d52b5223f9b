"""A variant's nodes, merged along `extends`, to a `Variant`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar, cast

from pytest_llm_diagnosis.errors import InputError, Location, Problem
from pytest_llm_diagnosis.records import (
    Application,
    Endpoint,
    JsonObject,
    Lane,
    Library,
    Variant,
)
from pytest_llm_diagnosis.schema import meant
from pytest_llm_diagnosis.source import MapNode, place, plain

from .calling import bad_call
from .extending import SOURCES, Merged
from .giving import Giver
from .outlining import Layer

_Given = TypeVar("_Given")


class Maker:
    """Makes the variants of one file."""

    def __init__(self, path: Path, root: Path) -> None:
        self._path = path
        self._giver = Giver(path, root)

    def library(self, node: MapNode | None) -> Library | None:
        """Return the documents: those that the file states, else its variants'.

        To be called when all variants are made; raises `InputError`.
        """
        return self._giver.library(node)

    def variant(self, layer: Layer, merged: Merged, filled: MapNode | None) -> Variant:
        """Return a variant from its merged keys, and those filled in for a call.

        Raises `InputError` with everything that is wrong with it.
        """
        node = merged.node
        problems = [
            *self._bad_source(layer, merged),
            *bad_call(node, filled, self._path),
            *self._bad_lane(node),
        ]
        has_model = "model" in node
        variant = Variant(
            name=layer.name,
            location=self._call_location(node) or layer.location,
            kind=merged.kind,
            written=_endpoint(node) if has_model else None,
            live=_endpoint(filled) if has_model and filled is not None else None,
            call=_text(node, "call"),
            headers=_headers(node),
            params={} if has_model else _params(node),
            live_app=_application(filled),
            script=_try(self._giver.script, node, problems),
            system=_try(self._giver.system, node, problems),
            examples=_try(self._giver.examples, node, problems),
            retrieve=_try(
                lambda one: self._giver.retrieve(one, filled), node, problems
            ),
            context=_try(self._giver.context, node, problems),
            window=_count(node, "window"),
            revision=_text(node, "revision"),
            max_concurrency=_count(node, "max_concurrency"),
            lane=cast("Lane | None", node.get("lane")),
        )
        if problems:
            raise InputError(problems)
        return variant

    def _bad_source(self, layer: Layer, merged: Merged) -> Iterator[Problem]:
        """Yield that a variant states nothing to ask, or more than one thing."""
        given = [key for key in SOURCES if key in merged.node]
        if len(given) > 1:
            spot = merged.node.spots[given[1]][0]
            finding = f"{given[0]!r} and {given[1]!r} are both given"
            hint = "a variant asks one of them"
            yield Problem(location=place(spot, self._path), finding=finding, hint=hint)
        if not given and "" not in merged.faulty and not meant(merged.faulty, SOURCES):
            finding = f"variant {layer.name!r} has nothing to ask"
            hint = "give it 'model' or 'call', or let it extend a variant that has one"
            yield Problem(location=layer.location, finding=finding, hint=hint)

    def _bad_lane(self, node: MapNode) -> Iterator[Problem]:
        other = next((key for key in ("call", "script") if key in node), None)
        if "lane" in node and other is not None:
            location = place(node.spots["lane"][0], self._path)
            finding = f"'lane' and {other!r} are both given"
            hint = "a lane is a way to a model's endpoint"
            yield Problem(location=location, finding=finding, hint=hint)

    def _call_location(self, node: MapNode) -> Location | None:
        return place(node.spots["call"][1], self._path) if "call" in node else None


def _try(
    give: Callable[[MapNode], _Given], node: MapNode, problems: list[Problem]
) -> _Given | None:
    try:
        return give(node)
    except InputError as error:
        problems += error.problems
        return None


def _endpoint(node: MapNode) -> Endpoint:
    return Endpoint(
        model=str(node["model"]),
        api_base=_text(node, "api_base"),
        api_key=_text(node, "api_key"),
        params=_params(node),
    )


def _application(filled: MapNode | None) -> Application | None:
    if filled is None or "call" not in filled:
        return None
    return Application(
        target=str(filled["call"]), headers=_headers(filled), params=_params(filled)
    )


def _params(node: MapNode) -> JsonObject:
    return cast("JsonObject", plain(node.get("params")) or {})


def _headers(node: MapNode) -> Mapping[str, str]:
    return cast("Mapping[str, str]", plain(node.get("headers")) or {})


def _text(node: MapNode, key: str) -> str | None:
    return str(node[key]) if key in node else None


def _count(node: MapNode, key: str) -> int | None:
    return int(cast("float", node[key])) if key in node else None
