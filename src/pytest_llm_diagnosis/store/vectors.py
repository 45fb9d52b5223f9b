"""Vectors of texts, kept in a SQLite file that several processes share."""

from __future__ import annotations

import sqlite3
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pytest_llm_diagnosis.errors import StoreError

FORMAT = 1
_BUSY_SECONDS = 30.0
_CHUNK = 500

_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS vectors (
    key TEXT PRIMARY KEY, vector BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claims (
    key TEXT PRIMARY KEY, owner TEXT NOT NULL, expires REAL NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = {FORMAT};
COMMIT;
"""


class KeptVectors:
    """Vectors by key, single precision, in the file at `path`; None is memory.

    Whoever wants to make vectors claims their keys first, so that no two
    processes pay for one.  `clock` is read for leases.  Methods may be called
    from any thread.  Raises `StoreError` when the file cannot be used.
    """

    def __init__(
        self, path: Path | None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.RLock()
        with self._explained():
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path or ":memory:",
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            self._connection.executescript(_TABLES)

    def known(self, keys: Iterable[str]) -> frozenset[str]:
        """Return the keys that have a vector."""
        rows = self._select("SELECT key FROM vectors WHERE key IN", keys)
        return frozenset(str(key) for (key,) in rows)

    def get_many(self, keys: Iterable[str]) -> dict[str, array[float]]:
        """Return the kept vectors among `keys`."""
        found = {}
        for key, kept in self._select(
            "SELECT key, vector FROM vectors WHERE key IN", keys
        ):
            found[str(key)] = vector = array("f")
            vector.frombytes(kept)  # type: ignore[arg-type]  # a BLOB column
        return found

    def put(self, vectors: Mapping[str, Sequence[float]]) -> None:
        """Keep vectors and end the claims on them."""
        rows = [(key, array("f", one).tobytes()) for key, one in vectors.items()]
        with self._transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            connection.executemany(
                "DELETE FROM claims WHERE key = ?", [(key,) for key in vectors]
            )

    def claim(
        self, keys: Iterable[str], owner: str, lease_seconds: float, most: int
    ) -> list[str]:
        """Take at most `most` of the keys that nobody else is about to make."""
        now = self._clock()
        won: list[str] = []
        with self._transaction() as connection:
            for key in keys:
                if len(won) == most:
                    break
                taken = connection.execute(
                    "INSERT INTO claims SELECT :key, :owner, :now + :lease"
                    " WHERE NOT EXISTS (SELECT 1 FROM vectors WHERE key = :key)"
                    " ON CONFLICT (key) DO UPDATE"
                    " SET owner = excluded.owner, expires = excluded.expires"
                    " WHERE claims.expires <= :now",
                    {"key": key, "owner": owner, "lease": lease_seconds, "now": now},
                )
                won += [key] * taken.rowcount
        return won

    def renew(self, owner: str, lease_seconds: float) -> None:
        """Extend all claims that the owner holds."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE claims SET expires = ? WHERE owner = ?",
                [self._clock() + lease_seconds, owner],
            )

    def release(self, owner: str, keys: Iterable[str]) -> None:
        """Give claims of the owner up."""
        with self._transaction() as connection:
            connection.executemany(
                "DELETE FROM claims WHERE owner = ? AND key = ?",
                [(owner, key) for key in keys],
            )

    def close(self) -> None:
        """Let go of the file; closing twice is harmless."""
        with self._lock:
            self._connection.close()

    def _select(self, sql: str, keys: Iterable[str]) -> Iterator[tuple[object, ...]]:
        listed = list(keys)
        for start in range(0, len(listed), _CHUNK):
            chunk = listed[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            with self._lock, self._explained():
                rows = self._connection.execute(f"{sql} ({marks})", chunk).fetchall()
            yield from rows

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"{self._path}: the kept vectors cannot be used: {error}"
                "\n  delete the file: its vectors are then made again"
            ) from error
