"""What a variant retrieves: the keys below `retrieve:`, and which fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, cast

from pytest_llm_diagnosis.errors import InputError, Problem
from pytest_llm_diagnosis.records import (
    Chunk,
    Embeddings,
    Endpoint,
    JsonObject,
    Retrieve,
    Search,
)
from pytest_llm_diagnosis.source import MapNode, Node, Spot, place, plain

from .calls import is_target

_TOP_K = 3
_BATCH = 64
_SOURCES = ("documents", "call", "store")
_OF_DOCUMENTS = ("chunk", "search", "embeddings", "store", "retriever")
_BY_MEANING = ("search", "embeddings", "store")
_EMBEDDERS = ("model", "call", "local")
_OF_ENDPOINT = ("api_base", "api_key", "params")
_EXAMPLE: Final[Mapping[str, str]] = {
    "documents": "like documents: docs/**/*.md",
    "call": "like northwind.search:passages",
}

Matching = Callable[[Node, Spot], tuple[Path, ...]]
"""Gives the files that patterns match; raises `InputError` at their place."""


def read_retrieve(
    node: MapNode, live: MapNode | None, path: Path, matching: Matching
) -> Retrieve:
    """Return what the mapping below `retrieve:` says.

    `live` is the same filled in from the environment, None when replaying.
    Raises `InputError` with every key that does not fit the others.
    """
    reader = _Reader(node, path)
    problems = list(reader.problems())
    documents: tuple[Path, ...] = ()
    if "documents" in node:
        try:
            documents = matching(node["documents"], node.spots["documents"][1])
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return Retrieve(
        documents=documents,
        top_k=_number(node, "top_k", _TOP_K),
        chunk=_chunk(node.get("chunk")),
        search=_search(node),
        embeddings=_embeddings(node, live),
        store=_mapping(node, "store"),
        live_store=_mapping(live, "store") if live is not None else None,
        call=_text(node, "call"),
        retriever=_text(node, "retriever"),
        settings=_mapping(node, "settings") or {},
        location=place(node.start, path),
    )


class _Reader:
    """Finds what is wrong with the keys of one mapping together."""

    def __init__(self, node: MapNode, path: Path) -> None:
        self._node = node
        self._path = path

    def problems(self) -> Iterator[Problem]:
        """Yield them."""
        node = self._node
        given = [key for key in _SOURCES if key in node]
        if not given:
            finding = "'retrieve' names nothing to search"
            hint = "give it 'documents', a 'store' that has its own, or your own 'call'"
            yield Problem(
                location=place(node.start, self._path), finding=finding, hint=hint
            )
        if "call" in node:
            yield from self._beside("call", ("documents", *_OF_DOCUMENTS))
            yield from self._bad_call(node)
        if "retriever" in node:
            yield from self._beside("retriever", _BY_MEANING)
        elif "settings" in node:
            finding = "'settings' are given, and no 'retriever' that takes them"
            yield self._at("settings", finding)
        yield from self._bad_search()
        yield from self._bad_overlap()
        embeddings = node.get("embeddings")
        if isinstance(embeddings, MapNode):
            yield from self._bad_embeddings(embeddings)

    def _beside(self, key: str, others: tuple[str, ...]) -> Iterator[Problem]:
        for other in others:
            if other in self._node:
                finding = f"{key!r} and {other!r} are both given"
                yield self._at(other, finding, f"{key!r} searches in its own way")

    def _bad_search(self) -> Iterator[Problem]:
        node = self._node
        search = node.get("search")
        if search in {"text", "hybrid"} and "store" in node and "documents" not in node:
            hint = "give 'documents' too, or write search: vectors"
            yield self._at("search", f"search: {search} needs 'documents'", hint)
        if search in {"vectors", "hybrid"} and "embeddings" not in node:
            hint = "give it, like embeddings: {local: wordllama}"
            yield self._at("search", f"search: {search} needs 'embeddings'", hint)
        for key in ("embeddings", "store"):
            if key in node and search == "text":
                finding = f"{key!r} is given, and search: text uses none"
                yield self._at(key, finding, "write search: vectors, or hybrid")
        for key in ("chunk", "retriever"):
            if key in node and "documents" not in node and "call" not in node:
                yield self._at(key, f"{key!r} is given, and no 'documents'")
        if "store" in node and "embeddings" not in node:
            finding = "'store' keeps vectors, and there are no 'embeddings'"
            yield self._at("store", finding, "give it, like {local: wordllama}")

    def _bad_overlap(self) -> Iterator[Problem]:
        chunk = _chunk(self._node.get("chunk"))
        written = self._node.get("chunk")
        if chunk and isinstance(written, MapNode) and chunk.overlap >= chunk.words:
            spot = written.spots["overlap"][1]
            finding = (
                f"an overlap of {chunk.overlap} leaves nothing new in pieces of "
                f"{chunk.words} words"
            )
            hint = f"at most {chunk.words - 1}"
            yield Problem(location=place(spot, self._path), finding=finding, hint=hint)

    def _bad_embeddings(self, node: MapNode) -> Iterator[Problem]:
        given = [key for key in _EMBEDDERS if key in node]
        if not given:
            finding = "'embeddings' names nothing that makes them"
            hint = f"give one of: {', '.join(_EMBEDDERS)}"
            yield self._at("embeddings", finding, hint)
        for key in given[1:]:
            finding = f"{given[0]!r} and {key!r} are both given"
            yield self._in(node, key, finding, f"one of: {', '.join(_EMBEDDERS)}")
        for key in _OF_ENDPOINT:
            if key in node and given and "model" not in node:
                finding = f"{key!r} is of an endpoint, and {given[0]!r} has none"
                yield self._in(node, key, finding, "leave it out, or give 'model'")
        if "call" in node:
            yield from self._bad_call(node)

    def _bad_call(self, node: MapNode) -> Iterator[Problem]:
        if not is_target(str(node["call"])):
            finding = f"'call' must be module:attribute, got {str(node['call'])!r}"
            yield self._in(node, "call", finding, _EXAMPLE["call"])

    def _at(self, key: str, finding: str, hint: str = "") -> Problem:
        return self._in(self._node, key, finding, hint)

    def _in(self, node: MapNode, key: str, finding: str, hint: str) -> Problem:
        location = place(node.spots[key][0], self._path)
        return Problem(location=location, finding=finding, hint=hint)


def _search(node: MapNode) -> Search:
    both = "hybrid" if "documents" in node else "vectors"
    default = both if "embeddings" in node else "text"
    return cast("Search", node.get("search", default))


def _chunk(node: Node) -> Chunk | None:
    if not isinstance(node, MapNode):
        return None
    return Chunk(words=_number(node, "words", 0), overlap=_number(node, "overlap", 0))


def _embeddings(node: MapNode, live: MapNode | None) -> Embeddings | None:
    written = node.get("embeddings")
    if not isinstance(written, MapNode):
        return None
    filled = live.get("embeddings") if live is not None else None
    return Embeddings(
        written=_endpoint(written),
        live=_endpoint(filled) if isinstance(filled, MapNode) else None,
        call=_text(written, "call"),
        local=_text(written, "local"),
        batch=_number(written, "batch", _BATCH),
    )


def _endpoint(node: MapNode) -> Endpoint | None:
    if "model" not in node:
        return None
    return Endpoint(
        model=str(node["model"]),
        api_base=_text(node, "api_base"),
        api_key=_text(node, "api_key"),
        params=_mapping(node, "params") or {},
    )


def _mapping(node: MapNode, key: str) -> JsonObject | None:
    return cast("JsonObject", plain(node[key])) if key in node else None


def _text(node: MapNode, key: str) -> str | None:
    return str(node[key]) if key in node else None


def _number(node: MapNode, key: str, default: int) -> int:
    return int(cast("float", node.get(key, default)))
