"""The embedded retriever: SQLite's full-text index, ranked by bm25."""

from __future__ import annotations

import re
import sqlite3
import weakref
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Context, Passage

from .unspaced import UNSPACED

# A pasted document would make a search last seconds; its question closes it.
_MOST_WORDS = 1_000

_WORD = re.compile(r"\w+")

# Scripts written without spaces would be one long word to SQLite's tokenizer.
_SIGN = re.compile(f"([{UNSPACED}])")

# The words questions are built from: in a small corpus some are rare enough to
# outrank the words that the question is about.
_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about an and any are as at be been by can could did do does for from had has
        have how i if in is it its many may me much must my of on or our please shall
        should so such tell than that the their them then there these they this those
        to was we were what when where which while who whom whose why will with would
        you your s t re ve ll d m
        """,
    )
)


class FullTextRetriever:
    """Passages in a SQLite FTS5 table, in memory or in the file at `path`.

    The file is one that `write_index` made of the same passages.

    Words match by their English stem, whatever their case or accents.  Ranking
    is bm25 with SQLite's constants (k1 = 1.2, b = 0.75,
    https://sqlite.org/fts5.html#the_bm25_function); ties go by passage id.
    Use it from one thread at a time.  Raises `DiagnosisError` when this
    Python's SQLite was built without FTS5.
    """

    def __init__(self, passages: Iterable[Passage], path: Path | None = None) -> None:
        self._passages = tuple(passages)
        where = path or ":memory:"
        self._connection = sqlite3.connect(where, check_same_thread=False)
        # Nobody has to remember to close it, and Python 3.13 warns if it stays open.
        weakref.finalize(self, self._connection.close)
        if path is None:
            _index(self._connection, self._passages)

    def search(self, query: str, top_k: int) -> tuple[Context, ...]:
        """Return at most `top_k` passages that share a word with `query`."""
        match = _match_any(query)
        if not match or top_k < 1:
            return ()
        rows = self._connection.execute(
            "SELECT rowid, bm25(passages) FROM passages WHERE passages MATCH ?", [match]
        )
        # SQLite's bm25 is negative; rounding keeps ties equal on every machine.
        ranked = sorted(
            (round(cost, 6), self._passages[rowid].id, rowid) for rowid, cost in rows
        )
        return tuple(
            Context(text=self._passages[rowid].text, source=source, score=-cost)
            for cost, source, rowid in ranked[:top_k]
        )


def write_index(path: Path, passages: Sequence[Passage]) -> None:
    """Write passages and their index to a new file; raises `sqlite3.Error`."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # It is renamed when whole: half of it is never read.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE kept (id BLOB, text BLOB)")
        connection.executemany(
            "INSERT INTO kept VALUES (?, ?)",
            ((_bytes(passage.id), _bytes(passage.text)) for passage in passages),
        )
        _index(connection, passages)
        connection.execute("COMMIT")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _index(connection: sqlite3.Connection, passages: Sequence[Passage]) -> None:
    try:
        connection.execute(
            "CREATE VIRTUAL TABLE passages USING"
            " fts5(text, content='', tokenize='porter unicode61')"
        )
    except sqlite3.OperationalError as error:
        raise DiagnosisError(
            f"`retrieve:` needs SQLite with FTS5, and this Python has none: {error}"
            "\n  use a Python from python.org or uv, or a retriever of your own"
        ) from error
    connection.executemany(
        "INSERT INTO passages(rowid, text) VALUES (?, ?)",
        enumerate(_indexable(passage.text) for passage in passages),
    )


def _match_any(query: str) -> str:
    """Return an FTS5 expression for passages with any of the query's words.

    Each word is quoted, so nothing in the text acts as an operator.
    """
    words = dict.fromkeys(_WORD.findall(_indexable(query).lower()))
    telling = [word for word in words if word not in _STOP_WORDS] or list(words)
    return " OR ".join(f'"{word}"' for word in telling[-_MOST_WORDS:])


def _indexable(text: str) -> str:
    """Return text that SQLite can take: spaced, and without lone surrogates."""
    valid = text.encode("utf-8", "replace").decode("utf-8")
    return _SIGN.sub(r" \1 ", valid)
