"""PostgreSQL with the extension vector (https://github.com/pgvector/pgvector).

A table of ours carries its revision in its comment; a table without is the
team's own.  Replacing is one transaction: others read the older table until
the newer one is complete.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pytest_llm_diagnosis.records import Context
from pytest_llm_diagnosis.retrieval.protocol import Embedded
from pytest_llm_diagnosis.schema import NAMESPACE

from .keeping import MARKER, Row, kept, rows, told
from .options import Options, Speaker
from .ranking import Hit, nearest

_ERRORS = (psycopg.Error, UnicodeError)
_GROUP = "columns"
_PREFIX = f"{MARKER}: "
_SECONDS_TO_CONNECT = 10
_ADDRESS = (
    "like postgresql://user:password@host:5432/name; in a password,"
    " write / as %2F, @ as %40, : as %3A and % as %25"
)


class _Searched(NamedTuple):
    """A column of vectors: its type's schema and name, and whether it is ours."""

    schema: str
    type: str
    ours: bool


class PgvectorStore:
    """A table of a PostgreSQL database."""

    def __init__(self, options: Options, _folder: Path) -> None:
        url = options.text("url")
        name = options.text("table", NAMESPACE)
        self._table = sql.Identifier(*name.split(".", maxsplit=1))
        self._read_only = _GROUP in options
        self._text = sql.Identifier(options.field(_GROUP, "text") or "text")
        self._source = sql.Identifier(options.field(_GROUP, "source") or "source")
        self._vector = options.field(_GROUP, "vector") or "vector"
        self._say = Speaker(
            f"PostgreSQL, table {name!r}",
            url,
            str((_parsed(url) or {}).get("password")),
        )
        self._searched: _Searched | None = None
        self._connection = self._connect(url)
        # Nobody has to remember to close it, and psycopg warns if it stays open.
        weakref.finalize(self, self._connection.close)

    def revision(self) -> str | None:
        """Return what `replace` was last given; None when nothing of ours is there."""
        self._searched = None
        with self._say.telling(*_ERRORS):
            return self._revision()

    def replace(self, revision: str, passages: Iterable[Embedded]) -> None:
        """Keep exactly these passages, under this revision, in place of older ones."""
        content = rows(passages)
        with self._say.telling(*_ERRORS), self._connection.transaction():
            # Two runs that replace at once would meet in the catalogue.
            lock = sql.SQL("SELECT pg_advisory_xact_lock(hashtext({}))")
            self._connection.execute(lock.format(sql.Literal(self._name())))
            if self._read_only or (self._exists() and self._revision() is None):
                raise self._say.foreign("table")
            self._create(content)
            comment = sql.SQL("COMMENT ON TABLE {} IS {}")
            marker = sql.Literal(_PREFIX + kept(revision))
            self._connection.execute(comment.format(self._table, marker))
        self._searched = None

    def nearest(self, vector: Sequence[float], top_k: int) -> tuple[Context, ...]:
        """Return at most `top_k` passages, the most alike first."""
        with self._say.searching(vector, *_ERRORS):
            return nearest(self._propose, vector, top_k)

    def close(self) -> None:
        """Give back the connection."""
        self._connection.close()

    def _connect(self, url: str) -> psycopg.Connection:
        parameters = _parsed(url)
        if parameters is None:
            # PostgreSQL's own words would show parts of a password.
            raise self._say.error("its url is no address of a database", _ADDRESS)
        parameters.setdefault("connect_timeout", _SECONDS_TO_CONNECT)
        with self._say.telling(*_ERRORS):
            connection = psycopg.connect(
                make_conninfo("", **parameters),
                autocommit=True,
                # Poolers in front of a database keep no prepared statements.
                prepare_threshold=None,
            )
            connection.read_only = self._read_only
            return connection

    def _name(self) -> str:
        return self._table.as_string(self._connection)

    def _exists(self) -> bool:
        found = self._connection.execute(
            "SELECT to_regclass(%s) IS NOT NULL", [self._name()]
        )
        return found.fetchone() == (True,)

    def _revision(self) -> str | None:
        found = self._connection.execute(
            "SELECT obj_description(to_regclass(%s), 'pg_class')", [self._name()]
        )
        [comment] = found.fetchone() or (None,)
        if comment is None or not comment.startswith(_PREFIX):
            return None
        return told(comment.removeprefix(_PREFIX))

    def _create(self, content: Sequence[Row]) -> None:
        dimensions = sql.Literal(len(content[0].vector) if content else 1)
        schema = sql.Identifier(self._extension())
        create = sql.SQL(
            "DROP TABLE IF EXISTS {table}; CREATE TABLE {table}"
            " (source text NOT NULL, text text NOT NULL,"
            " vector {schema}.vector({dimensions}) NOT NULL)"
        )
        self._connection.execute(
            create.format(table=self._table, schema=schema, dimensions=dimensions)
        )
        copy = sql.SQL("COPY {} (source, text, vector) FROM STDIN").format(self._table)
        with self._connection.cursor() as cursor, cursor.copy(copy) as copying:
            for row in content:
                copying.write_row((row.source, row.text, _written(row.vector)))

    def _extension(self) -> str:
        found = self._connection.execute(
            "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid ="
            " extnamespace WHERE extname = 'vector'"
        ).fetchone()
        if found is None:
            raise self._say.error(
                "this database does not have the extension vector",
                "run CREATE EXTENSION vector; in it, once",
            )
        return str(found[0])

    def _propose(self, vector: tuple[float, ...], count: int) -> list[Hit]:
        if self._searched is None:
            self._searched = self._column()
        schema, kind, ours = self._searched
        # Zero has no cosine; with our lengths the inner product is the cosine.
        # In two steps: in one, all vectors are written out before they are sorted.
        query = sql.SQL(
            "SELECT source::text, text::text, vector::text FROM (SELECT {source} AS"
            " source, {text} AS text, {vector} AS vector FROM {table}"
            " WHERE {vector} IS NOT NULL ORDER BY {vector}"
            " OPERATOR({schema}.{operator}) %s::{schema}.{type} LIMIT %s) AS nearest"
        ).format(
            source=self._escaped(self._source),
            text=self._escaped(self._text),
            vector=self._escaped(sql.Identifier(self._vector)),
            table=self._escaped(self._table),
            schema=self._escaped(sql.Identifier(schema)),
            type=sql.Identifier(kind),
            operator=sql.SQL("<#>" if ours else "<=>"),
        )
        found = self._connection.execute(query, [_written(vector), count])
        tell = told if ours else str
        return [
            Hit(tell(source or ""), tell(text or ""), json.loads(numbers))
            for source, text, numbers in found
        ]

    def _escaped(self, name: sql.Identifier) -> sql.Composable:
        """Return a quoted name whose % is no placeholder of a query's parameters."""
        quoted = name.as_string(self._connection).replace("%", "%%")
        return sql.SQL(quoted)

    def _column(self) -> _Searched:
        """Return what is searched; raises where there are no vectors."""
        if not self._exists():
            raise self._say.error("there is no such table")
        found = self._connection.execute(
            "SELECT nspname, typname FROM pg_attribute"
            " JOIN pg_type t ON t.oid = atttypid"
            " JOIN pg_namespace n ON n.oid = typnamespace"
            " WHERE attrelid = to_regclass(%s) AND attname = %s AND attnum > 0",
            [self._name(), self._vector],
        ).fetchone()
        if found is None:
            raise self._say.error(f"it has no column {self._vector!r}")
        schema, kind = found
        if kind not in ("vector", "halfvec"):
            words = f"the column {self._vector!r} holds {kind}, not vectors"
            raise self._say.error(words)
        return _Searched(schema, kind, ours=self._revision() is not None)


def _written(vector: Sequence[float]) -> str:
    return json.dumps(list(vector))


def _parsed(url: str) -> dict[str, str | int | None] | None:
    """Return the parts of an address; None when it is none."""
    try:
        parts = conninfo_to_dict(url)
    except (psycopg.Error, UnicodeError):
        return None
    # A slash in a password makes its beginning a port.
    ports = str(parts.get("port") or "").split(",")
    return parts if all(not port or port.isdecimal() for port in ports) else None
