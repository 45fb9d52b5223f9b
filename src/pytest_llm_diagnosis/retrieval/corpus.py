"""The passages of a variant's documents, and their full-text index on disk."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from pytest_llm_diagnosis.documents import Documents, split
from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Chunk, Json, Passage

from .chunking import chunked
from .fulltext import FullTextRetriever, write_index

FORMAT = 1
LARGE = 1_000_000
"""Characters of documents from which on their index is kept on disk.

To read, cut and index 10,000 passages (9 MB) takes 0.46 s of CPU, to open what was
kept of them 0.05 s (`python -m benchmarks.retrieval`); below this size it is less
than 0.1 s, and not worth a file.
"""
_UNUSED = 14 * 24 * 3600.0


class Corpus(NamedTuple):
    """Passages with what tells them from others, and what ranks them by words."""

    digest: str
    passages: tuple[Passage, ...]
    text: FullTextRetriever


def open_corpus(
    documents: Documents,
    paths: Sequence[Path],
    chunk: Chunk | None,
    folder: Callable[[], Path | None] = lambda: None,
) -> Corpus:
    """Return the passages of the files at `paths`, cut and indexed.

    A large corpus is indexed once and kept in what `folder` gives, under a name that
    changes with documents and chunking; None keeps nothing.  Raises `InputError` for a
    file that is not UTF-8.
    """
    texts = _texts(documents, paths)
    digest = _digest(texts, chunk)
    large = sum(len(text) for _, text in texts) >= LARGE
    if large and (kept := folder()):
        # What cannot be kept or read back is made in memory instead.
        path = kept / f"passages-{digest[:32]}.sqlite"
        with suppress(OSError, sqlite3.Error, DiagnosisError):
            return _kept(path, texts, chunk, digest)
    passages = tuple(_cut(texts, chunk))
    return Corpus(digest, passages, FullTextRetriever(passages))


def corpus_digest(
    documents: Documents, paths: Sequence[Path], chunk: Chunk | None
) -> str:
    """Return what changes with the documents and with how they are cut."""
    return _digest(_texts(documents, paths), chunk)


def _texts(documents: Documents, paths: Sequence[Path]) -> list[tuple[str, str]]:
    return [(documents.name(path), documents.text(path)) for path in paths]


def _digest(texts: Sequence[tuple[str, str]], chunk: Chunk | None) -> str:
    cut: Json = None if chunk is None else [chunk.words, chunk.overlap]
    stated: Json = [FORMAT, cut, [[name, _sha(text)] for name, text in texts]]
    return _sha(json.dumps(stated))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _cut(texts: Sequence[tuple[str, str]], chunk: Chunk | None) -> Iterator[Passage]:
    for name, text in texts:
        yield from chunked(split(text, name), chunk)


def _kept(
    path: Path, texts: Sequence[tuple[str, str]], chunk: Chunk | None, digest: str
) -> Corpus:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Processes that come at once each write their own; the last one stays.
        draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            write_index(draft, tuple(_cut(texts, chunk)))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        _forget_unused(path.parent)
    try:
        passages = tuple(_read(path))
        retriever = FullTextRetriever(passages, path)
        retriever.search("a", 1)
    except sqlite3.Error:
        path.unlink()
        raise
    os.utime(path)
    return Corpus(digest, passages, retriever)


def _read(path: Path) -> Iterator[Passage]:
    with closing(sqlite3.connect(path)) as connection:
        for name, text in connection.execute("SELECT id, text FROM kept"):
            yield Passage(id=_text(name), text=_text(text))


def _text(kept: bytes) -> str:
    return kept.decode("utf-8", "surrogatepass")


def _forget_unused(folder: Path) -> None:
    """Delete the indexes that no run has opened for two weeks."""
    for path in folder.glob("passages-*.sqlite*"):
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - _UNUSED:
                path.unlink()
