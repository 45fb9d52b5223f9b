"""The answer store: a SQLite file that several processes share.

Each answer is committed as it arrives, in WAL mode, so a killed run loses none
and readers never wait.  One row per request key.  A claim row says which owner
is asking right now and until when; whoever finds it run out may take it over.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_llm_diagnosis.errors import StoreError
from pytest_llm_diagnosis.records import Answer, Request

from .protocol import FILTERED, Claim

FORMAT = 1
_BUSY_SECONDS = 10.0
# SQLite allows 999 parameters in old versions.
_CHUNK = 500
_WAL_PAUSE = 0.01

# Made when a limit is first shared: files of before have no such table.
_TAKINGS = (
    "CREATE TABLE IF NOT EXISTS takings (run REAL PRIMARY KEY, calls INTEGER NOT NULL)"
)
_FORGOTTEN = 7 * 24 * 3600.0

_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    answered REAL NOT NULL,
    variant TEXT NOT NULL,
    case_id TEXT NOT NULL,
    arm TEXT NOT NULL,
    trial INTEGER NOT NULL,
    answer TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS claims (
    key TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    expires REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_by_owner ON claims (owner);
PRAGMA user_version = {FORMAT};
COMMIT;
"""


class AnswerStore:
    """Answers in the file at `path`, which is made if it is not there.

    `run_started` is when the run began, in seconds since the epoch: answers from
    before are marked as stored.  With `fresh` they are as if absent.  `clock` is
    read for leases.  `busy_seconds` is how long another process may hold the file.

    Methods may be called from any thread.  Raises `StoreError`, with what to
    do, when the file is damaged, locked, full, read-only or too new.
    """

    def __init__(
        self,
        path: Path,
        *,
        run_started: float = 0.0,
        fresh: bool = False,
        clock: Callable[[], float] = time.time,
        busy_seconds: float = _BUSY_SECONDS,
    ) -> None:
        self.path = path
        self._run_started = run_started
        self._since = run_started if fresh else 0.0
        self._clock = clock
        self._lock = threading.RLock()
        self._connection = self._open(busy_seconds)

    def get(self, key: str) -> Answer | None:
        """Return the kept answer, marked as stored when it is of an earlier run."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Return the kept answers among `keys`."""
        rows = self._select("key, answered, answer", keys)
        return {key: self._read(key, float(at), text) for key, at, text in rows}

    def known(self, keys: Iterable[str]) -> frozenset[str]:
        """Return the keys that are answered, without reading the answers."""
        return frozenset(key for (key,) in self._select("key", keys))

    def put(self, request: Request, answer: Answer) -> bool:
        """Keep an answer at once and end the claim; False when it was filtered."""
        kept = answer.finish_reason != FILTERED
        with self._transaction() as connection:
            if kept:
                connection.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [request.key, self._clock(), *_summary(request), _written(answer)],
                )
            connection.execute("DELETE FROM claims WHERE key = ?", [request.key])
        return kept

    def claim(self, key: str, owner: str, lease_seconds: float) -> Claim:
        """Take the right to make a call, for `lease_seconds`, in one step."""
        now = self._clock()
        with self._transaction() as connection:
            answered = connection.execute(
                "SELECT 1 FROM answers WHERE key = ? AND answered >= ?",
                [key, self._since],
            )
            if answered.fetchone():
                return "answered"
            taken = connection.execute(
                "INSERT INTO claims VALUES (:key, :owner, :now + :lease)"
                " ON CONFLICT (key) DO UPDATE"
                " SET owner = excluded.owner, expires = excluded.expires"
                " WHERE claims.owner = excluded.owner OR claims.expires <= :now",
                {"key": key, "owner": owner, "lease": lease_seconds, "now": now},
            )
            return "won" if taken.rowcount else "held"

    def renew(self, owner: str, lease_seconds: float) -> int:
        """Extend all claims the owner still holds; return how many."""
        with self._transaction() as connection:
            extended = connection.execute(
                "UPDATE claims SET expires = ? WHERE owner = ?",
                [self._clock() + lease_seconds, owner],
            )
            return extended.rowcount

    def owners(self) -> frozenset[str]:
        """Return who holds a claim, whether they still live or not."""
        with self._lock, self._explained():
            rows = self._connection.execute("SELECT DISTINCT owner FROM claims")
            return frozenset(owner for (owner,) in rows)

    def release(self, owner: str, key: str | None = None) -> None:
        """Give up one claim of the owner, or all of them."""
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM claims WHERE owner = ? AND key = coalesce(?, key)",
                [owner, key],
            )

    def take(self, run: float, most: int) -> bool:
        """Count a call of a run, of at most so many; False when they are taken."""
        with self._transaction() as connection:
            connection.execute(_TAKINGS)
            connection.execute("DELETE FROM takings WHERE run < ?", [run - _FORGOTTEN])
            connection.execute("INSERT OR IGNORE INTO takings VALUES (?, 0)", [run])
            taken = connection.execute(
                "UPDATE takings SET calls = calls + 1 WHERE run = ? AND calls < ?",
                [run, most],
            )
            return taken.rowcount == 1

    @contextmanager
    def together(self) -> Iterator[None]:
        """Commit what is written inside as one, or nothing of it."""
        with self._transaction():
            yield

    def close(self) -> None:
        """Let go of the file; closing twice is harmless."""
        with self._lock:
            self._connection.close()

    def _open(self, busy_seconds: float) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error
        with self._explained():
            connection = sqlite3.connect(
                self.path,
                timeout=busy_seconds,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                self._prepare(connection, busy_seconds)
            except BaseException:
                connection.close()
                raise
        return connection

    def _prepare(self, connection: sqlite3.Connection, busy_seconds: float) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT:
            raise StoreError(
                f"{self.path}: written by a newer version of pytest-llm-diagnosis"
                f" (format {version}, this one reads {FORMAT})"
                "\n  upgrade, or delete the file: its answers are then asked again"
            )
        # NORMAL loses nothing when a process is killed, only when power fails.
        connection.execute("PRAGMA synchronous = NORMAL")
        _to_wal(connection, busy_seconds)
        if version < FORMAT:
            connection.executescript(_TABLES)

    def _select(self, columns: str, keys: Iterable[str]) -> Iterator[tuple[str, ...]]:
        """Yield rows of `answers`, in chunks that keep memory flat."""
        remaining = iter(keys)
        while chunk := list(itertools.islice(remaining, _CHUNK)):
            marks = ",".join("?" * len(chunk))
            query = (
                f"SELECT {columns} FROM answers"  # noqa: S608 - only column names and marks
                f" WHERE answered >= ? AND key IN ({marks})"
            )
            with self._lock, self._explained():
                rows = self._connection.execute(query, [self._since, *chunk]).fetchall()
            yield from rows

    def _read(self, key: str, answered: float, text: str) -> Answer:
        try:
            stored = answered < self._run_started
            return Answer.from_dict(json.loads(text), stored=stored)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{self.path}: the answer {key[:12]} cannot be read: {error}"
                f"\n  {_DELETE}"
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the file alone; inside `together` its transaction is the one."""
        connection = self._connection
        with self._lock, self._explained():
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self.path}: the answer store cannot be used: {error}\n  {_advice(error)}"
        )


_DELETE = "delete the file: its answers are then asked again"
_WRITABLE = "make the folder writable, or choose another with -o cache_dir=FOLDER"
_ADVICE = (
    ("locked", "another process holds the file: wait for it or end it"),
    ("readonly", _WRITABLE),
    ("unable to open", _WRITABLE),
    ("full", "free some disk space"),
    ("disk I/O", "check the disk, and that the folder is not on a network share"),
)


def _advice(error: Exception) -> str:
    if isinstance(error, OSError):
        return _WRITABLE
    text = str(error)
    return next((advice for sign, advice in _ADVICE if sign in text), _DELETE)


def _to_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch to WAL; SQLite does not wait for others at this step, so we do.

    A file system without shared memory stays with its rollback journal.
    """
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_WAL_PAUSE)
        else:
            return


def _summary(request: Request) -> tuple[str, str, str, int]:
    texts = _plain(request.variant), _plain(request.case)
    return (*texts, request.arm, request.trial)


def _plain(text: str) -> str:
    """Return text SQLite takes: a case id may hold a lone surrogate."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _written(answer: Answer) -> str:
    # ASCII only: model text may hold lone surrogates, which UTF-8 refuses.
    return json.dumps(answer.to_dict(), separators=(",", ":"))
