"""Qdrant: a server, or a folder that the client reads by itself.

What we keep is a collection named after its content, with a point that holds
its revision, behind an alias that has the name the user wrote.  A newer one is
complete before the alias moves, so others never search half of it, and two that
build the same do no harm.  A collection without that point is the team's own.
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple, cast

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from pytest_llm_diagnosis.records import Context
from pytest_llm_diagnosis.retrieval.protocol import Embedded
from pytest_llm_diagnosis.schema import NAMESPACE

from .keeping import MARKER, Row, batches, fingerprint, kept, rows, told
from .options import Options, Speaker, found_in
from .qdrant_folder import copied, is_folder, opened_folder
from .ranking import Hit, nearest

_ERRORS = (ApiException, ValueError, RuntimeError, OSError, KeyError, TypeError)
_GROUP = "payload"
_MARKER_ID = str(uuid.uuid5(uuid.NAMESPACE_OID, MARKER))
_NOT_MARKER = models.Filter(must_not=[models.HasIdCondition(has_id=[_MARKER_ID])])
_MOST_POINTS = 256
# A server refuses requests of more than 32 MB.
_MOST_BYTES = 8_000_000
_TIMEOUT = 30


class _Searched(NamedTuple):
    """What a search goes to: a client, and a collection of ours or theirs."""

    client: QdrantClient
    collection: str
    ours: bool


class QdrantStore:
    """A collection of a Qdrant server or folder."""

    def __init__(self, options: Options, folder: Path) -> None:
        url, path = options.text("url"), options.text("path")
        self._name = options.text("collection", NAMESPACE)
        self._read_only = _GROUP in options
        self._text = options.field(_GROUP, "text") or "text"
        self._source = options.field(_GROUP, "source") or "source"
        self._vector = options.text("vector") or None
        what = f"Qdrant, collection {self._name!r} in {path or '(no path)'}"
        key = options.text("api_key")
        self._say = Speaker(
            f"Qdrant, collection {self._name!r}" if url else what,
            url,
            key,
            words=_words,
        )
        if bool(url) == bool(path):
            raise self._say.error("it needs either a url or a path")
        self._folder = folder / path
        self._searched: _Searched | None = None
        with self._say.telling(*_ERRORS):
            self._server = _server(url, key) if url else None

    def revision(self) -> str | None:
        """Return what `replace` was last given; None when nothing of ours is there."""
        with self._say.telling(*_ERRORS):
            self._forget()
            if self._server is None and not is_folder(self._folder):
                return None
            with self._opened() as client:
                marker = _marker(client, _behind(client, self._name))
                return None if marker is None else told(marker)

    def replace(self, revision: str, passages: Iterable[Embedded]) -> None:
        """Keep exactly these passages, under this revision, in place of older ones."""
        content = rows(passages)
        with self._say.telling(*_ERRORS):
            if self._read_only:
                raise self._say.foreign("collection")
            self._forget()
            with self._opened() as client:
                older = _behind(client, self._name)
                if older is not None and _marker(client, older) is None:
                    raise self._say.foreign("collection")
                newer = f"{self._name}-{fingerprint(revision, content)}"
                if newer != older:
                    _fill(client, newer, revision, content)
                    _move(client, self._name, older, newer)

    def nearest(self, vector: Sequence[float], top_k: int) -> tuple[Context, ...]:
        """Return at most `top_k` passages, the most alike first."""
        with self._say.searching(vector, *_ERRORS):
            if self._searched is None:
                self._searched = self._search()
            return nearest(self._propose, vector, top_k)

    def close(self) -> None:
        """Give back files and connections."""
        self._forget()
        if self._server is not None:
            self._server.close()

    def _opened(self) -> AbstractContextManager[QdrantClient]:
        if self._server is not None:
            return nullcontext(self._server)
        return opened_folder(self._folder)

    def _forget(self) -> None:
        if self._searched is not None and self._server is None:
            self._searched.client.close()
        self._searched = None

    def _search(self) -> _Searched:
        if self._server is None and not is_folder(self._folder):
            raise self._say.error("nothing of Qdrant is in this folder")
        with self._opened() as client:
            if self._read_only and self._server is not None:
                # A key for this one collection could not list aliases.
                return _Searched(client, self._name, ours=False)
            name = _behind(client, self._name)
            if name is None:
                raise self._say.error("there is no such collection")
            ours = not self._read_only and _marker(client, name) is not None
            if self._server is not None:
                # By its alias, which follows what others replace.
                return _Searched(client, self._name, ours)
            return _Searched(copied(client, name), name, ours)

    def _propose(self, vector: tuple[float, ...], count: int) -> list[Hit]:
        client, collection, ours = cast("_Searched", self._searched)
        # A folder is always searched in full, and warns when asked to be.
        in_full = ours and self._server is not None
        found = client.query_points(
            collection,
            query=list(vector),
            using=self._vector,
            query_filter=_NOT_MARKER if ours else None,
            search_params=models.SearchParams(exact=True) if in_full else None,
            limit=count,
            with_payload=True,
            with_vectors=True if self._vector is None else [self._vector],
        )
        return [self._hit(point, ours=ours) for point in found.points]

    def _hit(self, point: models.ScoredPoint, *, ours: bool) -> Hit:
        vector: object = point.vector
        if isinstance(vector, Mapping):
            vector = vector.get(self._vector)
        if not isinstance(vector, list) or isinstance((vector or [0])[0], list):
            raise self._say.error("its points have no vector of plain numbers")
        payload = point.payload or {}
        if ours:
            return Hit(told(payload["source"]), told(payload["text"]), vector)
        text = found_in(payload, self._text)
        if text is None:
            raise self._say.error(
                f"point {point.id} has no {self._text!r} in its payload",
                f"it has: {', '.join(sorted(payload))}",
            )
        source = found_in(payload, self._source)
        return Hit(str(point.id if source is None else source), str(text), vector)


def _words(error: Exception) -> str:
    """Return what a server said, out of the client's account of the response."""
    if isinstance(error, UnexpectedResponse):
        told = f"{error.status_code} {error.reason_phrase}"
        try:
            return f"{told}: {error.structured()['status']['error']}"
        except (ValueError, KeyError, TypeError):
            return f"{told}: {error.content.decode(errors='replace')}"
    return str(error)


def _server(url: str, key: str) -> QdrantClient:
    with warnings.catch_warnings():
        # It warns of a key over plain HTTP, which a server on loopback speaks.
        warnings.simplefilter("ignore")
        return QdrantClient(
            url=url, api_key=key or None, timeout=_TIMEOUT, check_compatibility=False
        )


def _behind(client: QdrantClient, name: str) -> str | None:
    """Return the collection that a name or alias means; None if there is none."""
    for alias in client.get_aliases().aliases:
        if alias.alias_name == name:
            return alias.collection_name
    return name if client.collection_exists(name) else None


def _marker(client: QdrantClient, collection: str | None) -> str | None:
    if collection is None:
        return None
    points = client.retrieve(collection, ids=[_MARKER_ID], with_payload=True)
    found = [(point.payload or {}).get(MARKER) for point in points]
    return str(found[0]) if found and found[0] is not None else None


def _fill(
    client: QdrantClient, collection: str, revision: str, content: Sequence[Row]
) -> None:
    size = len(content[0].vector) if content else 1
    if not client.collection_exists(collection):
        client.create_collection(
            collection,
            vectors_config=models.VectorParams(size=size, distance=models.Distance.DOT),
        )
    number = 0
    for batch in batches(content, _MOST_POINTS, _MOST_BYTES):
        points = [_point(number + place, row) for place, row in enumerate(batch)]
        client.upsert(collection, points=points)
        number += len(batch)
    marker = {MARKER: kept(revision)}
    last = models.PointStruct(id=_MARKER_ID, vector=[0.0] * size, payload=marker)
    client.upsert(collection, points=[last])


def _point(number: int, row: Row) -> models.PointStruct:
    payload = {"source": row.source, "text": row.text}
    return models.PointStruct(id=number, vector=list(row.vector), payload=payload)


def _move(client: QdrantClient, alias: str, older: str | None, newer: str) -> None:
    create = models.CreateAlias(collection_name=newer, alias_name=alias)
    operations: list[models.AliasOperations] = []
    if older is not None:
        delete = models.DeleteAlias(alias_name=alias)
        operations.append(models.DeleteAliasOperation(delete_alias=delete))
    operations.append(models.CreateAliasOperation(create_alias=create))
    client.update_collection_aliases(change_aliases_operations=operations)
    if older is not None:
        client.delete_collection(older)
