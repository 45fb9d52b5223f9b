"""LanceDB: tables in a folder, without a server.

A table of ours carries its revision in the metadata of its schema; a table
without is the team's own.  Replacing makes a new version of the table, and who
has opened the older one goes on reading it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import lancedb
import pyarrow as pa

from pytest_llm_diagnosis.records import Context
from pytest_llm_diagnosis.retrieval.protocol import Embedded
from pytest_llm_diagnosis.schema import NAMESPACE

from .keeping import MARKER, Row, kept, rows, told
from .options import Options, Speaker
from .ranking import Hit, nearest

_ERRORS = (ValueError, RuntimeError, OSError, TypeError, KeyError, NotImplementedError)
_GROUP = "columns"


class LanceStore:
    """A table of a LanceDB folder."""

    def __init__(self, options: Options, folder: Path) -> None:
        path = options.text("path")
        self._name = options.text("table", NAMESPACE)
        self._read_only = _GROUP in options
        self._text = options.field(_GROUP, "text") or "text"
        self._source = options.field(_GROUP, "source") or "source"
        self._vector = options.field(_GROUP, "vector") or "vector"
        self._say = Speaker(f"LanceDB, table {self._name!r} in {path}", path)
        self._table: lancedb.table.Table | None = None
        with self._say.telling(*_ERRORS):
            # An address of a remote one, such as db://..., is no folder.
            place = path if "://" in path else str(folder / path)
            self._database = lancedb.connect(place)

    def revision(self) -> str | None:
        """Return what `replace` was last given; None when nothing of ours is there."""
        with self._say.telling(*_ERRORS):
            self._table = self._opened()
            return None if self._table is None else _revision(self._table)

    def replace(self, revision: str, passages: Iterable[Embedded]) -> None:
        """Keep exactly these passages, under this revision, in place of older ones."""
        content = _content(revision, rows(passages))
        with self._say.telling(*_ERRORS):
            self._table = self._made(content) or self._made(content)
            if self._table is None:
                raise self._say.error("another process makes and removes it meanwhile")

    def nearest(self, vector: Sequence[float], top_k: int) -> tuple[Context, ...]:
        """Return at most `top_k` passages, the most alike first."""
        with self._say.searching(vector, *_ERRORS):
            if self._table is None:
                self._table = self._database.open_table(self._name)
            return nearest(self._propose, vector, top_k)

    def close(self) -> None:
        """Give back files."""
        self._table = None

    def _made(self, content: pa.Table) -> lancedb.table.Table | None:
        """Return the table with new content; None when another has just made it."""
        older = self._opened()
        if self._read_only or (older is not None and _revision(older) is None):
            raise self._say.foreign("table")
        mode = "create" if older is None else "overwrite"
        try:
            return self._database.create_table(self._name, content, mode=mode)
        except ValueError as error:
            if older is None and "already exists" in str(error):
                return None
            raise

    def _opened(self) -> lancedb.table.Table | None:
        try:
            return self._database.open_table(self._name)
        except (ValueError, FileNotFoundError) as error:
            if "not found" in str(error):
                return None
            raise

    def _propose(self, vector: tuple[float, ...], count: int) -> list[Hit]:
        table = self._table
        if table is None or not table.count_rows():
            return []
        ours = _revision(table) is not None
        found = (
            table.search(list(vector), vector_column_name=self._vector)
            # Zero has no cosine; with our lengths the dot product is the cosine.
            .distance_type("dot" if ours else "cosine")
            # Without the distance, which is not used, LanceDB prints a warning.
            .select([self._source, self._text, self._vector, "_distance"])
            .limit(count)
            .to_arrow()
        )
        tell = told if ours else str
        return [
            Hit(tell(str(source)), tell(str(text)), numbers)
            for source, text, numbers in zip(
                found[self._source].to_pylist(),
                found[self._text].to_pylist(),
                found[self._vector].to_pylist(),
                strict=True,
            )
        ]


def _revision(table: lancedb.table.Table) -> str | None:
    marker = (table.schema.metadata or {}).get(MARKER.encode())
    return None if marker is None else told(marker.decode())


def _content(revision: str, kept_rows: Sequence[Row]) -> pa.Table:
    dimensions = len(kept_rows[0].vector) if kept_rows else 1
    schema = pa.schema(
        {
            "source": pa.string(),
            "text": pa.large_string(),
            "vector": pa.list_(pa.float32(), dimensions),
        },
        metadata={MARKER: kept(revision)},
    )
    columns = zip(*kept_rows, strict=True) if kept_rows else ((), (), ())
    arrays = [
        pa.array(list(column), field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
