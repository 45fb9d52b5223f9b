"""Turns between processes that change files of one folder."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_llm_diagnosis.errors import StoreError

_WAIT_SECONDS = 30.0
_PAUSE = 0.02


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make the folder if needed, and hold its lock.

    The folder itself is locked, so no lock file appears in a user's checkout.
    Windows has no such lock: there the last of several writers wins.  Raises
    `StoreError` when the folder cannot be made or stays locked for 30 seconds.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Windows cannot open a folder.
        handle = None if sys.platform == "win32" else os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise StoreError(
            f"{folder}: the folder cannot be used: {error.strerror or error}"
        ) from error
    if handle is None:
        yield
        return
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


if sys.platform != "win32":
    import fcntl

    def _lock(handle: int, folder: Path) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"{folder}: another process holds the folder"
                    ) from None
                time.sleep(_PAUSE)
            except OSError:
                return  # a network file system without locks: as on Windows
            else:
                return
