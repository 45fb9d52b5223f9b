"""Pinecone: a namespace of an index that the team has made.

A vector named `pytest-llm-diagnosis` marks a namespace as ours and tells which
generation is complete; searches see only that one.  Pinecone shows what was
written a little later, so replacing waits until it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pinecone import Pinecone
from pinecone.exceptions import PineconeException

from pytest_llm_diagnosis.records import Context
from pytest_llm_diagnosis.retrieval.protocol import Embedded
from pytest_llm_diagnosis.schema import NAMESPACE

from .keeping import MARKER, Row, batches, fingerprint, kept, rows, told
from .options import Options, Speaker, found_in
from .ranking import Hit, nearest

_ERRORS = (PineconeException, ValueError, TypeError, OSError, RuntimeError)
_GROUP = "metadata"
# Limits of a request: https://docs.pinecone.io/reference/api/database-limits
_MOST_VECTORS = 100
_MOST_BYTES = 1_500_000
_MOST_METADATA = 40_960
_MOST_FOUND = 1_000
_TRIES = 120
_SECONDS_BETWEEN = 0.5


class _Marker(NamedTuple):
    """What is complete in a namespace of ours; no generation while none is."""

    revision: str
    generation: str


class PineconeStore:
    """A namespace of a Pinecone index."""

    def __init__(self, options: Options, _folder: Path) -> None:
        host, key = options.text("host"), options.text("api_key")
        self._read_only = _GROUP in options
        # Without a namespace, people's own vectors are in the default one.
        self._namespace = options.text(
            "namespace", "" if self._read_only else NAMESPACE
        )
        self._text = options.field(_GROUP, "text") or "text"
        self._source = options.field(_GROUP, "source") or "source"
        self._say = Speaker(f"Pinecone, namespace {self._namespace!r}", key, host)
        self._marked: _Marker | None = None
        self._is_known = False
        with self._say.telling(*_ERRORS):
            self._index = Pinecone(api_key=key).Index(host=host)

    def revision(self) -> str | None:
        """Return what `replace` was last given; None when nothing of ours is there."""
        with self._say.telling(*_ERRORS):
            marker = self._marker()
            return marker.revision if marker and marker.generation else None

    def replace(self, revision: str, passages: Iterable[Embedded]) -> None:
        """Keep exactly these passages, under this revision, in place of older ones."""
        content = rows(passages)
        generation = fingerprint(revision, content)
        with self._say.telling(*_ERRORS):
            older = self._writable()
            if older is not None and older.generation == generation:
                return
            self._fit(content)
            size = len(content[0].vector) if content else self._dimensions()
            if older is None:
                # A namespace is ours from its first vector on.
                self._mark(_Marker("", ""), size)
            self._fill(generation, content)
            self._mark(_Marker(revision, generation), size)
            self._clear(generation)

    def nearest(self, vector: Sequence[float], top_k: int) -> tuple[Context, ...]:
        """Return at most `top_k` passages, the most alike first."""
        with self._say.searching(vector, *_ERRORS):
            if not self._is_known:
                self._marker()
            return nearest(self._propose, vector, top_k, _MOST_FOUND)

    def close(self) -> None:
        """Give back the connection."""
        self._index.close()

    def _marker(self) -> _Marker | None:
        self._marked = None
        if not self._read_only:
            metadata = self._fetched([MARKER]).get(MARKER)
            if metadata is not None:
                revision, generation = metadata["revision"], metadata["complete"]
                self._marked = _Marker(told(str(revision)), str(generation))
        self._is_known = True
        return self._marked

    def _fetched(self, ids: Sequence[str]) -> dict[str, Mapping[str, object]]:
        found = self._index.fetch(ids=ids, namespace=self._namespace)
        return {name: one.metadata or {} for name, one in found.vectors.items()}

    def _writable(self) -> _Marker | None:
        """Return what is there of ours; raises when anything else is."""
        marker = None if self._read_only else self._marker()
        if self._read_only or (marker is None and self._is_taken()):
            raise self._say.foreign("namespace")
        return marker

    def _is_taken(self) -> bool:
        page = self._index.list_paginated(namespace=self._namespace, limit=1)
        return any(page.vectors or ())

    def _fit(self, content: Iterable[Row]) -> None:
        for row in content:
            size = len(row.text.encode()) + len(row.source.encode())
            if size + 100 > _MOST_METADATA:
                raise self._say.error(
                    f"passage {told(row.source)!r} has {size} bytes,"
                    f" and Pinecone keeps {_MOST_METADATA} with a vector",
                    "cut the documents into smaller passages",
                )

    def _dimensions(self) -> int:
        return int(self._index.describe_index_stats().dimension or 1)

    def _fill(self, generation: str, content: Sequence[Row]) -> None:
        number = 0
        for batch in batches(content, _MOST_VECTORS, _MOST_BYTES):
            vectors = [
                _vector(generation, number + place, row)
                for place, row in enumerate(batch)
            ]
            self._index.upsert(vectors=vectors, namespace=self._namespace)
            number += len(batch)
            last = str(vectors[-1]["id"])
            self._await(partial(self._has, last))

    def _has(self, name: str) -> bool:
        return name in self._fetched([name])

    def _mark(self, marker: _Marker, size: int) -> None:
        metadata = {"revision": kept(marker.revision), "complete": marker.generation}
        # A vector of zeros would be refused.
        values = [1.0] + [0.0] * (size - 1)
        vector = {"id": MARKER, "values": values, "metadata": metadata}
        self._index.upsert(vectors=[vector], namespace=self._namespace)
        self._await(lambda: self._marker() == marker)

    def _clear(self, generation: str) -> None:
        """Remove what is of no generation that is complete."""
        stale = [
            name
            for page in self._index.list(namespace=self._namespace)
            for name in (str(item.id) for item in page.vectors)
            if name != MARKER and not name.startswith(f"{generation}-")
        ]
        for start in range(0, len(stale), _MOST_FOUND):
            ids = stale[start : start + _MOST_FOUND]
            self._index.delete(ids=ids, namespace=self._namespace)

    def _await(self, is_seen: Callable[[], bool]) -> None:
        for _ in range(_TRIES):
            if is_seen():
                return
            time.sleep(_SECONDS_BETWEEN)
        waited = round(_TRIES * _SECONDS_BETWEEN)
        raise self._say.error(f"what was written is not shown after {waited} s")

    def _propose(self, vector: tuple[float, ...], count: int) -> list[Hit]:
        ours = self._marked
        wanted = {"generation": {"$eq": ours.generation}} if ours is not None else None
        found = self._index.query(
            vector=list(vector),
            top_k=count,
            namespace=self._namespace,
            filter=wanted,
            include_values=True,
            include_metadata=True,
        )
        return [
            self._hit(match.id, match.values, match.metadata or {}, ours=bool(ours))
            for match in found.matches
        ]

    def _hit(
        self,
        name: str,
        vector: Sequence[float],
        data: Mapping[str, object],
        *,
        ours: bool,
    ) -> Hit:
        if ours:
            return Hit(told(str(data["source"])), told(str(data["text"])), vector)
        text = found_in(data, self._text)
        if text is None:
            raise self._say.error(
                f"vector {name!r} has no {self._text!r} in its metadata",
                f"it has: {', '.join(sorted(data))}",
            )
        source = found_in(data, self._source)
        return Hit(str(name if source is None else source), str(text), vector)


def _vector(generation: str, number: int, row: Row) -> dict[str, object]:
    return {
        "id": f"{generation}-{number}",
        "values": list(row.vector),
        "metadata": {
            "source": row.source,
            "text": row.text,
            "generation": generation,
        },
    }
