"""A folder of Qdrant, which one client at a time may open."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qdrant_client import QdrantClient

_TRIES = 600
_SECONDS_BETWEEN = 0.1


@contextmanager
def opened_folder(path: Path) -> Iterator[QdrantClient]:
    """Open the folder's collections, waiting up to a minute for other processes.

    Raises the client's `RuntimeError` when another still has them.
    """
    client = _client(path)
    try:
        yield client
    finally:
        client.close()


def is_folder(path: Path) -> bool:
    """Return whether collections were kept here; opening would make a folder."""
    return (path / "meta.json").is_file()


def copied(client: QdrantClient, collection: str) -> QdrantClient:
    """Return a copy of one collection in memory, which locks nobody out."""
    memory = QdrantClient(":memory:")
    with warnings.catch_warnings():
        # It finds 20,000 points many; the folder was chosen all the same.
        warnings.simplefilter("ignore")
        client.migrate(memory, collection_names=[collection], batch_size=1000)
    return memory


def _client(path: Path) -> QdrantClient:
    for _ in range(_TRIES - 1):
        with warnings.catch_warnings():
            # The client leaves its lock file open when it is refused.
            warnings.simplefilter("ignore")
            try:
                return QdrantClient(path=str(path))
            except RuntimeError as error:
                if "already accessed" not in str(error):
                    raise
        time.sleep(_SECONDS_BETWEEN)
    return QdrantClient(path=str(path))
